/** All SQL on parked receipts. */
import type { Receipt } from '../channels/index.ts';
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

/** How long a receipt waits for its attempt to become known. */
const keepSeconds = 300;

export async function insertParked(db: Queryable, provider: string, receipt: Receipt): Promise<void> {
  await db.query(sql`insert into parked_receipts (provider, receipt, look_at)
    values (${provider}, ${JSON.stringify(receipt)}::jsonb, clock_now() + interval '300 milliseconds')`);
}

export interface Parked {
  id: string;
  provider: string;
  receipt: Receipt;
}

/** Takes what is to be looked at now; it comes back by itself, later each time, unless it is removed. Removes what is too old. */
export async function claimParked(db: Queryable, limit: number): Promise<Parked[]> {
  const rows = await db.query<Parked & { old: boolean }>(sql`
    with due as materialized (
      select id from parked_receipts where look_at <= clock_now() order by look_at limit ${limit} for update skip locked
    ), gone as (
      delete from parked_receipts as p using due
      where p.id = due.id and p.parked_at <= clock_now() - ${keepSeconds} * interval '1 second'
    )
    update parked_receipts as p set look_at = clock_now() + least((clock_now() - p.parked_at) / 2, interval '30 seconds') + interval '300 milliseconds'
    from due where p.id = due.id and p.parked_at > clock_now() - ${keepSeconds} * interval '1 second'
    returning p.id, p.provider, p.receipt`);
  return rows;
}

export async function deleteParked(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(sql`delete from parked_receipts where id = any(${[...ids]}::bigint[])`);
}
