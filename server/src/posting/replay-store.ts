/** Queueing events for an endpoint again, a bounded number of rows in one statement. */
import { type EventName, ledgerEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Sql, sql } from '../platform/sql.ts';

export interface Target {
  endpointId: string;
  applicationId: string;
}

/** What is looked for in the ledger. */
export interface Stretch {
  /** Messages from here … */
  fromId: string;
  /** … to here, this one too. */
  untilId: string;
  /** Events of this time, `until` not included; null: of any. */
  times: { from: Date; until: Date } | null;
  events: readonly EventName[];
}

/** Where a stretch goes on. */
export interface Place {
  messageId: string;
  position: string;
}

/** By the primary key of the ledger: application, message, position. */
const entriesOf = (
  { applicationId }: Target,
  { fromId, untilId, times, events }: Stretch,
  after: Place | null,
): Sql => {
  const { messageId, position } = after ?? { messageId: fromId, position: '0' };
  return sql`select entry.message_id, entry.position, entry.at, entry.status from (${ledgerEntries()}) as entry
    where entry.application_id = ${applicationId} and entry.message_id <= ${untilId}
      and (entry.message_id, entry.position) > (${messageId}::bigint, ${position}::bigint)
      and entry.status = any(${events}::text[])
      ${times ? sql`and entry.at >= ${times.from} and entry.at < ${times.until}` : sql``}`;
};

/** How many there are, counted no further than `limit`. */
export async function countEntries(db: Queryable, target: Target, stretch: Stretch, limit: number): Promise<number> {
  const [row] = await db.query<{ entries: number }>(sql`
    select count(*)::integer as entries from (${entriesOf(target, stretch, null)} limit ${limit}) as entry`);
  return row?.entries ?? 0;
}

/**
 * `rows` is a relation of message_id, position, event_id, status. What waits or was given up begins anew; what waits in a batch
 * stays there, because the batch's body holds it.
 */
const put = ({ endpointId, applicationId }: Target, rows: Sql): Sql => sql`
  insert into callback_queue (endpoint_id, application_id, message_id, position, event_id, status, replayed)
  select ${endpointId}, ${applicationId}, message_id, position, event_id, status, true from (${rows}) as again
  order by message_id, position
  on conflict (endpoint_id, message_id, position) do update set
    replayed = true, tries = 0, due_at = clock_now(), batch = null, body = null, given_up_at = null
    where callback_queue.batch is null or callback_queue.given_up_at is not null
  returning 1`;

/** Up to `limit` entries behind `after`; the place of the last is null when there was none. */
export async function queueEntries(
  db: Queryable,
  target: Target,
  stretch: Stretch,
  after: Place | null,
  limit: number,
): Promise<{ queued: number; last: Place | null }> {
  // Numbered as queue_callbacks() does it: an event has one id, whoever queues it.
  const numbered = sql`select message_id, position, status,
    ((floor(extract(epoch from at) * 1000)::bigint - 1288834974657) << 22) | (position & 4194303) as event_id from picked`;
  const [row] = await db.query<{ queued: number; messageId: string | null; position: string | null }>(sql`
    with picked as materialized (
      ${entriesOf(target, stretch, after)} order by entry.message_id, entry.position limit ${limit}
    ), queued as (${put(target, numbered)}),
    last as (select message_id, position from picked order by message_id desc, position desc limit 1)
    select (select count(*) from queued)::integer as queued,
      (select message_id from last) as "messageId", (select position from last) as position`);
  const { queued = 0, messageId = null, position = null } = row ?? {};
  return { queued, last: messageId === null || position === null ? null : { messageId, position } };
}

/** Events of an endpoint: those it was told of before, and of the message, where one is named, those that wait for their first try. */
export interface Told {
  eventIds: readonly string[];
  messageId?: string | undefined;
}

const toldOf = ({ endpointId }: Target, { eventIds, messageId }: Told): Sql => {
  const found = sql`endpoint_id = ${endpointId} and event_id = any(${eventIds}::bigint[])`;
  return sql`select message_id, position, event_id, status from callback_attempts where ${found}
    union select message_id, position, event_id, status from callback_queue where ${found} and message_id = ${messageId ?? null}::bigint`;
};

export async function queueEvents(db: Queryable, target: Target, events: Told): Promise<number> {
  const [row] = await db.query<{ queued: number }>(sql`
    with queued as (${put(target, toldOf(target, events))}) select count(*)::integer as queued from queued`);
  return row?.queued ?? 0;
}

/** How many there are, and how many of them would be queued: not those that wait in a batch. */
export async function countTold(
  db: Queryable,
  target: Target,
  events: Told,
): Promise<{ known: number; queueable: number }> {
  const [row] = await db.query<{ known: number; queueable: number }>(sql`
    select count(*)::integer as known, (count(*) filter (where not exists (
      select 1 from callback_queue waiting where waiting.endpoint_id = ${target.endpointId} and waiting.message_id = told.message_id
        and waiting.position = told.position and waiting.batch is not null and waiting.given_up_at is null)))::integer as queueable
    from (${toldOf(target, events)}) as told`);
  return row ?? { known: 0, queueable: 0 };
}

/** What failed between two times: given up then, or waiting for another try since a try of then. */
export interface Failed {
  since: Date;
  until: Date | Sql;
}

const givenUp = ({ endpointId }: Target, { since, until }: Failed): Sql =>
  sql`endpoint_id = ${endpointId} and given_up_at >= ${since} and given_up_at <= ${until}`;

const retrying = ({ endpointId }: Target, { since, until }: Failed): Sql =>
  sql`endpoint_id = ${endpointId} and due_at > clock_now() and tries > 0 and exists (
    select 1 from callback_attempts tried where tried.endpoint_id = queue.endpoint_id and tried.event_id = queue.event_id
      and tried.at >= ${since} and tried.at <= ${until} and tried.outcome = 'retry')`;

/** Counted no further than `limit` each, with the time up to which it was. */
export async function countFailed(
  db: Queryable,
  target: Target,
  since: Date,
  limit: number,
): Promise<{ rows: number; until: Date }> {
  const failed = { since, until: sql`clock_now()` };
  const [row] = await db.query<{ rows: number; until: Date }>(sql`
    select ((select count(*) from (select 1 from callback_queue queue where ${givenUp(target, failed)} limit ${limit}) as given_up)
      + (select count(*) from (select 1 from callback_queue queue where ${retrying(target, failed)} limit ${limit}) as retrying)
      )::integer as rows, clock_now() + interval '1 millisecond' as until`);
  if (!row) throw new Error('a count answers one row');
  return row;
}

/** Up to `limit` rows that were given up begin anew. Their order in the queue is that of the ledger. */
export async function requeueGivenUp(db: Queryable, target: Target, failed: Failed, limit: number): Promise<number> {
  const [row] = await db.query<{ queued: number }>(sql`
    with queued as (
      update callback_queue set replayed = true, tries = 0, due_at = clock_now(), batch = null, body = null, given_up_at = null
      where ctid = any(array(select ctid from callback_queue queue where ${givenUp(target, failed)}
        order by given_up_at limit ${limit} for update))
      returning 1
    )
    select count(*)::integer as queued from queued`);
  return row?.queued ?? 0;
}

/** Up to `limit` rows that wait for another try are due now; they stay what they are, so that a body is the same over its tries. */
export async function hastenRetries(db: Queryable, target: Target, failed: Failed, limit: number): Promise<number> {
  const [row] = await db.query<{ queued: number }>(sql`
    with queued as (
      update callback_queue set due_at = clock_now()
      where ctid = any(array(select ctid from callback_queue queue where ${retrying(target, failed)}
        order by due_at, position limit ${limit} for update))
      returning 1
    )
    select count(*)::integer as queued from queued`);
  return row?.queued ?? 0;
}
