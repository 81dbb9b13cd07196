/**
 * All SQL on verifications. The check locks the target's row, then the verification, then its deliveries: one order everywhere.
 */
import type { Queryable } from '../platform/db.ts';
import { type Column, raw, type Sql, sql } from '../platform/sql.ts';

export type VerificationState = 'pending' | 'verified' | 'exhausted' | 'expired' | 'cancelled' | 'superseded';

/** The verification part of one accepted send. */
export interface VerificationRow {
  /** Equal to the message id for a new verification; another one when the message joins a living verification. */
  verificationId: string;
  codeHash: Buffer;
  codeType: number;
  /** Codes that stay valid beside the new one: 0 replaces all (rotate), null adds no code (reuse). */
  keepCodes: number | null;
  purpose: string | null;
  maxAttempts: number;
}

type Carrier = { verification: VerificationRow | null };

/** To be merged into the input relation of the accepting statement; all null where nothing is to be checked. */
export const verificationColumns: Record<string, Column<Carrier>> = {
  verification_id: ['bigint', ({ verification }) => verification?.verificationId ?? null],
  code_hash: ['bytea', ({ verification }) => verification?.codeHash ?? null],
  code_type: ['smallint', ({ verification }) => verification?.codeType ?? null],
  keep_codes: ['integer', ({ verification }) => verification?.keepCodes ?? null],
  purpose: ['text', ({ verification }) => verification?.purpose ?? null],
  max_attempts: ['smallint', ({ verification }) => verification?.maxAttempts ?? null],
};

/**
 * Clauses of the accepting statement. `accepted` has the columns above and application_id, message_id, target, template_id,
 * counted, ttl_ms, target_attempts, target_window_seconds, previous_verification_id. Makes the clauses `superseded` (application_id,
 * message_id and message_ids of ended ones), `issued`, `joined` (application_id and message_ids, the new one among them), `mapped`.
 */
export function acceptVerifications(accepted: Sql): Sql {
  const expiry = raw(`clock_now() + a.ttl_ms * interval '1 millisecond'`);
  return sql`superseded as (
    update verifications v set state = 'superseded', ended_at = clock_now(), code_hashes = '{}', code_expiries = '{}'
    from ${accepted} a
    where v.application_id = a.application_id and v.id = a.previous_verification_id and v.id is distinct from a.verification_id
      -- Not "state = 'pending' and expires_at > …": the index of what is to expire, which holds every living code, would serve that.
      and v.ended_at is null and v.expires_at - clock_now() > interval '0'
    returning v.application_id, v.message_ids[cardinality(v.message_ids)] as message_id, v.message_ids
  ), issued as (
    insert into verifications (application_id, id, target, template_id, purpose, code_type, code_hashes, code_expiries, expires_at,
      max_attempts, target_attempts, target_window, counted, message_ids)
    select a.application_id, a.verification_id, a.target, a.template_id, a.purpose, a.code_type, array[a.code_hash], array[${expiry}], ${expiry},
      a.max_attempts, a.target_attempts, a.target_window_seconds * interval '1 second', a.counted, array[a.message_id]
    from ${accepted} a where a.verification_id = a.message_id
  ), joined as (
    update verifications v set message_ids = v.message_ids || a.message_id,
      code_hashes = case when a.keep_codes is null then v.code_hashes
        else v.code_hashes[cardinality(v.code_hashes) - a.keep_codes + 1:] || a.code_hash end,
      code_expiries = case when a.keep_codes is null then v.code_expiries
        else v.code_expiries[cardinality(v.code_expiries) - a.keep_codes + 1:] || ${expiry} end,
      expires_at = case when a.keep_codes is null then v.expires_at
        else greatest(${expiry}, (select max(e) from unnest(v.code_expiries[cardinality(v.code_expiries) - a.keep_codes + 1:]) e)) end
    from ${accepted} a where v.application_id = a.application_id and v.id = a.verification_id and a.verification_id <> a.message_id
    returning v.application_id, v.message_ids
  ), mapped as (
    insert into verification_messages (application_id, message_id, verification_id)
    select application_id, message_id, verification_id from ${accepted} a where a.verification_id <> a.message_id
  )`;
}

export interface VerificationView {
  id: string;
  state: VerificationState;
  attempts: number;
  attemptsRemaining: number;
  purpose: string | null;
  codeType: number;
  maxAttempts: number;
  messageIds: string[];
  expiresAt: Date;
  /** Milliseconds to `expiresAt` by the database's clock. */
  leftMs: number;
  target: string;
  /** Null where wrong codes do not count toward the target. */
  targetBudget: { attempts: number; windowSeconds: number } | null;
  verifiedAt: Date | null;
}

const idOf = (
  applicationId: string,
  messageId: string,
): Sql => sql`coalesce((select m.verification_id from verification_messages m
  where m.application_id = ${applicationId}::bigint and m.message_id = ${messageId}::bigint), ${messageId}::bigint)`;

/** The verification a message belongs to. A pending one past its expiry reads as expired. */
export async function findVerification(
  db: Queryable,
  applicationId: string,
  messageId: string,
): Promise<VerificationView | null> {
  const rows = await db.query<ViewRow>(sql`
    select id, case when state = 'pending' and expires_at <= clock_now() then 'expired' else state end as state, attempts, purpose,
      code_type, max_attempts, message_ids, expires_at, case when state = 'verified' then ended_at end as verified_at,
      (extract(epoch from expires_at - clock_now()) * 1000)::double precision as left_ms, target, counted, target_attempts,
      extract(epoch from target_window)::integer as target_window_seconds
    from verifications where application_id = ${applicationId} and id = ${idOf(applicationId, messageId)}`);
  const [row] = rows;
  return row ? viewOf(row) : null;
}

interface ViewRow {
  id: string;
  state: VerificationState;
  attempts: number;
  purpose: string | null;
  code_type: number;
  max_attempts: number;
  message_ids: string[];
  expires_at: Date;
  left_ms: number;
  target: string;
  counted: boolean;
  target_attempts: number;
  target_window_seconds: number;
  verified_at: Date | null;
}

const viewOf = (row: ViewRow): VerificationView => ({
  id: row.id,
  state: row.state,
  attempts: row.attempts,
  attemptsRemaining: row.state === 'pending' ? row.max_attempts - row.attempts : 0,
  purpose: row.purpose,
  codeType: row.code_type,
  maxAttempts: row.max_attempts,
  messageIds: row.message_ids,
  expiresAt: row.expires_at,
  leftMs: row.left_ms,
  target: row.target,
  targetBudget: row.counted ? { attempts: row.target_attempts, windowSeconds: row.target_window_seconds } : null,
  verifiedAt: row.verified_at,
});

/** For joins of list queries: application_id, id, state. */
export function verificationStates(): Sql {
  return sql`select application_id, id, case when state = 'pending' and expires_at <= clock_now() then 'expired' else state end as state from verifications`;
}

/** Relation of every message of each verification, oldest first: application_id, id, message_ids. */
export const verificationMessages = (): Sql => sql`select application_id, id, message_ids from verifications`;

/** Ends a pending verification; resolves with the ids of its messages, null when it was not pending any more. */
export async function cancelVerification(
  tx: Queryable,
  applicationId: string,
  verificationId: string,
): Promise<string[] | null> {
  const rows = await tx.query<{ message_ids: string[] }>(sql`
    update verifications set state = 'cancelled', ended_at = clock_now(), code_hashes = '{}', code_expiries = '{}'
    where application_id = ${applicationId} and id = ${verificationId} and state = 'pending' and expires_at > clock_now()
    returning message_ids`);
  return rows[0]?.message_ids ?? null;
}

/**
 * A resend with a new code, which lives `ttlMs`; the last `keepCodes` codes stay valid until their own expiry. Resolves with the
 * new code's expiry, null when the verification is not pending any more.
 */
export async function renewVerification(
  tx: Queryable,
  applicationId: string,
  verificationId: string,
  renewal: { codeHash: Buffer; keepCodes: number; ttlMs: number },
): Promise<Date | null> {
  const expiry = sql`(clock_now() + ${renewal.ttlMs}::bigint * interval '1 millisecond')`;
  const kept = sql`code_expiries[cardinality(code_expiries) - ${renewal.keepCodes}::integer + 1:]`;
  const rows = await tx.query<{ expires_at: Date }>(sql`
    update verifications set
      code_hashes = code_hashes[cardinality(code_hashes) - ${renewal.keepCodes}::integer + 1:] || ${renewal.codeHash}::bytea,
      code_expiries = ${kept} || ${expiry},
      expires_at = greatest(${expiry}, (select max(e) from unnest(${kept}) e))
    where application_id = ${applicationId} and id = ${verificationId} and state = 'pending' and expires_at > clock_now()
    returning ${expiry} as expires_at`);
  return rows[0]?.expires_at ?? null;
}

/** Ends what has run out, at most `limit`; resolves with the messages of each, oldest first. */
export async function expireDue(
  tx: Queryable,
  limit: number,
): Promise<{ applicationId: string; messageIds: string[] }[]> {
  const rows = await tx.query<{ application_id: string; message_ids: string[] }>(sql`
    update verifications v set state = 'expired', ended_at = v.expires_at, code_hashes = '{}', code_expiries = '{}'
    from (select application_id, id from verifications where state = 'pending' and expires_at <= clock_now()
      order by expires_at limit ${limit} for update skip locked) due
    where v.application_id = due.application_id and v.id = due.id
    returning v.application_id, v.message_ids`);
  return rows.map((row) => ({ applicationId: row.application_id, messageIds: row.message_ids }));
}

/** Removes up to `limit` verifications all of whose messages lie below the id; resolves with how many. */
export async function forgetVerifications(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from verifications where ctid = any(array(
        select ctid from verifications where application_id = ${applicationId} and id < ${belowId}
          and message_ids[cardinality(message_ids)] < ${belowId} limit ${limit}))
      returning message_ids
    ), maps as (
      delete from verification_messages where application_id = ${applicationId}
        and message_id in (select unnest(message_ids) from gone)
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
