/** All SQL on leases: which node posts to an endpoint. */
import { enabledEndpoints } from '../callbacks/index.ts';
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

export const leaseSeconds = 10;

export interface Held {
  id: string;
  version: number;
}

/** Prolongs what the holder has of enabled endpoints and resolves with it. What is missing in the answer was lost. */
export function renewLeases(db: Queryable, holder: string): Promise<Held[]> {
  return db.query<{ id: string; version: number }>(sql`
    update callback_leases l set expires_at = clock_now() + ${leaseSeconds} * interval '1 second'
    from (${enabledEndpoints()}) e where l.holder = ${holder} and e.id = l.endpoint_id
    returning e.id, e.version`);
}

/** Takes up to `limit` enabled endpoints that no live node holds. */
export function takeLeases(db: Queryable, holder: string, limit: number): Promise<Held[]> {
  return db.query<{ id: string; version: number }>(sql`
    with free as materialized (
      select e.id, e.version from (${enabledEndpoints()}) e left join callback_leases l on l.endpoint_id = e.id
      where l.endpoint_id is null or l.expires_at <= clock_now() order by e.id limit ${limit}
    ), taken as (
      insert into callback_leases as l (endpoint_id, holder, expires_at)
      select id, ${holder}, clock_now() + ${leaseSeconds} * interval '1 second' from free
      on conflict (endpoint_id) do update set holder = excluded.holder, expires_at = excluded.expires_at
        where l.expires_at <= clock_now()
      returning endpoint_id
    )
    select free.id, free.version from free join taken on taken.endpoint_id = free.id`);
}

export async function releaseLeases(db: Queryable, holder: string, ids: readonly string[]): Promise<void> {
  await db.query(sql`delete from callback_leases where holder = ${holder} and endpoint_id = any(${ids}::bigint[])`);
}

/** The channel on which nodes ask each other for their part. */
export const leasesAsked = 'callback_leases';

export async function askForLeases(db: Queryable): Promise<void> {
  await db.query(sql`select pg_notify(${leasesAsked}, '')`);
}

/** Where only one process can use the database, leases of others are of processes that are gone. */
export async function clearLeases(db: Queryable): Promise<void> {
  await db.query(sql`delete from callback_leases`);
}

export async function countEnabled(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    sql`select count(*)::integer as count from (${enabledEndpoints()}) e`,
  );
  return row?.count ?? 0;
}
