/**
 * The statements on providers and routes. Every write tells the other nodes with pg_notify in its `returning`, so the word goes out
 * exactly when the change commits, and puts its line into the ledger. Changes name the version they read.
 */
import type { Channel } from '../channels/index.ts';
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Column, json, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Actor, Entry, Provider, ProviderTerms, Reach, Route, Senders } from './records.ts';

export const changesChannel = 'providers';
const told = sql`pg_notify(${raw(`'${changesChannel}'`)}, '') as told`;

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
function note(actor: Actor, action: string, applicationId: Sql, about: Sql, cause: string): Sql {
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

/** Null when it is no longer as `read`. Without new settings the stored ones stay, byte for byte. */
export function updateProvider(
  db: Queryable,
  read: Pick<Provider, 'id' | 'version'>,
  change: ProviderTerms & { settings: Buffer | null },
  actor: Actor,
): Promise<Provider | null> {
  return changeProvider(
    db,
    actor,
    'update provider',
    sql`update providers set title = ${change.title}, settings = coalesce(${change.settings}::bytea, settings),
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

interface RouteRow {
  id: string;
  application_id: string | null;
  channel: Channel;
  country: string | null;
  prefix: string | null;
  enabled: boolean;
  note: string;
  version: number;
  created_at: Date;
  updated_at: Date;
  entries: EntryRow[];
}
interface EntryRow {
  id: string;
  provider: string;
  priority: number;
  sender: string | null;
  senders: Senders;
  price_micros: number;
  registration_note: string;
  enabled: boolean;
}
const routeColumns = raw(
  `id, application_id, channel, country, prefix, enabled, note, version, created_at, updated_at`,
);
const routeWithEntries = raw(`r.id, r.application_id, r.channel, r.country, r.prefix, r.enabled, r.note, r.version,
  r.created_at, r.updated_at, (
    select coalesce(jsonb_agg(jsonb_build_object('id', e.id::text, 'provider', e.provider, 'priority', e.priority,
      'sender', e.sender, 'senders', e.senders, 'price_micros', e.price_micros, 'registration_note', e.registration_note,
      'enabled', e.enabled) order by e.priority, e.id), '[]')
    from route_entries e where e.route_id = r.id) as entries`);
const toRoute = (row: RouteRow): Route => ({
  id: row.id,
  applicationId: row.application_id,
  channel: row.channel,
  country: row.country,
  prefix: row.prefix,
  enabled: row.enabled,
  note: row.note,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  entries: row.entries.map((entry) => ({
    id: entry.id,
    provider: entry.provider,
    priority: entry.priority,
    sender: entry.sender,
    senders: entry.senders,
    priceMicros: entry.price_micros,
    registrationNote: entry.registration_note,
    enabled: entry.enabled,
  })),
});

/** An entry to be stored: with the id it keeps, or null for a new one. */
export type EntryDraft = Omit<Entry, 'id'> & { id: string | null };

export interface RouteDraft extends Reach {
  enabled: boolean;
  note: string;
  entries: readonly EntryDraft[];
}

const entryColumns: Record<string, Column<EntryDraft>> = {
  id: ['bigint', (entry) => entry.id],
  provider: ['text', (entry) => entry.provider],
  priority: ['integer', (entry) => entry.priority],
  sender: ['text', (entry) => entry.sender],
  senders: ['jsonb', (entry) => entry.senders],
  price_micros: ['bigint', (entry) => entry.priceMicros],
  registration_note: ['text', (entry) => entry.registrationNote],
  enabled: ['boolean', (entry) => entry.enabled],
};
const entryNames = raw('provider, priority, sender, senders, price_micros, registration_note, enabled');

/** Runs a write that returns routes and gives them these entries; resolves with the id, null when the write did nothing. */
async function changeRoute(
  db: Queryable,
  actor: Actor,
  action: string,
  write: Sql,
  entries: readonly EntryDraft[],
): Promise<string | null> {
  const kept = entries.flatMap(({ id }) => (id === null ? [] : [id]));
  const about = raw(`jsonb_build_object('route', id::text, 'channel', channel, 'country', country, 'prefix', prefix)`);
  const [row] = await db.query<{ id: string }>(sql`
    with changed as (${write} returning ${routeColumns}, ${told}),
    given as (${relation(entries, entryColumns)}),
    gone as (delete from route_entries e using changed where e.route_id = changed.id and e.id <> all(${kept}::bigint[])),
    updated as (
      update route_entries e set priority = given.priority, sender = given.sender, senders = given.senders,
        price_micros = given.price_micros, registration_note = given.registration_note, enabled = given.enabled
      from given, changed where e.id = given.id and e.route_id = changed.id and e.provider = given.provider),
    made as (
      insert into route_entries (route_id, ${entryNames})
      select changed.id, given.provider, given.priority, given.sender, given.senders, given.price_micros,
        given.registration_note, given.enabled
      from given, changed where given.id is null order by ord),
    event as (${note(actor, action, raw('coalesce(application_id, 0)'), about, 'route_managed')})
    select id from changed`);
  return row?.id ?? null;
}

/** Null when there is an equal route. */
export function insertRoute(db: Queryable, made: RouteDraft, actor: Actor): Promise<string | null> {
  const { applicationId, channel, country, prefix, enabled, note } = made;
  return changeRoute(
    db,
    actor,
    'create route',
    sql`insert into routes (application_id, channel, country, prefix, enabled, note)
      values (${applicationId}, ${channel}, ${country}, ${prefix}, ${enabled}, ${note})
      on conflict (application_id, channel, country, prefix) do nothing`,
    made.entries,
  );
}

/** Null when it is no longer as `read`. Where a route leads never changes. */
export function updateRoute(
  db: Queryable,
  read: Pick<Route, 'id' | 'version'>,
  change: Pick<RouteDraft, 'enabled' | 'note' | 'entries'>,
  actor: Actor,
): Promise<string | null> {
  return changeRoute(
    db,
    actor,
    'update route',
    sql`update routes set enabled = ${change.enabled}, note = ${change.note}, version = version + 1,
      updated_at = clock_now() where id = ${read.id} and version = ${read.version}`,
    change.entries,
  );
}

export async function deleteRoute(db: Queryable, id: string, actor: Actor): Promise<string | null> {
  return changeRoute(db, actor, 'delete route', sql`delete from routes where id = ${id}`, []);
}

export async function findRoute(db: Queryable, id: string): Promise<Route | null> {
  const rows = await db.query<RouteRow>(sql`select ${routeWithEntries} from routes r where r.id = ${id}`);
  return rows.map(toRoute)[0] ?? null;
}

export async function findEqualRoute(db: Queryable, reach: Reach): Promise<Route | null> {
  const rows = await db.query<RouteRow>(sql`select ${routeWithEntries} from routes r
    where r.application_id is not distinct from ${reach.applicationId}::bigint and r.channel = ${reach.channel}
      and r.country is not distinct from ${reach.country}::text and r.prefix is not distinct from ${reach.prefix}::text`);
  return rows.map(toRoute)[0] ?? null;
}

export interface RouteFilter {
  applicationId?: string | undefined;
  channel?: Channel | undefined;
  provider?: string | undefined;
}

/** Newest first, ids below `before`. */
export async function listRoutes(
  db: Queryable,
  { applicationId, channel, provider }: RouteFilter = {},
  { limit, before }: { limit: number; before: string | null } = { limit: 1_000_000, before: null },
): Promise<Route[]> {
  const rows = await db.query<RouteRow>(sql`select ${routeWithEntries} from routes r
    where (${before}::bigint is null or r.id < ${before}::bigint)
      and (${applicationId ?? null}::bigint is null or r.application_id = ${applicationId ?? null}::bigint)
      and (${channel ?? null}::text is null or r.channel = ${channel ?? null})
      and (${provider ?? null}::text is null
        or exists (select 1 from route_entries e where e.route_id = r.id and e.provider = ${provider ?? null}))
    order by r.id desc limit ${limit}`);
  return rows.map(toRoute);
}

/** Changes with every provider and route, for nodes that may have missed a notification. */
export async function findStamp(db: Queryable): Promise<string> {
  const [row] = await db.query<{ stamp: string }>(sql`
    select md5(coalesce((select string_agg(id || ':' || version || ':' || extract(epoch from created_at), ',' order by id)
        from providers), '')
      || '/' || coalesce((select string_agg(id || ':' || version, ',' order by id) from routes), '')) as stamp`);
  return row?.stamp ?? '';
}
