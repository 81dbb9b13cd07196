/** Providers made, changed and deleted. Settings that the adapter's schema refuses are never stored. */
import { randomBytes } from 'node:crypto';
import type { Adapter } from '../channels/index.ts';
import { ApiError, invalid } from '../errors.ts';
import { changeRow, conflict, found, type Office, requireNone } from './office.ts';
import { sealSettings, sealToken, settingsFaults, unsealSettings } from './open-upstream.ts';
import { reachOf } from './pick.ts';
import { defaultCircuit, type ProviderBody, type ProviderChange } from './provider-wire.ts';
import type { Actor, Provider, ProviderTerms } from './records.ts';
import { changedSettings, type Json } from './settings.ts';
import * as store from './store.ts';

/** What the deeds need of the office; the seed brings less. */
type Tools = Pick<Office, 'db' | 'keyring' | 'registry' | 'explain' | 'memory'>;

export async function createProvider(tools: Tools, body: ProviderBody, actor: Actor): Promise<Provider> {
  const adapter = tools.registry.find(body.adapter);
  if (!adapter) throw invalid([{ field: 'adapter', problem: unknownAdapter(tools) }]);
  const settings = checked(tools, adapter, changedSettings(adapter, {}, body.settings ?? {}));
  const made = {
    ...termsOf(body, firstTerms(adapter)),
    id: body.id,
    adapter: adapter.id,
    settings: sealSettings(tools.keyring, body.id, settings),
    hookToken: sealToken(tools.keyring, body.id, randomBytes(32).toString('base64url')),
  };
  const inserted = await tools.memory.afterWrite(() => store.insertProvider(tools.db, made, actor));
  if (!inserted) throw conflict('id', 'there is a provider of this id');
  return inserted;
}

export function unknownAdapter({ registry }: Pick<Tools, 'registry'>): string {
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
export function termsOf(given: Omit<ProviderChange, 'version'>, before: ProviderTerms): ProviderTerms {
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

function checked({ explain }: Tools, adapter: Adapter, settings: Json): Json {
  requireNone(settingsFaults(explain, adapter, settings));
  return settings;
}

export async function updateProvider(
  tools: Tools,
  id: string,
  { version, ...given }: ProviderChange,
  actor: Actor,
): Promise<Provider> {
  const read = (): Promise<Provider> => getProvider(tools, id);
  return tools.memory.afterWrite(() =>
    changeRow(read, version, (row) => {
      const settings = given.settings && newSettings(tools, row, given.settings);
      const change = { ...termsOf(given, row), settings: settings ? sealSettings(tools.keyring, id, settings) : null };
      return store.updateProvider(tools.db, row, change, actor);
    }),
  );
}

function newSettings(tools: Tools, row: Provider, given: Json): Json {
  const adapter = tools.registry.find(row.adapter);
  if (!adapter) throw new ApiError(3002, `settings: this program has no adapter called ${row.adapter}`);
  return checked(tools, adapter, changedSettings(adapter, storedSettings(tools, row), given));
}

/** Nothing under another master key: then every setting has to be given anew. */
export function storedSettings({ keyring }: Pick<Tools, 'keyring'>, row: Provider): Json {
  try {
    return unsealSettings(keyring, row);
  } catch {
    return {};
  }
}

export async function getProvider({ db }: Pick<Tools, 'db'>, id: string): Promise<Provider> {
  return found('provider', await store.findProvider(db, id));
}

/** 409 naming the routes where some use it. */
export async function deleteProvider(tools: Tools, id: string, actor: Actor): Promise<void> {
  const deleted = await tools.memory.afterWrite(() => store.deleteProvider(tools.db, id, actor));
  if (deleted) return;
  await getProvider(tools, id);
  const routes = await store.listRoutes(tools.db, { provider: id });
  const names = routes.map((route) => `${route.id} (${route.channel}, ${reachOf(route)})`).join(', ');
  throw conflict('provider_id', `used by ${routes.length === 1 ? 'route' : 'routes'} ${names}`, {
    routes: routes.map((route) => route.id),
  });
}
