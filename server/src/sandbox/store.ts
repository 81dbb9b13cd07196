/** All SQL of the sandbox. */
import type { Channel } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import { type Column, relation, sql } from '../platform/sql.ts';
import type { ChannelReactions, Reaction } from './reaction.ts';

/** One hand-over to the network, with the reaction that holds unless the application has set a script. */
export interface HandOver {
  applicationId: string;
  recipient: string;
  messageId: string;
  channel: Channel;
  language: string;
  step: number;
  attempt: number;
  segments: number | null;
  sealed: Buffer;
  reaction: Reaction;
}

export interface HandedOver {
  number: string;
  handOver: Reaction['handOver'];
  errorCode: ErrorCode;
  receipt: Reaction['receipt'];
  receiptErrorCode: ErrorCode;
  receiptAfterMs: number;
  receiptBeforeAnswer: boolean;
}

// Reactions that come without a script differ in these columns alone.
const handOverColumns: Record<string, Column<HandOver>> = {
  application_id: ['bigint', (item) => item.applicationId],
  recipient: ['text', (item) => item.recipient],
  message_id: ['bigint', (item) => item.messageId],
  channel: ['text', (item) => item.channel],
  language: ['text', (item) => item.language],
  step: ['smallint', (item) => item.step],
  attempt: ['smallint', (item) => item.attempt],
  segments: ['smallint', (item) => item.segments],
  content: ['bytea', (item) => item.sealed],
  hand_over: ['text', (item) => item.reaction.handOver],
  error_code: ['integer', (item) => item.reaction.errorCode],
  receipt: ['text', (item) => item.reaction.receipt],
  receipt_error_code: ['integer', (item) => item.reaction.receiptErrorCode],
  receipt_after_ms: ['integer', (item) => item.reaction.receiptAfterMs],
};

/**
 * Puts the messages on the handsets and plans their receipts, as the scripts in force say, in one statement; tells the other
 * nodes once. Never looks whether a message came before: a double send must be seen.
 */
export async function handOver(db: Queryable, items: readonly HandOver[], watched: string): Promise<HandedOver[]> {
  return db.query<HandedOver>(sql`
    with item as materialized (
      select i.*, nextval('handset_numbers') as number from (${relation(items, handOverColumns)}) as i
    ), plan as materialized (
      select i.application_id, i.recipient, i.message_id, i.channel, i.language, i.step, i.attempt, i.segments, i.content, i.ord,
        i.number, coalesce(s.hand_over, i.hand_over) as hand_over, coalesce(s.error_code, i.error_code) as error_code,
        coalesce(s.lost, false) as lost, coalesce(s.arrive_after_ms, 0) as arrive_after_ms,
        coalesce(s.receipt, i.receipt) as receipt, coalesce(s.receipt_error_code, i.receipt_error_code) as receipt_error_code,
        coalesce(s.receipt_after_ms, i.receipt_after_ms) as receipt_after_ms, coalesce(s.receipt_times, 1) as receipt_times,
        coalesce(s.receipt_before_answer, false) as receipt_before_answer
      from item i left join handset_scripts s
        on s.application_id = i.application_id and s.recipient = i.recipient and s.channel = i.channel
          and s.set_at > clock_now() - interval '24 hours'
    ), received as (
      insert into handset_messages
        (application_id, recipient, received_at, number, message_id, channel, language, step, attempt, segments, content)
      select application_id, recipient, clock_now() + arrive_after_ms * interval '1 millisecond', number, message_id, channel,
        language, step, attempt, segments, content
      from plan where hand_over in ('accept', 'no_answer') and not lost
    ), planned as (
      -- Whole milliseconds: a time that has been through JavaScript must still find its row.
      insert into handset_receipts (due_at, first_due_at, number, error_code, times_left)
      select due_at, due_at, number,
        case when receipt = 'undelivered' then receipt_error_code end, receipt_times
      from plan, date_trunc('milliseconds', clock_now() + receipt_after_ms * interval '1 millisecond') as due_at
      where hand_over in ('accept', 'no_answer') and receipt <> 'none'
    ), told as materialized (select pg_notify('handsets', ${watched}))
    select number, hand_over as "handOver", error_code as "errorCode", receipt, receipt_error_code as "receiptErrorCode",
      receipt_after_ms as "receiptAfterMs", receipt_before_answer as "receiptBeforeAnswer"
    from plan cross join told order by ord`);
}

export interface DueReceipt {
  number: string;
  dueAt: Date;
  errorCode: ErrorCode | null;
}

/** Takes receipts that are due, for `leaseSeconds`; what is not finished by then is claimed again, here or by another node. */
export async function claimReceipts(db: Queryable, limit: number, leaseSeconds: number): Promise<DueReceipt[]> {
  return db.query<DueReceipt>(sql`
    update handset_receipts r set claimed_until = clock_now() + ${leaseSeconds} * interval '1 second'
    from (
      select due_at, number from handset_receipts
      where due_at <= clock_now() and (claimed_until is null or claimed_until <= clock_now())
      order by due_at, number limit ${limit} for update skip locked
    ) as due
    where r.due_at = due.due_at and r.number = due.number
    returning r.number, r.due_at as "dueAt", r.error_code as "errorCode"`);
}

export interface ReportedReceipt extends DueReceipt {
  /** Whether the platform took it. */
  taken: boolean;
}

const reportColumns: Record<string, Column<ReportedReceipt>> = {
  number: ['bigint', (report) => report.number],
  due_at: ['timestamptz', (report) => report.dueAt],
  taken: ['boolean', (report) => report.taken],
};

/**
 * What was taken is gone, or due again at once while duplicates are scripted; what was not comes again after 100 ms, doubling
 * to a minute, and is given up a day after it was due first.
 */
export async function settleReceipts(db: Queryable, reports: readonly ReportedReceipt[]): Promise<void> {
  await db.query(sql`
    with result as materialized (
      select r.due_at, r.number, p.taken, case when p.taken then r.times_left = 1
        else r.first_due_at <= clock_now() - interval '24 hours' end as ends
      from (${relation(reports, reportColumns)}) as p
      join handset_receipts r on r.due_at = p.due_at and r.number = p.number
    ), ended as (
      delete from handset_receipts r using result p where r.due_at = p.due_at and r.number = p.number and p.ends
    )
    update handset_receipts r set
      claimed_until = null,
      times_left = r.times_left - p.taken::int,
      tries = case when p.taken then 0 else least(r.tries + 1, 100) end,
      due_at = date_trunc('milliseconds', clock_now() + case when p.taken then interval '0'
        else least(power(2, least(r.tries, 20)) * interval '100 milliseconds', interval '1 minute') end)
    from result p where r.due_at = p.due_at and r.number = p.number and not p.ends`);
}

/** Milliseconds until a receipt nobody has claimed is due, 0 for overdue ones; null when there is none. */
export async function nextReceiptInMs(db: Queryable): Promise<number | null> {
  const [row] = await db.query<{ ms: number | null }>(sql`
    select greatest(0, extract(epoch from due_at - clock_now()) * 1000)::float8 as ms
    from handset_receipts where claimed_until is null order by due_at limit 1`);
  return row?.ms ?? null;
}

export interface HandsetRow {
  message_id: string;
  channel: Channel;
  language: string;
  step: number;
  attempt: number;
  segments: number | null;
  received_at: Date;
  content: Buffer;
}

/** What a handset shows, newest first: only messages with an id above `after`, nothing older than 24 hours. */
export async function listHandset(
  db: Queryable,
  applicationId: string,
  recipient: string,
  { after, limit }: { after: string; limit: number },
): Promise<HandsetRow[]> {
  return db.query<HandsetRow>(sql`
    select message_id, channel, language, step, attempt, segments, received_at, content from handset_messages
    where application_id = ${applicationId} and recipient = ${recipient}
      and received_at > clock_now() - interval '24 hours' and received_at <= clock_now() and message_id > ${after}
    order by received_at desc, number desc limit ${limit}`);
}

/** Milliseconds until the next message under way to a handset arrives; null when none is. */
export async function nextArrivalInMs(db: Queryable, applicationId: string, recipient: string): Promise<number | null> {
  const [row] = await db.query<{ ms: number | null }>(sql`
    select (extract(epoch from min(received_at) - clock_now()) * 1000)::float8 as ms from handset_messages
    where application_id = ${applicationId} and recipient = ${recipient} and received_at > clock_now()`);
  return row?.ms ?? null;
}

interface ScriptRow extends Reaction {
  channel: Channel;
}

const scriptColumns: Record<string, Column<ScriptRow>> = {
  channel: ['text', (row) => row.channel],
  hand_over: ['text', (row) => row.handOver],
  error_code: ['integer', (row) => row.errorCode],
  lost: ['boolean', (row) => row.lost],
  arrive_after_ms: ['integer', (row) => row.arriveAfterMs],
  receipt: ['text', (row) => row.receipt],
  receipt_error_code: ['integer', (row) => row.receiptErrorCode],
  receipt_after_ms: ['integer', (row) => row.receiptAfterMs],
  receipt_times: ['smallint', (row) => row.receiptTimes],
  receipt_before_answer: ['boolean', (row) => row.receiptBeforeAnswer],
};

/** Replaces the script of a recipient: channels not named are ordinary again. */
export async function saveScript(
  db: Queryable,
  applicationId: string,
  recipient: string,
  channels: ChannelReactions,
): Promise<void> {
  const rows = Object.entries(channels).map(([channel, reaction]) => ({ ...reaction, channel: channel as Channel }));
  const names = rows.map((row) => row.channel);
  await db.query(sql`
    with gone as (
      delete from handset_scripts
      where application_id = ${applicationId} and recipient = ${recipient} and channel <> all(${names}::text[])
    )
    insert into handset_scripts (application_id, recipient, channel, hand_over, error_code, lost, arrive_after_ms, receipt,
      receipt_error_code, receipt_after_ms, receipt_times, receipt_before_answer)
    select ${applicationId}, ${recipient}, channel, hand_over, error_code, lost, arrive_after_ms, receipt, receipt_error_code,
      receipt_after_ms, receipt_times, receipt_before_answer
    from (${relation(rows, scriptColumns)}) as script
    on conflict (application_id, recipient, channel) do update set
      hand_over = excluded.hand_over, error_code = excluded.error_code, lost = excluded.lost,
      arrive_after_ms = excluded.arrive_after_ms, receipt = excluded.receipt,
      receipt_error_code = excluded.receipt_error_code, receipt_after_ms = excluded.receipt_after_ms,
      receipt_times = excluded.receipt_times, receipt_before_answer = excluded.receipt_before_answer,
      set_at = excluded.set_at`);
}

export async function deleteScript(db: Queryable, applicationId: string, recipient: string): Promise<void> {
  await db.query(sql`delete from handset_scripts where application_id = ${applicationId} and recipient = ${recipient}`);
}

/** The script in force, empty where there is none. */
export async function findScript(db: Queryable, applicationId: string, recipient: string): Promise<ChannelReactions> {
  const rows = await db.query<ScriptRow>(sql`
    select channel, hand_over as "handOver", error_code as "errorCode", lost, arrive_after_ms as "arriveAfterMs", receipt,
      receipt_error_code as "receiptErrorCode", receipt_after_ms as "receiptAfterMs", receipt_times as "receiptTimes",
      receipt_before_answer as "receiptBeforeAnswer"
    from handset_scripts
    where application_id = ${applicationId} and recipient = ${recipient} and set_at > clock_now() - interval '24 hours'`);
  return Object.fromEntries(rows.map(({ channel, ...reaction }) => [channel, reaction]));
}

/** Counts one request of today; never counts beyond `limit` + 1, which is the answer "over". */
export async function countOne(
  db: Queryable,
  caller: Buffer,
  limit: number,
): Promise<{ used: number; secondsToReset: number }> {
  const [row] = await db.query<{ used: number; secondsToReset: number }>(sql`
    with today as (select (clock_now() at time zone 'utc')::date as day, clock_now() at time zone 'utc' as at)
    insert into sandbox_quotas as q (caller, day, used) select ${caller}, day, 1 from today
    on conflict (caller) do update set
      day = excluded.day,
      used = case when q.day = excluded.day then least(q.used + 1, ${limit}::int + 1) else 1 end
    returning used, (select extract(epoch from (day + 1)::timestamp - at)::float8 from today) as "secondsToReset"`);
  if (!row) throw new Error('an upsert answers one row');
  return row;
}

/** Removes up to `limit` rows of each kind that are older than 24 hours; resolves with how many were removed. */
export async function deleteOld(db: Queryable, limit: number): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with messages as (
      delete from handset_messages where ctid = any(array(
        select ctid from handset_messages where received_at <= clock_now() - interval '24 hours' limit ${limit}))
      returning 1
    ), scripts as (
      delete from handset_scripts where ctid = any(array(
        select ctid from handset_scripts where set_at <= clock_now() - interval '24 hours' limit ${limit}))
      returning 1
    ), quotas as (
      delete from sandbox_quotas where ctid = any(array(
        select ctid from sandbox_quotas where day < (clock_now() at time zone 'utc')::date - 1 limit ${limit}))
      returning 1
    )
    select ((select count(*) from messages) + (select count(*) from scripts) + (select count(*) from quotas))::int as removed`);
  return row?.removed ?? 0;
}
