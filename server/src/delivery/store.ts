/** The SQL on deliveries, and on attempts where it is one statement with them. Times are counted from `clock_now()`, so that nodes whose clocks differ agree. */
import type { Channel, SendOutcome } from '../channels/index.ts';
import { type EventDraft, eventColumns, eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Column, relation, type Sql, sql } from '../platform/sql.ts';
import type { Entry } from './change.ts';
import { becomesOver, type Charges, chargeClauses } from './charge-store.ts';
import type { Ids } from './content.ts';
import { correctionColumns, correctionsOf } from './corrections.ts';
import type { Call } from './hand-over.ts';
import { leaseMs, type Prepared } from './prepare.ts';
import {
  countWaiting,
  type EndReason,
  type MessageState,
  type Plan,
  planFrom,
  type State,
  type StoredPlan,
  storedPlan,
  usableAfter,
} from './state.ts';
import type { About } from './told.ts';

/** A delivery as read, with the version a change must name. */
export interface Loaded extends Ids {
  version: number;
  state: State;
}

interface Row {
  application_id: string;
  message_id: string;
  version: number;
  state: MessageState;
  plan: StoredPlan;
  has_verification: boolean;
  ended: EndReason | null;
  channel: Channel;
  sent_count: number;
  sequence: number;
  silent: boolean;
  cost_micros: string;
  deadline_at: Date;
  in_flight: boolean;
  due_at: Date | null;
}

const rowColumns = sql`d.application_id, d.message_id, d.version, d.state, d.plan, d.has_verification, d.ended, d.channel,
  d.sent_count, d.sequence, d.silent, d.cost_micros, d.deadline_at, d.in_flight, d.due_at`;

/** A row ended by the statement of a check keeps the plan it had; what was planned in it will not happen. */
const loadedOf = (row: Row): Loaded => ({
  applicationId: row.application_id,
  messageId: row.message_id,
  version: row.version,
  state: {
    ...planIn(row),
    state: row.state,
    hasVerification: row.has_verification,
    ended: row.ended,
    channel: row.channel,
    sentCount: row.sent_count,
    sequence: row.sequence,
    silent: row.silent,
    costMicros: Number(row.cost_micros),
    deadlineAtMs: row.deadline_at.getTime(),
    inFlight: row.in_flight,
    dueAtMs: row.due_at?.getTime() ?? null,
  },
});

function planIn({ plan: stored, ended, in_flight: inFlight }: Row): Plan {
  const plan = planFrom(stored);
  if (ended === null) return plan;
  return { ...plan, request: null, active: inFlight ? plan.active : null };
}

const idColumns: Record<string, Column<Ids>> = {
  application_id: ['bigint', (ids) => ids.applicationId],
  message_id: ['bigint', (ids) => ids.messageId],
};

/** What the accepting statement's input relation must hold besides application_id and message_id. */
export const preparedColumns: Record<string, Column<Prepared>> = {
  delivery_state: ['text', (prepared) => prepared.state.state],
  delivery_plan: ['jsonb', (prepared) => storedPlan(prepared.state)],
  delivery_has_verification: ['boolean', (prepared) => prepared.state.hasVerification],
  delivery_channel: ['text', (prepared) => prepared.state.channel],
  delivery_waiting_steps: ['smallint', (prepared) => countWaiting(prepared.state)],
  delivery_sequence: ['integer', (prepared) => prepared.state.sequence],
  delivery_silent: ['boolean', (prepared) => prepared.state.silent],
  delivery_content: ['bytea', (prepared) => prepared.sealed],
  delivery_life_ms: ['bigint', (prepared) => prepared.lifeMs],
  delivery_in_flight: ['boolean', (prepared) => prepared.state.inFlight],
  delivery_due_in_ms: ['bigint', (prepared) => prepared.dueInMs],
};

/** The insert for the accepting statement; `notify` wakes the workers of other nodes at commit. */
export function insertDeliveries(input: Sql, notify: boolean): Sql {
  return sql`insert into deliveries (application_id, message_id, state, plan, has_verification, channel, waiting_steps,
      sequence, silent, content, deadline_at, in_flight, due_at)
    select application_id, message_id, delivery_state, delivery_plan, delivery_has_verification, delivery_channel,
      delivery_waiting_steps, delivery_sequence, delivery_silent, delivery_content,
      clock_now() + delivery_life_ms * interval '1 millisecond', delivery_in_flight,
      clock_now() + delivery_due_in_ms * interval '1 millisecond'
    from (${input}) as prepared
    returning message_id${notify ? sql`, pg_notify('delivery', '')` : sql``}`;
}

/** One call to an upstream and its answer. `tookMs` lies before now. */
export interface CallRecord {
  call: Call;
  channel: Channel;
  provider: string;
  /** Null on the virtual network. */
  route: Record<string, unknown> | null;
  outcome: SendOutcome;
  tookMs: number;
}

/** A change worked out from the version read. */
export interface Save extends Loaded {
  before: State;
  nowMs: number;
  entries: readonly Entry[];
  call: CallRecord | null;
  /** Sealed anew for a resend with another code. */
  content?: Buffer;
}

const dueInMs = ({ before, state, nowMs }: Save): number | null =>
  state.dueAtMs === null || state.dueAtMs === before.dueAtMs ? null : state.dueAtMs - nowMs;

const saveColumns: Record<string, Column<Save>> = {
  ...(idColumns as Record<string, Column<Save>>),
  version: ['integer', (save) => save.version],
  state: ['text', (save) => save.state.state],
  plan: ['jsonb', (save) => storedPlan(save.state)],
  ended: ['text', (save) => save.state.ended],
  channel: ['text', (save) => save.state.channel],
  waiting_steps: ['smallint', (save) => countWaiting(save.state)],
  sent_count: ['smallint', (save) => save.state.sentCount],
  sequence: ['integer', (save) => save.state.sequence],
  cost_micros: ['bigint', (save) => save.state.costMicros],
  in_flight: ['boolean', (save) => save.state.inFlight],
  due: ['boolean', (save) => save.state.dueAtMs !== null],
  /** Null with `due` keeps the time that stands. */
  due_in_ms: ['bigint', dueInMs],
  /** Null keeps the deadline. */
  life_ms: [
    'bigint',
    ({ before, state, nowMs }) => (state.deadlineAtMs === before.deadlineAtMs ? null : state.deadlineAtMs - nowMs),
  ],
  content: ['bytea', (save) => save.content ?? null],
  over: ['boolean', becomesOver],
  erase: [
    'boolean',
    ({ state }) => state.ended !== null || (state.state === 'invalid' && usableAfter(state, -1) === null),
  ],
};

interface CallRow extends Ids {
  record: CallRecord;
}

const callColumns: Record<string, Column<CallRow>> = {
  ...(idColumns as Record<string, Column<CallRow>>),
  attempt: ['smallint', ({ record }) => record.call.attempt],
  try: ['smallint', ({ record }) => record.call.try],
  step: ['smallint', ({ record }) => record.call.step + 1],
  channel: ['text', ({ record }) => record.channel],
  provider: ['text', ({ record }) => record.provider],
  route: ['jsonb', ({ record }) => record.route],
  upstream_id: ['text', ({ record: { outcome } }) => (outcome.kind === 'accepted' ? outcome.upstreamId : null)],
  outcome: ['text', ({ record }) => record.outcome.kind],
  error_code: ['integer', ({ record: { outcome } }) => (outcome.kind === 'refused' ? outcome.errorCode : null)],
  reason: ['text', ({ record: { outcome } }) => (outcome.kind === 'accepted' ? null : outcome.detail)],
  took_ms: ['bigint', ({ record }) => Math.max(0, Math.round(record.tookMs))],
  cost_micros: ['bigint', ({ record: { outcome } }) => (outcome.kind === 'accepted' ? (outcome.costMicros ?? 0) : 0)],
};

const costs = (save: Save): boolean => save.call?.outcome.kind === 'accepted' || correctionsOf(save).length > 0;
const costColumns: Record<string, Column<Save>> = {
  ...(idColumns as Record<string, Column<Save>>),
  costs: ['boolean', costs],
};

/**
 * Writes changes with their calls and ledger entries, each only if its row still has the version read; says which did. One
 * statement for all. A time due lies at most at the deadline, where a message with a verification is left to it.
 */
export async function saveDeliveries(db: Queryable, saves: readonly Save[], charges?: Charges): Promise<boolean[]> {
  // In one order everywhere, so that two statements over the same rows wait for each other instead of deadlocking.
  const inputs = [...saves].sort((a, b) => (a.messageId < b.messageId ? -1 : 1));
  const calls = saves.flatMap(({ applicationId, messageId, call }): CallRow[] =>
    call ? [{ applicationId, messageId, record: call }] : [],
  );
  const events = saves.flatMap(({ applicationId, messageId, entries }): EventDraft[] =>
    entries.map((entry) => ({ ...entry, applicationId, messageId })),
  );
  const settled = inputs.filter((save) => costs(save) || becomesOver(save));
  const settling = settled.length > 0 ? relation(settled, costColumns) : null;
  const corrections = saves.flatMap(correctionsOf);
  const corrected = corrections.length > 0 ? relation(corrections, correctionColumns) : null;
  const { before, first, after } = chargeClauses(charges, settling, corrected);
  const rows = await db.query<{ application_id: string; message_id: string }>(sql`
    with ${before} saved as (
      update deliveries as d set version = d.version + 1, state = i.state, plan = i.plan, ended = i.ended,
        channel = i.channel, waiting_steps = i.waiting_steps, sent_count = i.sent_count, sequence = i.sequence,
        cost_micros = i.cost_micros, in_flight = i.in_flight,
        content = case when not i.erase then coalesce(i.content, d.content) end,
        deadline_at = coalesce(clock_now() + i.life_ms * interval '1 millisecond', d.deadline_at),
        due_at = case
          when not i.due then null
          when i.due_in_ms is null then d.due_at
          when i.in_flight then clock_now() + i.due_in_ms * interval '1 millisecond'
          else least(clock_now() + i.due_in_ms * interval '1 millisecond',
            coalesce(clock_now() + i.life_ms * interval '1 millisecond', d.deadline_at)) end
      from (${relation(inputs, saveColumns)}) as i
      where d.application_id = i.application_id and d.message_id = i.message_id and d.version = i.version ${first}
      returning d.application_id, d.message_id, i.over
    ), called as (
      insert into attempts (application_id, message_id, attempt, try, step, channel, provider, route, upstream_id, outcome,
        error_code, reason, started_at, cost_micros)
      select c.application_id, c.message_id, c.attempt, c.try, c.step, c.channel, c.provider, c.route, c.upstream_id, c.outcome,
        c.error_code, c.reason, clock_now() - c.took_ms * interval '1 millisecond', c.cost_micros
      from (${relation(calls, callColumns)}) as c join saved using (application_id, message_id)
      on conflict (application_id, message_id, attempt, try) do update set upstream_id = excluded.upstream_id,
        outcome = excluded.outcome, reason = null, answered_at = clock_now(), cost_micros = excluded.cost_micros
        where attempts.outcome = 'unknown' and excluded.outcome = 'accepted'
      returning application_id, message_id, attempt, try, outcome, cost_micros
    ), told as (
      ${eventRows(sql`select e.* from (${relation(events, eventColumns)}) as e
        join saved using (application_id, message_id) order by e.ord`)}
    )${after}
    select application_id, message_id from saved`);
  const saved = new Set(rows.map((row) => `${row.application_id}:${row.message_id}`));
  return saves.map((save) => saved.has(`${save.applicationId}:${save.messageId}`));
}

/** A row claimed by this node for `leaseMs`. */
export interface Claimed extends Loaded {
  content: Buffer | null;
  /** Its lease had lapsed: the attempt's node died. */
  wasInFlight: boolean;
  pastDeadline: boolean;
}

/**
 * Takes up to `limit` due deliveries for this node. Those whose code has expired are not handed over any more: they are left to
 * their verification, except that a lapsed attempt is still concluded.
 */
export async function claimDue(db: Queryable, limit: number): Promise<{ claimed: Claimed[]; seen: number }> {
  const rows = await db.query<Row & { content: Buffer | null; was_in_flight: boolean; past: boolean; parked: boolean }>(
    sql`with due as materialized (
      select application_id, message_id, in_flight as was_in_flight, deadline_at <= clock_now() as past,
        has_verification and not in_flight and deadline_at <= clock_now() as parked,
        plan ? 'active' and ended is null and deadline_at > clock_now() as starts
      from deliveries where due_at <= clock_now() order by due_at limit ${limit} for update skip locked
    )
    update deliveries as d set version = d.version + 1,
      in_flight = d.in_flight or due.starts,
      state = case when due.starts and d.state = 'queued' then 'sending' else d.state end,
      waiting_steps = d.waiting_steps - case when due.starts and not d.in_flight then 1 else 0 end,
      due_at = case when not due.parked then clock_now() + ${leaseMs} * interval '1 millisecond' end
    from due where d.application_id = due.application_id and d.message_id = due.message_id
    returning ${rowColumns}, d.content, due.was_in_flight, due.past, due.parked`,
  );
  const claimed = rows
    .filter((row) => !row.parked)
    .map((row) => ({
      ...loadedOf(row),
      content: row.content,
      wasInFlight: row.was_in_flight,
      pastDeadline: row.past,
    }));
  return { claimed, seen: rows.length };
}

/** Milliseconds until the next delivery is due, negative when overdue; null when none is. */
export async function findNextDue(db: Queryable): Promise<number | null> {
  const [row] = await db.query<{ in_ms: number | null }>(
    sql`select (extract(epoch from min(due_at) - clock_now()) * 1000)::double precision as in_ms
      from deliveries where due_at is not null`,
  );
  return row?.in_ms ?? null;
}

/** In the order asked; null where there is none. */
export async function findDeliveries(db: Queryable, ids: readonly Ids[]): Promise<(Loaded | null)[]> {
  const rows = await db.query<Row & { ord: string }>(sql`select ${rowColumns}, i.ord
    from (${relation(ids, idColumns)}) as i
    join deliveries as d on d.application_id = i.application_id and d.message_id = i.message_id`);
  return inOrder(ids.length, rows, loadedOf);
}

/** Locks the rows until the transaction ends, in one order everywhere. Missing ones are left out. */
export async function lockDeliveries(tx: Queryable, ids: readonly Ids[]): Promise<Loaded[]> {
  const rows = await tx.query<Row>(sql`select ${rowColumns} from deliveries as d
    where (d.application_id, d.message_id) in (select application_id, message_id from (${relation(ids, idColumns)}) as i)
    order by d.application_id, d.message_id for no key update`);
  return rows.map(loadedOf);
}

export interface ReceiptKey {
  provider: string;
  upstreamId: string;
}

/** The deliveries of accepted calls, with the calls of that id; in the order asked, null for unknown ones. */
export async function findByUpstreamIds(
  db: Queryable,
  keys: readonly ReceiptKey[],
): Promise<({ loaded: Loaded; about: About } | null)[]> {
  const asked = relation(keys, {
    provider: ['text', (key) => key.provider],
    upstream_id: ['text', (key) => key.upstreamId],
  });
  const rows = await db.query<Row & { ord: string } & About>(sql`
    select ${rowColumns}, a.attempt, a.tries, k.ord from (${asked}) as k
    cross join lateral (select application_id, message_id, attempt, array_agg(try) as tries from attempts
      where provider = k.provider and upstream_id = k.upstream_id group by 1, 2, 3 order by max(answered_at) desc limit 1) as a
    join deliveries as d on d.application_id = a.application_id and d.message_id = a.message_id`);
  return inOrder(keys.length, rows, (row) => ({
    loaded: loadedOf(row),
    about: { attempt: row.attempt, tries: row.tries },
  }));
}

function inOrder<R extends { ord: string }, T>(length: number, rows: readonly R[], of: (row: R) => T): (T | null)[] {
  const found = new Array<T | null>(length).fill(null);
  for (const row of rows) found[Number(row.ord) - 1] = of(row);
  return found;
}

export async function findContent(db: Queryable, ids: Ids): Promise<Buffer | null> {
  const [row] = await db.query<{ content: Buffer | null }>(sql`select content from deliveries
    where application_id = ${ids.applicationId} and message_id = ${ids.messageId}`);
  return row?.content ?? null;
}

/** The relation other rooms join to their lists. */
export const deliveryStates = (): Sql =>
  sql`select application_id, message_id, state, channel, cost_micros from deliveries`;

/** Wakes the workers of all nodes. */
export async function notifyWorkers(db: Queryable): Promise<void> {
  await db.query(sql`select pg_notify('delivery', '')`);
}

/** Removes up to `limit` deliveries of messages below the id, with their attempts; resolves with how many. */
export async function forgetDeliveries(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from deliveries where ctid = any(array(
        select ctid from deliveries where application_id = ${applicationId} and message_id < ${belowId} limit ${limit}))
      returning message_id
    ), calls as (
      delete from attempts where application_id = ${applicationId} and message_id in (select message_id from gone)
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
