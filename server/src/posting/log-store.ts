/** What operators and applications read of the posts to their endpoints: what waits or was given up, and every try. Also what retention forgets of both. */
import { ledgerEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { raw, type Sql, sql } from '../platform/sql.ts';

export const deliveryStates = ['waiting', 'retrying', 'given_up'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export interface DeliveryRow {
  endpointId: string;
  eventId: string;
  messageId: string;
  position: string;
  /** Null where the ledger has forgotten the event. */
  event: string | null;
  at: Date | null;
  tries: number;
  dueAt: Date | null;
  givenUpAt: Date | null;
  replayed: boolean;
}

export interface DeliveryFilter {
  state?: DeliveryState | undefined;
  messageId?: string | undefined;
  /** Events that happened from then on, by an id made of their time. */
  fromEventId?: string | undefined;
  before?: { messageId: string; position: string; endpointId: string } | undefined;
  limit: number;
}

const inState: Record<DeliveryState, Sql> = {
  waiting: raw('and q.due_at is not null and q.tries = 0'),
  retrying: raw('and q.due_at is not null and q.tries > 0'),
  given_up: raw('and q.given_up_at is not null'),
};
const nothing = raw('');

/** Newest message first, and newest event first of each; what belongs to no message comes last. */
export function listDeliveries(
  db: Queryable,
  endpointIds: readonly string[],
  filter: DeliveryFilter,
): Promise<DeliveryRow[]> {
  const { state, messageId, fromEventId, before, limit } = filter;
  return db.query<DeliveryRow>(sql`
    select q.endpoint_id as "endpointId", q.event_id as "eventId", q.message_id as "messageId", q.position, entry.status as event, entry.at, q.tries,
      q.due_at as "dueAt", q.given_up_at as "givenUpAt", q.replayed
    from (
      -- Of each endpoint along its key, so that no list is read whole.
      select q.* from unnest(${endpointIds}::bigint[]) as endpoint (id) cross join lateral (
        select * from callback_queue q where q.endpoint_id = endpoint.id ${state ? inState[state] : nothing}
          ${messageId === undefined ? nothing : sql`and q.message_id = ${messageId}`}
          ${fromEventId === undefined ? nothing : sql`and q.event_id >= ${fromEventId}`}
          ${before ? sql`and (q.message_id, q.position, q.endpoint_id) < (${before.messageId}::bigint, ${before.position}::bigint, ${before.endpointId}::bigint)` : nothing}
        order by q.message_id desc, q.position desc limit ${limit}
      ) as q
      order by q.message_id desc, q.position desc, q.endpoint_id desc limit ${limit}
    ) as q
    -- One by one by its key, whatever the planner thinks of the limit.
    left join lateral (
      select e.status, e.at from (${ledgerEntries()}) as e
      where e.application_id = q.application_id and e.message_id = q.message_id and e.position = q.position limit 1
    ) as entry on true
    order by q.message_id desc, q.position desc, q.endpoint_id desc`);
}

export const outcomes = ['accepted', 'retry', 'given_up'] as const;
export type Outcome = (typeof outcomes)[number];

export interface AttemptRow {
  id: string;
  endpointId: string;
  eventId: string;
  messageId: string;
  event: string;
  try: number;
  at: Date;
  rows: number;
  outcome: Outcome;
  httpStatus: number | null;
  detail: string | null;
  response: string | null;
  latencyMs: number;
  nextAt: Date | null;
}

export interface AttemptFilter {
  messageId?: string | undefined;
  eventId?: string | undefined;
  outcome?: Outcome | undefined;
  /** Tries from then on. */
  since?: Date | undefined;
  before?: string | undefined;
  limit: number;
}

/** Written out, so that a plan for any values may use the index of failures; what is accepted is most of the log. */
const withOutcome: Record<Outcome, Sql> = {
  accepted: raw(`and outcome = 'accepted'`),
  retry: raw(`and outcome = 'retry'`),
  given_up: raw(`and outcome = 'given_up'`),
};

/**
 * Where the tries since a time begin in the log of `endpoint.of`, by halves. Ids rise with time, but for statements of the same moment
 * that were committed in another order: so a little earlier.
 */
const firstSince = (since: Date): Sql => sql`
  with recursive sought (low, high) as (
    select 0::bigint, coalesce((select id from callback_attempts where endpoint_id = endpoint.of order by id desc limit 1), 0) + 1
    union all
    select case when probe.early then probe.id + 1 else low end, case when probe.early then high else middle end
    from sought cross join lateral (select (low + high) / 2 as middle) half left join lateral (
      select id, at < ${since}::timestamptz - interval '30 seconds' as early from callback_attempts
      where endpoint_id = endpoint.of and id >= middle and id < high order by id limit 1
    ) probe on true
    where low < high
  )
  select low as id from sought where low >= high`;

/** Newest first. */
export function listAttempts(
  db: Queryable,
  { ids, applicationId }: { ids: readonly string[]; applicationId: string },
  filter: AttemptFilter,
): Promise<AttemptRow[]> {
  const { messageId, eventId, outcome, since, before, limit } = filter;
  return db.query<AttemptRow>(sql`
    select id, endpoint_id as "endpointId", event_id as "eventId", message_id as "messageId", status as event, try, at, rows, outcome,
      http_status as "httpStatus", detail, response, latency_ms as "latencyMs", next_at as "nextAt"
    from (
      select tried.* from unnest(${ids}::bigint[]) as endpoint (of)
      ${since === undefined ? nothing : sql`cross join lateral (${firstSince(since)}) as first`} cross join lateral (
        select * from callback_attempts where endpoint_id = endpoint.of and application_id = ${applicationId}
          ${messageId === undefined ? nothing : sql`and message_id = ${messageId}`}
          ${eventId === undefined ? nothing : sql`and event_id = ${eventId}`}
          ${outcome === undefined ? nothing : withOutcome[outcome]}
          ${since === undefined ? nothing : sql`and callback_attempts.id >= first.id and at >= ${since}`}
          ${before === undefined ? nothing : sql`and callback_attempts.id < ${before}`}
        order by callback_attempts.id desc limit ${limit}
      ) as tried
    ) as tried
    order by id desc limit ${limit}`);
}

/**
 * Removes up to `limit` rows each of queue and log: of messages below the id, and of events of no message from before its time.
 * Ids of events begin with their time as those of messages do.
 */
export async function forgetPosts(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const old = (table: 'callback_queue' | 'callback_attempts'): Sql => sql`
    delete from ${raw(table)} where ctid = any(array(
      (select ctid from ${raw(table)}
        where application_id = ${applicationId} and message_id > 0 and message_id < ${belowId} limit ${limit})
      union all
      (select ctid from ${raw(table)}
        where application_id = ${applicationId} and message_id = 0 and event_id < ${belowId} limit ${limit})
      limit ${limit}))
    returning 1`;
  const [row] = await db.query<{ removed: number }>(sql`
    with queued as (${old('callback_queue')}), logged as (${old('callback_attempts')})
    select ((select count(*) from queued) + (select count(*) from logged))::integer as removed`);
  return row?.removed ?? 0;
}

/** Removes up to `limit` rows each of what was queued for an endpoint and of its log; resolves with how many. */
export async function deleteTraces(db: Queryable, endpointId: string, limit: number): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with queued as (
      delete from callback_queue where ctid = any(array(
        select ctid from callback_queue where endpoint_id = ${endpointId} limit ${limit}))
      returning 1
    ), logged as (
      delete from callback_attempts where ctid = any(array(
        select ctid from callback_attempts where endpoint_id = ${endpointId} limit ${limit}))
      returning 1
    )
    select ((select count(*) from queued) + (select count(*) from logged))::integer as removed`);
  return row?.removed ?? 0;
}
