/** The statements on routes and their entries; one statement changes both, so that nobody sees half a route. */
import type { Channel } from '../channels/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Column, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Actor, Entry, Reach, Route, Senders } from './records.ts';
import { note, told } from './store.ts';

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
