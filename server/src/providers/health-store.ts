/** The statements on what nodes see of their providers, and on what adapters have seen once. */
import type { Queryable } from '../platform/db.ts';
import { type Column, relation, sql } from '../platform/sql.ts';
import type { Circuit } from './circuit.ts';

export interface HealthRow {
  provider: string;
  node: string;
  opened: boolean;
  circuit: Circuit['kind'];
  since: Date;
  /** Why it is not opened, or not closed. */
  reason: string | null;
  calls: number;
  errors: number;
}

const healthColumns: Record<string, Column<HealthRow>> = {
  provider: ['text', (row) => row.provider],
  node: ['text', (row) => row.node],
  opened: ['boolean', (row) => row.opened],
  circuit: ['text', (row) => row.circuit],
  since: ['timestamptz', (row) => row.since],
  reason: ['text', (row) => row.reason],
  calls: ['integer', (row) => row.calls],
  errors: ['integer', (row) => row.errors],
};

/** Providers deleted meanwhile are passed over. */
export async function saveHealth(db: Queryable, rows: readonly HealthRow[]): Promise<void> {
  await db.query(sql`
    insert into provider_health (provider, node, opened, circuit, since, reason, calls, errors)
    select h.provider, h.node, h.opened, h.circuit, h.since, h.reason, h.calls, h.errors
    from (${relation(rows, healthColumns)}) as h join providers p on p.id = h.provider
    on conflict (provider, node) do update set opened = excluded.opened, circuit = excluded.circuit,
      since = excluded.since, reason = excluded.reason, calls = excluded.calls, errors = excluded.errors,
      updated_at = excluded.updated_at`);
}

export interface SeenHealth extends HealthRow {
  updatedAt: Date;
}

/** As the live nodes see it; of one provider or of all. */
export async function listHealth(db: Queryable, provider: string | null, withinSeconds: number): Promise<SeenHealth[]> {
  return db.query<SeenHealth>(sql`
    select provider, node, opened, circuit, since, reason, calls, errors, updated_at as "updatedAt" from provider_health
    where (${provider}::text is null or provider = ${provider})
      and updated_at > clock_now() - ${withinSeconds} * interval '1 second'
    order by provider, node`);
}

/** The worst that live nodes see of each provider there is; null where none says anything. */
export interface WorstHealth {
  provider: string;
  circuit: Circuit['kind'] | null;
  reason: string | null;
}

export async function listWorstHealth(db: Queryable, withinSeconds: number): Promise<WorstHealth[]> {
  return db.query<WorstHealth>(sql`
    select p.id as provider, h.circuit, h.reason from providers p left join lateral (
      select circuit, reason from provider_health
      where provider = p.id and opened and updated_at > clock_now() - ${withinSeconds} * interval '1 second'
      order by case circuit when 'open' then 0 when 'half_open' then 1 else 2 end limit 1) h on true
    order by p.id`);
}

export async function deleteHealthOf(db: Queryable, node: string): Promise<void> {
  await db.query(sql`delete from provider_health where node = ${node}`);
}

/** True for the first caller until the mark expires. */
export async function mark(db: Queryable, provider: string, keyHash: Buffer, rememberMs: number): Promise<boolean> {
  const rows = await db.query<{ provider: string }>(sql`
    insert into hook_marks as m (provider, key_hash, expires_at)
    values (${provider}, ${keyHash}, clock_now() + ${rememberMs} * interval '1 millisecond')
    on conflict (provider, key_hash) do update set expires_at = excluded.expires_at
      where m.expires_at <= clock_now()
    returning m.provider`);
  return rows.length > 0;
}

/** Removes up to `limit` marks that expired, and what nodes saw that are long gone. */
export async function sweep(db: Queryable, limit: number, goneSeconds: number): Promise<void> {
  await db.query(sql`
    with marks as (
      delete from hook_marks where ctid = any(array(
        select ctid from hook_marks where expires_at <= clock_now() limit ${limit})))
    delete from provider_health where updated_at <= clock_now() - ${goneSeconds} * interval '1 second'`);
}
