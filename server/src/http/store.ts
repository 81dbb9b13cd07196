/** All SQL of the front door: table idempotency_keys. Claiming is one statement, so of many equal requests exactly one wins. */
import type { Queryable } from '../platform/db.ts';
import { relation, type Sql, sql } from '../platform/sql.ts';

export interface Claim {
  applicationId: string;
  key: string;
  /** UUID of this claim. */
  ticket: string;
  requestHash: Buffer;
}

export interface HeldKey {
  ticket: string;
  request_hash: Buffer;
  /** Sealed; an object where it was kept before answers were sealed. Null while the request is under way. */
  answer: string | object | null;
}

const claimColumns = {
  application_id: ['bigint', (claim: Claim) => claim.applicationId],
  key: ['text', (claim: Claim) => claim.key],
  ticket: ['uuid', (claim: Claim) => claim.ticket],
  request_hash: ['bytea', (claim: Claim) => claim.requestHash],
} as const;

/**
 * Takes every key that is free (unknown, older than 24 hours, or held for the same request by a claim whose lock lapsed) and
 * returns, in the order of `claims`, who holds each key afterwards. A key that is not free is written as it stood: only a
 * written row is returned as it is now, not as it was when the statement began. Keys of one call must differ.
 */
export async function claimKeys(db: Queryable, claims: readonly Claim[]): Promise<HeldKey[]> {
  return db.query<HeldKey>(sql`
    with asked as (${relation(claims, claimColumns)}),
    held as (
      insert into idempotency_keys as had (application_id, key, ticket, request_hash, locked_until, created_at)
      select application_id, key, ticket, request_hash, clock_now() + interval '60 seconds', clock_now()
      from asked
      -- One order for all, so that two statements never wait for each other.
      order by application_id, key
      on conflict (application_id, key) do update
      set (ticket, request_hash, answer, locked_until, created_at) = (
        select
          case when free then excluded.ticket else had.ticket end,
          case when free then excluded.request_hash else had.request_hash end,
          case when free then null else had.answer end,
          case when free then excluded.locked_until else had.locked_until end,
          case when free then excluded.created_at else had.created_at end
        from (
          select had.created_at <= clock_now() - interval '24 hours'
            or (had.answer is null and had.locked_until <= clock_now() and had.request_hash = excluded.request_hash) as free
        ) as state
      )
      returning application_id, key, ticket, request_hash, answer
    )
    select held.ticket, held.request_hash, held.answer
    from asked join held using (application_id, key)
    order by asked.ord`);
}

/** Frees the keys of claims that had no effect. */
export async function releaseKeys(db: Queryable, claims: readonly Claim[]): Promise<void> {
  await db.query(sql`
    delete from idempotency_keys as held
    using (${relation(claims, claimColumns)}) as asked
    where held.application_id = asked.application_id and held.key = asked.key
      and held.ticket = asked.ticket and held.answer is null`);
}

export interface Finished {
  claim: Claim;
  /** Sealed. */
  answer: string;
}

/** Stores answers of claims that still hold their keys. */
export async function finishKeys(db: Queryable, finished: readonly Finished[]): Promise<void> {
  const rows = relation(finished, {
    application_id: ['bigint', ({ claim }) => claim.applicationId],
    key: ['text', ({ claim }) => claim.key],
    ticket: ['uuid', ({ claim }) => claim.ticket],
    answer: ['jsonb', ({ answer }) => answer],
  });
  await db.query(sql`
    update idempotency_keys as held
    set answer = done.answer
    from (${rows}) as done
    where held.application_id = done.application_id and held.key = done.key
      and held.ticket = done.ticket and held.answer is null`);
}

/**
 * Body of a data-modifying CTE that stores answers in the statement of a deed. `rows` selects application_id, idempotency_key and
 * answer (jsonb: the string that the ticket's `seal` made); rows with a null key are passed over. It returns the keys it stored: a
 * key that is missing there was answered by another process meanwhile, and the deed must not commit.
 */
export function finishRows(rows: Sql): Sql {
  return sql`
    update idempotency_keys as held
    set answer = done.answer
    from (${rows}) as done
    where held.application_id = done.application_id and held.key = done.idempotency_key and held.answer is null
    returning held.application_id, held.key`;
}

/** Stores one answer inside a transaction; false when another process answered meanwhile. */
export async function finishKey(
  tx: Queryable,
  { applicationId, key, answer }: { applicationId: string; key: string; answer: string },
): Promise<boolean> {
  const rows = relation([answer], {
    application_id: ['bigint', () => applicationId],
    idempotency_key: ['text', () => key],
    answer: ['jsonb', (value) => value],
  });
  return (await tx.query(finishRows(rows))).length === 1;
}

/** Deletes up to `limit` keys past their 24 hours and returns how many there were. */
export async function deleteExpiredKeys(db: Queryable, limit: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(sql`
    with gone as (
      delete from idempotency_keys where (application_id, key) in (
        select application_id, key from idempotency_keys
        where created_at <= clock_now() - interval '24 hours'
        order by created_at
        limit ${limit}
        for update skip locked
      )
      returning 1
    )
    select count(*)::int as count from gone`);
  return row?.count ?? 0;
}
