/**
 * Routes made and changed. Where a route leads never changes, and an entry keeps its id and provider for as long as it exists,
 * since both stand in the plans of messages under way.
 */
import { isDeepStrictEqual } from 'node:util';
import { type FieldFault, invalid } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import { changeRow, conflict, found, knownRoute, requireNone, type SaveTools } from './office.ts';
import type { Actor, Entry, Reach, Route } from './records.ts';
import * as store from './route-store.ts';
import type { EntryBody, RouteBody, RouteChange } from './route-wire.ts';
import { findAdapters } from './store.ts';

type Tools = Pick<SaveTools, 'db' | 'registry' | 'memory'>;

export async function createRoute(tools: Tools, body: RouteBody, actor: Actor): Promise<Route> {
  const { application_id: applicationId, channel, country, prefix, enabled, note } = body;
  const reach: Reach = { applicationId, channel, country, prefix };
  const entries = await checkedEntries(tools, reach, [], body.entries);
  const made = { ...reach, enabled, note, entries };
  const id = await tools.memory.afterWrite(() => store.insertRoute(tools.db, made, actor));
  if (id !== null) return getRoute(tools, id);
  const equal = await store.findEqualRoute(tools.db, reach);
  throw conflict(fieldOf(reach), `route ${equal?.id ?? 'unknown'} leads there already`);
}

const fieldOf = ({ prefix, country }: Reach): string => {
  if (prefix !== null) return 'prefix';
  return country === null ? 'channel' : 'country';
};

/** What changes nothing is not written. */
export async function updateRoute(
  tools: Tools,
  id: string,
  { version, ...given }: RouteChange,
  actor: Actor,
): Promise<Route> {
  const changed = await tools.memory.afterWrite(() =>
    changeRow(
      () => getRoute(tools, id),
      version,
      async (route) => {
        const { enabled = route.enabled, note = route.note } = given;
        const entries = given.entries
          ? await checkedEntries(tools, route, route.entries, given.entries)
          : route.entries;
        const isSame = enabled === route.enabled && note === route.note && isDeepStrictEqual(entries, route.entries);
        if (isSame) return route.id;
        return store.updateRoute(tools.db, route, { enabled, note, entries }, actor);
      },
    ),
  );
  return getRoute(tools, changed);
}

export async function getRoute({ db }: Pick<Tools, 'db'>, id: string): Promise<Route> {
  return found('route', await store.findRoute(db, knownRoute(id)));
}

export async function deleteRoute({ db, memory }: Tools, id: string, actor: Actor): Promise<string> {
  const known = knownRoute(id);
  return found('route', await memory.afterWrite(() => store.deleteRoute(db, known, actor)));
}

export interface ListRequest extends store.RouteFilter {
  limit: number;
  cursor?: string | undefined;
}

/** One row more than asked for shows whether the list goes on. */
export async function listRoutes(
  { db }: Pick<Tools, 'db'>,
  { limit, cursor, ...filter }: ListRequest,
): Promise<{ rows: Route[]; next: string | null }> {
  if (cursor !== undefined && !isId(cursor)) throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
  const rows = await store.listRoutes(db, filter, { limit: limit + 1, before: cursor ?? null });
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}

async function checkedEntries(
  { db, registry }: Tools,
  { channel }: Reach,
  existing: readonly Entry[],
  given: readonly EntryBody[],
): Promise<store.EntryDraft[]> {
  const adapters = await findAdapters(db, [...new Set(given.map(({ provider }) => provider))]);
  const faults = given.flatMap(({ provider }, index): FieldFault[] => {
    const field = `entries[${index}].provider`;
    const adapter = adapters.get(provider);
    if (adapter === undefined) return [{ field, problem: `there is no provider ${provider}` }];
    const serves = registry.find(adapter)?.channels.includes(channel);
    return serves ? [] : [{ field, problem: `does not serve ${channel}` }];
  });
  requireNone([...faults, ...idFaults(existing, given)]);
  return withIds(existing, given);
}

function idFaults(existing: readonly Entry[], given: readonly EntryBody[]): FieldFault[] {
  const seen = new Set<string>();
  return given.flatMap(({ id, provider }, index): FieldFault[] => {
    if (id === undefined) return [];
    const field = `entries[${index}].id`;
    const known = existing.find((entry) => entry.id === id);
    if (!known) return [{ field, problem: 'not an entry of this route' }];
    if (known.provider !== provider) return [{ field, problem: `belongs to the provider ${known.provider}` }];
    if (seen.has(id)) return [{ field, problem: 'given twice' }];
    seen.add(id);
    return [];
  });
}

/** What comes without an id is the first entry of the same provider that nobody else claims, else a new one. */
function withIds(existing: readonly Entry[], given: readonly EntryBody[]): store.EntryDraft[] {
  const free = existing.filter(({ id }) => !given.some((entry) => entry.id === id));
  return given.map((entry) => {
    const at = entry.id === undefined ? free.findIndex(({ provider }) => provider === entry.provider) : -1;
    const [taken] = at < 0 ? [] : free.splice(at, 1);
    return {
      id: entry.id ?? taken?.id ?? null,
      provider: entry.provider,
      priority: entry.priority,
      sender: entry.sender,
      senders: entry.senders,
      priceMicros: entry.price_micros,
      registrationNote: entry.registration_note,
      enabled: entry.enabled,
    };
  });
}
