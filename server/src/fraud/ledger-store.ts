/** The ledger as the fact book is told of it: in its committed order, with what the messages carry. */
import { committedEntries, followedApplications, type Place } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { LedgerRelations } from './ports.ts';

export interface FraudEntry {
  place: Place;
  atMs: number;
  messageId: string;
  status: string;
  channel: string | null;
  /** Of a hand-over. */
  provider: string | null;
  costMicros: number;
  /** Null for what belongs to no message, and for one that is forgotten. */
  message: FraudMessage | null;
}

export interface FraudMessage {
  recipient: string;
  country: string | null;
  signals: Record<string, unknown> | null;
  verificationId: string | null;
  acceptedAtMs: number;
  endsAtMs: number | null;
}

export interface ReadRequest {
  applicationId: string;
  after: Place;
}

interface EntryRow {
  ord: string;
  txid: string;
  position: string;
  at_ms: number;
  message_id: string;
  status: string;
  channel: string | null;
  provider: string | null;
  cost_micros: string;
  recipient: string | null;
  country: string | null;
  signals: Record<string, unknown> | null;
  verification_id: string | null;
  accepted_ms: number;
  ends_ms: number | null;
}

const millis = (time: string): Sql => raw(`(extract(epoch from ${time}) * 1000)::double precision`);
/** Of other entries nothing is learnt. */
const learntFrom = raw(`('plan', 'sent', 'verified', 'verified_failed')`);

/** Up to `limit` entries behind each place, in the order of `requests`. */
export async function readEntries(
  db: Queryable,
  { facts, acceptances }: LedgerRelations,
  requests: readonly ReadRequest[],
  limit: number,
): Promise<FraudEntry[][]> {
  const places = relation(requests, {
    application_id: ['bigint', ({ applicationId }) => applicationId],
    txid: ['xid8', ({ after }) => after.txid],
    position: ['bigint', ({ after }) => after.position],
  });
  // From entry to entry, each a look into the index: asked for in one go, a plan made while the ledger was small sorts all that lies
  // behind the place (500 of 50,000 entries: 30 ms against 12). Up to the oldest transaction under way, as followedEntries().
  const next = (behind: Sql): Sql => sql`
    select * from (${committedEntries()}) e where e.application_id = ${behind}.application_id and e.txid < now_at.horizon
      and (e.txid, e.position) > (${behind}.txid, ${behind}.position) order by e.txid, e.position limit 1`;
  const rows = await db.query<EntryRow>(sql`
    select place.ord, event.txid::text as txid, event.position, ${millis('event.at')} as at_ms, event.message_id, event.status,
      event.channel, coalesce(round((event.data #>> '{billing,cost}')::numeric * 1000000), 0) as cost_micros, way.provider,
      fact.recipient, fact.country, fact.signals, fact.verification_id, ${millis('fact.created_at')} as accepted_ms,
      ${millis('fact.expires_at')} as ends_ms
    from (${places}) place cross join (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) now_at
    cross join lateral (
      with recursive step as (
        (${next(raw('place'))}) union all select n.* from step cross join lateral (${next(raw('step'))}) n
      )
      select * from step limit ${limit}
    ) event
    left join lateral (
      select m.recipient, m.country, m.signals, m.verification_id, m.created_at, m.expires_at from (${facts}) m
      where m.application_id = event.application_id and m.message_id = event.message_id
        and event.status in ${learntFrom} limit 1
    ) fact on true
    left join lateral (
      select a.provider from (${acceptances}) a where a.application_id = event.application_id
        and a.message_id = event.message_id and a.attempt = event.attempt and event.status = 'sent'
        and fact.verification_id is not null
      order by a.answered_at, a.try limit 1
    ) way on true
    order by place.ord, event.txid, event.position`);
  const pages = requests.map((): FraudEntry[] => []);
  for (const row of rows) pages[Number(row.ord) - 1]?.push(entryOf(row));
  return pages;
}

const entryOf = (row: EntryRow): FraudEntry => ({
  place: { txid: BigInt(row.txid), position: BigInt(row.position) },
  atMs: row.at_ms,
  messageId: row.message_id,
  status: row.status,
  channel: row.channel,
  provider: row.provider,
  costMicros: Number(row.cost_micros),
  message:
    row.recipient === null
      ? null
      : {
          recipient: row.recipient,
          country: row.country,
          signals: row.signals,
          verificationId: row.verification_id,
          acceptedAtMs: row.accepted_ms,
          endsAtMs: row.ends_ms,
        },
});

/** Every application with entries to follow. */
export async function listFollowed(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ application_id: string }>(followedApplications());
  return rows.map((row) => row.application_id);
}

/** Where the application sent to within the thirty days before so many seconds ago, and when last: at the end of that day. */
export async function listCountries(
  db: Queryable,
  { countries }: LedgerRelations,
  applicationId: string,
  secondsAgo: number,
): Promise<{ country: string; lastAtMs: number }[]> {
  const rows = await db.query<{ country: string; last_ms: number }>(sql`
    select c.country, ${millis("max(c.day) + interval '1 day'")} as last_ms from (${countries}) c
    where c.application_id = ${applicationId} and c.day <= clock_now() - ${secondsAgo} * interval '1 second'
      and c.day > clock_now() - ${secondsAgo} * interval '1 second' - interval '31 days'
    group by c.country`);
  return rows.map((row) => ({ country: row.country, lastAtMs: row.last_ms }));
}
