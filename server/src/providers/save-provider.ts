/** Providers made, changed and deleted. Settings that the adapter's schema refuses are never stored. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Adapter } from '../channels/index.ts';
import { ApiError, invalid } from '../errors.ts';
import { changeRow, conflict, found, knownProvider, requireNone, type SaveTools } from './office.ts';
import { sealSettings, sealToken, settingsFaults, unsealSettings } from './open-upstream.ts';
import { reachOf } from './pick.ts';
import { defaultCircuit, type ProviderBody, type ProviderChange } from './provider-wire.ts';
import type { Actor, Provider, ProviderTerms } from './records.ts';
import { listRoutes } from './route-store.ts';
import { changedSettings, type Json } from './settings.ts';
import * as store from './store.ts';

export async function createProvider(tools: SaveTools, body: ProviderBody, actor: Actor): Promise<Provider> {
  const adapter = tools.registry.find(body.adapter);
  if (!adapter) throw invalid([{ field: 'adapter', problem: unknownAdapter(tools) }]);
  const settings = checked(tools, adapter, changedSettings(adapter, {}, body.settings ?? {}));
  const made = {
    ...termsOf(body, firstTerms(adapter)),
    id: body.id,
    adapter: adapter.id,
    settings: sealSettings(tools.keyring, body.id, settings),
    hookToken: newToken(tools, body.id),
  };
  const inserted = await tools.memory.afterWrite(() => store.insertProvider(tools.db, made, actor));
  if (!inserted) throw conflict('id', 'there is a provider of this id');
  return inserted;
}

function unknownAdapter({ registry }: Pick<SaveTools, 'registry'>): string {
  return `must be one of ${registry
    .list()
    .map(({ id }) => id)
    .join(', ')}`;
}

const firstTerms = (adapter: Adapter): ProviderTerms => ({
  title: adapter.title,
  enabled: true,
  ratePerSecond: null,
  concurrency: adapter.limits.maxConcurrency,
  quietHours: null,
  circuit: defaultCircuit,
});

/** What is not given stays as it is in `before`. */
function termsOf(given: Omit<ProviderChange, 'version'>, before: ProviderTerms): ProviderTerms {
  return {
    title: given.title ?? before.title,
    enabled: given.enabled ?? before.enabled,
    ratePerSecond: given.rate_per_second === undefined ? before.ratePerSecond : given.rate_per_second,
    concurrency: given.concurrency ?? before.concurrency,
    quietHours: given.quiet_hours === undefined ? before.quietHours : given.quiet_hours,
    circuit: {
      min_calls: given.circuit?.min_calls ?? before.circuit.min_calls,
      error_ratio: given.circuit?.error_ratio ?? before.circuit.error_ratio,
      window_seconds: given.circuit?.window_seconds ?? before.circuit.window_seconds,
      open_seconds: given.circuit?.open_seconds ?? before.circuit.open_seconds,
    },
  };
}

function checked({ explain }: SaveTools, adapter: Adapter, settings: Json): Json {
  requireNone(settingsFaults(explain, adapter, settings));
  return settings;
}

/** What is not given stays, inside the settings too. */
export function updateProvider(
  tools: SaveTools,
  id: string,
  { version, ...given }: ProviderChange,
  actor: Actor,
): Promise<Provider> {
  return change(tools, id, version, given, (stored) => (given.settings ? [stored, given.settings] : null), actor);
}

/** What the seed file says: its settings are all there are. */
export function replaceProvider(tools: SaveTools, id: string, given: Terms): Promise<Provider> {
  return change(tools, id, undefined, given, () => [{}, given.settings ?? {}], null);
}

type Terms = Omit<ProviderChange, 'version'>;

/** What changes nothing is not written, so that nobody opens anything anew for it. */
function change(
  tools: SaveTools,
  id: string,
  version: number | undefined,
  given: Terms,
  /** From the stored settings: what is laid over what, or null to leave them. */
  settings: (stored: Json) => [below: Json, above: Json] | null,
  actor: Actor,
): Promise<Provider> {
  const read = (): Promise<Provider> => getProvider(tools, id);
  return tools.memory.afterWrite(() =>
    changeRow(read, version, async (row) => {
      const terms = termsOf(given, row);
      const stored = storedSettings(tools, row);
      const laid = settings(stored ?? {});
      const sealed = laid ? newlySealed(tools, row, stored, laid) : { settings: null, hookToken: null };
      if (sealed.settings === null && isDeepStrictEqual(terms, termsOf({}, row))) return row;
      return store.updateProvider(tools.db, row, { ...terms, ...sealed }, actor);
    }),
  );
}

/** Null for what stays. What was sealed under another master key is lost: then the token is a new one as well. */
function newlySealed(
  tools: SaveTools,
  row: Provider,
  stored: Json | null,
  [below, above]: [below: Json, above: Json],
): { settings: Buffer | null; hookToken: Buffer | null } {
  const adapter = tools.registry.find(row.adapter);
  if (!adapter) throw new ApiError(3002, `settings: this program has no adapter called ${row.adapter}`);
  const settings = checked(tools, adapter, changedSettings(adapter, below, above));
  return {
    settings: isDeepStrictEqual(settings, stored) ? null : sealSettings(tools.keyring, row.id, settings),
    hookToken: stored === null ? newToken(tools, row.id) : null,
  };
}

const newToken = ({ keyring }: SaveTools, id: string): Buffer =>
  sealToken(keyring, id, randomBytes(32).toString('base64url'));

/** Null under another master key. */
function storedSettings({ keyring }: Pick<SaveTools, 'keyring'>, row: Provider): Json | null {
  try {
    return unsealSettings(keyring, row);
  } catch {
    return null;
  }
}

export async function getProvider({ db }: Pick<SaveTools, 'db'>, id: string): Promise<Provider> {
  return found('provider', await store.findProvider(db, knownProvider(id)));
}

/** 409 naming the routes where some use it. */
export async function deleteProvider(tools: SaveTools, id: string, actor: Actor): Promise<void> {
  const known = knownProvider(id);
  const deleted = await tools.memory.afterWrite(() => store.deleteProvider(tools.db, known, actor));
  if (deleted) return;
  await getProvider(tools, id);
  const routes = await listRoutes(tools.db, { provider: id });
  const names = routes.map((route) => `${route.id} (${route.channel}, ${reachOf(route)})`).join(', ');
  throw conflict('provider_id', `used by ${routes.length === 1 ? 'route' : 'routes'} ${names}`, {
    routes: routes.map((route) => route.id),
  });
}
