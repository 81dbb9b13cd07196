/** All SQL on what is to be posted, and what notes a try. Times are counted from `clock_now()`. */
import { type LedgerRow, ledgerEntries, toEntry } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Told } from './body.ts';
import type { Verdict } from './judge.ts';

/** One event for one endpoint. */
export interface RowKey {
  endpointId: string;
  applicationId: string;
  /** '0' for events of no message. */
  messageId: string;
  /** Of the event in the ledger. */
  position: string;
  eventId: string;
  status: string;
}

export interface QueuedRow extends RowKey {
  tries: number;
  replayed: boolean;
  /** As posted before; then nothing may be added to it. */
  body: string | null;
  /** The other rows of the batch that `body` holds. */
  others: RowKey[];
  /** Null when the event is no longer in the ledger. */
  told: Told | null;
  /** An earlier event of the message is to be tried later than now. */
  blocked: boolean;
}

export interface Want {
  endpointId: string;
  rows: number;
}

interface FetchedRow extends LedgerRow {
  endpoint_id: string;
  q_application_id: string;
  q_message_id: string;
  q_position: string;
  q_status: string;
  event_id: string;
  tries: number;
  replayed: boolean;
  body: string | null;
  others: { application_id: string; message_id: string; position: string; event_id: string; status: string }[] | null;
  blocked: boolean;
  recipient: string | null;
  template_id: string;
  custom_args: Record<string, string> | null;
  created_at: Date;
  expires_at: Date | null;
}

/** Due rows of each endpoint, oldest first, without those held already. `facts` is the relation of messages. */
export async function listDue(
  db: Queryable,
  facts: Sql,
  wants: readonly Want[],
  held: readonly string[],
): Promise<QueuedRow[]> {
  const asked = relation(wants, {
    endpoint_id: ['bigint', (want) => want.endpointId],
    rows: ['integer', (want) => want.rows],
  });
  const rows = await db.query<FetchedRow>(sql`
    select q.endpoint_id, q.application_id as q_application_id, q.message_id as q_message_id, q.position as q_position,
      q.status as q_status, q.event_id, q.tries, q.replayed, q.body, q.blocked, q.others,
      e.*, m.recipient, m.template_id, m.custom_args, m.created_at, m.expires_at
    from (${asked}) as want
    cross join lateral (
      select *,
        message_id <> 0 and exists (select from callback_queue before where before.endpoint_id = due.endpoint_id
          and before.message_id = due.message_id and before.position < due.position and before.due_at > clock_now()) as blocked,
        case when batch is not null then (
          select json_agg(json_build_object('application_id', other.application_id::text, 'message_id', other.message_id::text,
            'position', other.position::text, 'event_id', other.event_id::text, 'status', other.status) order by other.position)
          from callback_queue other where other.endpoint_id = due.endpoint_id and other.batch = due.batch
            and other.position <> due.position) end as others
      from (
        select * from callback_queue where endpoint_id = want.endpoint_id and due_at <= clock_now()
          and position <> all (${held}::bigint[])
        order by due_at, position limit want.rows
      ) due
    ) q
    left join (${ledgerEntries()}) e
      on e.application_id = q.application_id and e.message_id = q.message_id and e.position = q.position
    left join (${facts}) m on q.message_id <> 0 and m.application_id = q.application_id and m.message_id = q.message_id
    order by q.endpoint_id, q.due_at, q.position`);
  return rows.map(toQueued);
}

function toQueued(row: FetchedRow): QueuedRow {
  const entry = row.position === null || row.status === null ? null : toEntry(row);
  const message =
    row.recipient === null
      ? null
      : {
          to: row.recipient,
          templateId: row.template_id,
          customArgs: row.custom_args,
          createdAt: row.created_at,
          expiresAt: row.expires_at,
        };
  return {
    endpointId: row.endpoint_id,
    applicationId: row.q_application_id,
    messageId: row.q_message_id,
    position: row.q_position,
    eventId: row.event_id,
    status: row.q_status,
    tries: row.tries,
    replayed: row.replayed,
    body: row.body,
    blocked: row.blocked,
    others: (row.others ?? []).map((other) => ({
      endpointId: row.endpoint_id,
      applicationId: other.application_id,
      messageId: other.message_id,
      position: other.position,
      eventId: other.event_id,
      status: other.status,
    })),
    told: entry && { entry: { ...entry, status: row.q_status }, message },
  };
}

/** The outcome of one post, for every row it carried. */
export interface Settled {
  rows: readonly RowKey[];
  /** The try this was, from 1. */
  tries: number;
  verdict: Verdict;
  latencyMs: number;
  body: string;
  /** Whether later events of its messages may have been put off because of it. */
  heldUp: boolean;
}

interface DoneRow extends RowKey {
  settled: Settled;
  /** The row that carries the body and the time of the next try. */
  first: boolean;
}

const keyColumns = {
  endpoint_id: ['bigint', (row: RowKey) => row.endpointId],
  application_id: ['bigint', (row: RowKey) => row.applicationId],
  message_id: ['bigint', (row: RowKey) => row.messageId],
  position: ['bigint', (row: RowKey) => row.position],
  event_id: ['bigint', (row: RowKey) => row.eventId],
  status: ['text', (row: RowKey) => row.status],
} as const;

const doneColumns = {
  ...keyColumns,
  first: ['boolean', (row: DoneRow) => row.first],
  held_up: ['boolean', ({ settled }: DoneRow) => settled.heldUp],
  try: ['smallint', ({ settled }: DoneRow) => settled.tries],
  carried: ['smallint', ({ settled }: DoneRow) => settled.rows.length],
  outcome: ['text', ({ settled }: DoneRow) => settled.verdict.outcome],
  http_status: ['smallint', ({ settled }: DoneRow) => settled.verdict.httpStatus],
  detail: ['text', ({ settled }: DoneRow) => settled.verdict.detail],
  response: ['text', ({ settled }: DoneRow) => settled.verdict.response],
  latency_ms: ['integer', ({ settled }: DoneRow) => settled.latencyMs],
  next_in_ms: ['bigint', ({ settled }: DoneRow) => settled.verdict.nextInMs],
  body: [
    'text',
    ({ settled, first }: DoneRow) => (first && settled.verdict.outcome !== 'accepted' ? settled.body : null),
  ],
} as const;

const sameRow = raw('q.endpoint_id = d.endpoint_id and q.message_id = d.message_id and q.position = d.position');

/**
 * Writes down what came of posts: an accepted row is gone, a failed one waits or is given up, and the later events of its message
 * wait with it or go on. What was put back into the queue meanwhile by a replay loses nothing: it is the same event.
 */
export async function settle(db: Queryable, posts: readonly Settled[]): Promise<void> {
  const done = posts.flatMap((settled) => settled.rows.map((row, i): DoneRow => ({ ...row, settled, first: i === 0 })));
  await db.query(sql`
    with done as materialized (${relation(done, doneColumns)}),
    gone as (
      delete from callback_queue q using done d where d.outcome = 'accepted' and ${sameRow}
    ),
    kept as (
      update callback_queue q set tries = d.try, body = coalesce(q.body, d.body),
        due_at = case d.outcome when 'retry' then
          case when d.first then clock_now() + d.next_in_ms * interval '1 millisecond' else 'infinity' end end,
        given_up_at = case d.outcome when 'given_up' then clock_now() end
      from done d where d.outcome <> 'accepted' and ${sameRow}
    ),
    later as (
      update callback_queue q
      set due_at = case d.outcome when 'retry' then clock_now() + d.next_in_ms * interval '1 millisecond' else clock_now() end
      from done d where (d.held_up or d.outcome = 'retry') and d.message_id <> 0
        and q.endpoint_id = d.endpoint_id and q.message_id = d.message_id and q.position > d.position
        and q.due_at is not null and q.batch is null
        and not exists (select from done x where x.endpoint_id = q.endpoint_id and x.message_id = q.message_id and x.position = q.position)
    )
    insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try, rows, outcome,
      http_status, detail, response, latency_ms, next_at)
    select endpoint_id, application_id, message_id, position, event_id, status, try, carried, outcome, http_status, detail, response,
      latency_ms, clock_now() + next_in_ms * interval '1 millisecond'
    from done order by ord`);
}

/** Puts rows off to the time of the latest try that an earlier event of their message waits for. */
export async function putOff(db: Queryable, rows: readonly RowKey[]): Promise<void> {
  await db.query(sql`
    update callback_queue q set due_at = before.until
    from (${relation(rows, keyColumns)}) d cross join lateral (
      select max(b.due_at) as until from callback_queue b
      where b.endpoint_id = d.endpoint_id and b.message_id = d.message_id and b.position < d.position and b.due_at > clock_now()
    ) before
    where ${sameRow} and q.due_at is not null and before.until is not null`);
}

/** What can no longer be told is not posted: its message is forgotten. */
export async function dropRows(db: Queryable, rows: readonly RowKey[]): Promise<void> {
  await db.query(sql`
    delete from callback_queue q using (${relation(rows, keyColumns)}) d where ${sameRow}`);
}

/** Keeps a batch together before its first try, so that its id never stands for another body. */
export async function keepBatch(db: Queryable, rows: readonly RowKey[], body: string): Promise<void> {
  const [first] = rows;
  await db.query(sql`
    update callback_queue q set batch = ${first?.position ?? null}::bigint,
      due_at = case when d.ord = 1 then q.due_at else 'infinity' end, body = case when d.ord = 1 then ${body} end
    from (${relation(rows, keyColumns)}) d where ${sameRow} and q.due_at is not null`);
}
