/**
 * The statements on providers; those on routes stand in route-store.ts. Every write tells the other nodes with pg_notify in its `returning`, so the word goes out
 * exactly when the change commits, and puts its line into the ledger. Changes name the version they read.
 */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { json, raw, type Sql, sql } from '../platform/sql.ts';
import type { Actor, Provider, ProviderTerms } from './records.ts';

export const changesChannel = 'providers';
export const told = sql`pg_notify(${raw(`'${changesChannel}'`)}, '') as told`;

interface ProviderRow {
  id: string;
  adapter: string;
  title: string;
  settings: Buffer;
  enabled: boolean;
  drained_until: Date | null;
  rate_per_second: string | null;
  concurrency: number;
  quiet_hours: Provider['quietHours'];
  circuit: Provider['circuit'];
  circuit_reset_at: Date | null;
  hook_token: Buffer;
  version: number;
  created_at: Date;
  updated_at: Date;
}
const providerColumns = raw(
  `id, adapter, title, settings, enabled, drained_until, rate_per_second, concurrency, quiet_hours, circuit,
  circuit_reset_at, hook_token, version, created_at, updated_at`,
);
const toProvider = (row: ProviderRow): Provider => ({
  id: row.id,
  adapter: row.adapter,
  title: row.title,
  settings: row.settings,
  enabled: row.enabled,
  drainedUntil: row.drained_until,
  ratePerSecond: row.rate_per_second === null ? null : Number(row.rate_per_second),
  concurrency: row.concurrency,
  quietHours: row.quiet_hours,
  circuit: row.circuit,
  circuitResetAt: row.circuit_reset_at,
  hookToken: row.hook_token,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** A line of the ledger about the installation, or about the application whose route it is. Nothing for the seed file. */
export function note(actor: Actor, action: string, applicationId: Sql, about: Sql, cause: string): Sql {
  return eventRows(sql`select ${applicationId} as application_id, 0::bigint as message_id, ${cause}::text as cause,
      null::text as status, null::integer as sequence, null::smallint as step, null::smallint as attempt,
      null::text as channel, null::integer as error_code,
      jsonb_build_object('action', ${action}::text, 'operator', jsonb_build_object('ip_address', ${actor?.ip ?? null}::text))
        || ${about} as data
    from changed where ${actor !== null}::boolean`);
}

async function changeProvider(db: Queryable, actor: Actor, action: string, write: Sql): Promise<Provider | null> {
  const about = raw(`jsonb_build_object('provider', id)`);
  const rows = await db.query<ProviderRow>(sql`
    with changed as (${write} returning ${providerColumns}, ${told}),
    event as (${note(actor, action, raw('0::bigint'), about, 'provider_managed')})
    select ${providerColumns} from changed`);
  return rows.map(toProvider)[0] ?? null;
}

export interface NewProvider extends ProviderTerms {
  id: string;
  adapter: string;
  settings: Buffer;
  hookToken: Buffer;
}

/** Null when there is one of this id already. */
export function insertProvider(db: Queryable, made: NewProvider, actor: Actor): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'create provider',
    sql`insert into providers (id, adapter, title, settings, enabled, rate_per_second, concurrency, quiet_hours, circuit, hook_token)
      values (${made.id}, ${made.adapter}, ${made.title}, ${made.settings}, ${made.enabled}, ${made.ratePerSecond},
        ${made.concurrency}, ${orNull(made.quietHours)}::jsonb, ${json(made.circuit)}::jsonb, ${made.hookToken})
      on conflict (id) do nothing`,
  );
}

const orNull = (value: object | null): string | null => (value === null ? null : json(value));

/** Null when it is no longer as `read`. Settings and token stay, byte for byte, where none are given. */
export function updateProvider(
  db: Queryable,
  read: Pick<Provider, 'id' | 'version'>,
  change: ProviderTerms & { settings: Buffer | null; hookToken: Buffer | null },
  actor: Actor,
): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'update provider',
    sql`update providers set title = ${change.title}, settings = coalesce(${change.settings}::bytea, settings),
        hook_token = coalesce(${change.hookToken}::bytea, hook_token),
        enabled = ${change.enabled}, rate_per_second = ${change.ratePerSecond}, concurrency = ${change.concurrency},
        quiet_hours = ${orNull(change.quietHours)}::jsonb, circuit = ${json(change.circuit)}::jsonb,
        version = version + 1, updated_at = clock_now()
      where id = ${read.id} and version = ${read.version}`,
  );
}

/** For so many seconds from now; 0 ends it. Null when there is no such provider, as below. */
export function drainProvider(db: Queryable, id: string, seconds: number, actor: Actor): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'drain provider',
    sql`update providers set version = version + 1, updated_at = clock_now(),
        drained_until = case when ${seconds}::integer > 0 then clock_now() + ${seconds}::integer * interval '1 second' end
      where id = ${id}`,
  );
}

export function resetCircuit(db: Queryable, id: string, actor: Actor): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'reset circuit',
    sql`update providers set circuit_reset_at = clock_now(), version = version + 1, updated_at = clock_now()
      where id = ${id}`,
  );
}

/** Null when there is no such provider or a route uses it. */
export function deleteProvider(db: Queryable, id: string, actor: Actor): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'delete provider',
    sql`delete from providers where id = ${id} and not exists (select 1 from route_entries where provider = ${id})`,
  );
}

export async function findProvider(db: Queryable, id: string): Promise<Provider | null> {
  const rows = await db.query<ProviderRow>(sql`select ${providerColumns} from providers where id = ${id}`);
  return rows.map(toProvider)[0] ?? null;
}

export async function listProviders(db: Queryable): Promise<Provider[]> {
  return (await db.query<ProviderRow>(sql`select ${providerColumns} from providers order by id`)).map(toProvider);
}

/** Ids and adapters of those that exist. */
export async function findAdapters(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; adapter: string }>(
    sql`select id, adapter from providers where id = any(${ids}::text[])`,
  );
  return new Map(rows.map((row) => [row.id, row.adapter]));
}

/** Changes with every provider and route, for nodes that may have missed a notification. */
export async function findStamp(db: Queryable): Promise<string> {
  const [row] = await db.query<{ stamp: string }>(sql`
    select md5(coalesce((select string_agg(id || ':' || version || ':' || extract(epoch from created_at), ',' order by id)
        from providers), '')
      || '/' || coalesce((select string_agg(id || ':' || version, ',' order by id) from routes), '')) as stamp`);
  return row?.stamp ?? '';
}
