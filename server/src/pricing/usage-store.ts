/**
 * The statement that adds up what was used. It finds messages by the time in their ids and attempts by their message, so that it reads
 * the days asked for and nothing else. What was given back stands in the ledger under the attempt, with the call it was the cost of.
 */

import { ledgerEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { messageIdOf } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';

import type { Relations } from './office.ts';

/** Clocks of processes may differ from the database's by less than this. */
const slackMs = 3_600_000;
const lastNode = 1_023;
const lastSequence = 4_095;

export interface UsageRow {
  day: string;
  applicationId: string;
  channel: string;
  country: string;
  provider: string;
  messages: string;
  attempts: string;
  /** Null where none were counted. */
  segments: string | null;
  costMicros: string;
  refundedMicros: string;
}

/** Of messages accepted in the time; in order, at most `limit`. */
export function sumUsage(
  db: Queryable,
  { facts, acceptances }: Relations,
  applications: readonly string[],
  { from, until }: { from: Date; until: Date },
  limit: number,
): Promise<UsageRow[]> {
  const firstId = messageIdOf(from.getTime() - slackMs, 0, 0);
  const lastId = messageIdOf(until.getTime() + slackMs, lastNode, lastSequence);
  return db.query<UsageRow>(sql`
    select to_char(date_trunc('day', m.created_at, 'UTC') at time zone 'UTC', 'YYYY-MM-DD') as day, given.id::text as "applicationId",
      a.channel, coalesce(m.country, '') as country, a.provider, count(distinct m.message_id)::text as messages,
      count(*)::text as attempts, sum(a.segments)::text as segments, sum(a.cost_micros)::text as "costMicros",
      coalesce(sum(r.micros), 0)::text as "refundedMicros"
    from unnest(${applications}::bigint[]) as given (id)
    join (${facts}) m on m.application_id = given.id and m.message_id between ${firstId}::bigint and ${lastId}::bigint
      and m.created_at >= ${from} and m.created_at < ${until}
    join (${acceptances}) a on a.application_id = m.application_id and a.message_id = m.message_id
    left join lateral (
      select sum(coalesce((e.data ->> 'refunded_micros')::bigint, 0) - coalesce((e.data ->> 'charged_micros')::bigint, 0)) as micros
      from (${ledgerEntries()}) e
      where e.application_id = a.application_id and e.message_id = a.message_id and e.attempt = a.attempt
        and (e.data ? 'refunded_micros' or e.data ? 'charged_micros') and (e.data ->> 'try')::integer = a.try
    ) r on true
    group by 1, given.id, 3, 4, 5 order by 1, given.id, 3, 4, 5 limit ${limit}`);
}
