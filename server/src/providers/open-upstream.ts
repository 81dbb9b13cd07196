/**
 * From a stored provider to an opened upstream: settings unsealed and parsed, the adapter given its ports. What hinders it is a
 * sentence for the operator, never an exception.
 */
import { z } from 'zod';
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import type { ProvidersPorts } from './door.ts';
import { mark } from './health-store.ts';
import type { Provider } from './records.ts';
import type { Json } from './settings.ts';

const openTimeoutMs = 15_000;

export type Opened = { upstream: Upstream } | { fault: string };

/** What a schema finds wrong, as `field: problem`; `root` names the value itself. */
export type Explain = (schema: z.ZodType, value: unknown, root?: string) => { field: string; problem: string }[];

export interface OpeningPorts extends Omit<ProvidersPorts, 'seedFile' | 'env' | 'currency'> {
  explain: Explain;
  /** A test message of this process, which delivery knows nothing of. */
  findTest(messageId: string): OutgoingMessage | null;
}

const settingsPurpose = 'provider-settings';
const tokenPurpose = 'provider-hook-token';

export const sealSettings = (keyring: Keyring, id: string, settings: Json): Buffer =>
  keyring.seal(settingsPurpose, JSON.stringify(settings), id);

export const unsealSettings = (keyring: Keyring, { id, settings }: Pick<Provider, 'id' | 'settings'>): Json =>
  JSON.parse(keyring.open(settingsPurpose, settings, id)) as Json;

export const sealToken = (keyring: Keyring, id: string, token: string): Buffer => keyring.seal(tokenPurpose, token, id);

export const unsealToken = (keyring: Keyring, { id, hookToken }: Pick<Provider, 'id' | 'hookToken'>): string =>
  keyring.open(tokenPurpose, hookToken, id);

export const hookUrlOf = (publicUrl: string, id: string, token: string, path = ''): string =>
  `${publicUrl}/hooks/${id}/${token}${path}`;

/** As `settings.<field>`. */
export const settingsFaults = (explain: Explain, adapter: Adapter, settings: Json) =>
  explain(z.object({ settings: adapter.settings }), { settings });

export async function openUpstream(provider: Provider, ports: OpeningPorts): Promise<Opened> {
  const adapter = ports.registry.find(provider.adapter);
  if (!adapter) return { fault: `this program has no adapter called ${provider.adapter}` };
  const settings = readSettings(provider, adapter, ports);
  if ('fault' in settings) return settings;
  const opening = (async () => adapter.open(settings.parsed, portsFor(provider, ports)))();
  return inTime(opening, ports);
}

function readSettings(
  provider: Provider,
  adapter: Adapter,
  { keyring, explain }: OpeningPorts,
): { parsed: unknown } | { fault: string } {
  let settings: Json;
  try {
    settings = unsealSettings(keyring, provider);
  } catch {
    return {
      fault: 'the settings cannot be unsealed: MASTER_KEY is not the one they were saved with; enter them again',
    };
  }
  const parsed = adapter.settings.safeParse(settings);
  if (parsed.success) return { parsed: parsed.data };
  const [first] = settingsFaults(explain, adapter, settings);
  return { fault: `the settings do not fit the adapter: ${first?.field}: ${first?.problem}` };
}

/** An upstream that opens too late is closed as soon as it does. */
async function inTime(opening: Promise<Upstream>, { log }: OpeningPorts): Promise<Opened> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const timeout = new Promise<Opened>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve({ fault: `the adapter did not open within ${openTimeoutMs / 1_000} s` });
    }, openTimeoutMs);
  });
  const opened = opening.then(
    async (upstream): Promise<Opened> => {
      if (late)
        await upstream.close().catch((error: unknown) => log.error({ err: error }, 'a late upstream stays open'));
      return { upstream };
    },
    (error: unknown): Opened => ({ fault: `the adapter did not open: ${messageOf(error)}` }),
  );
  return Promise.race([opened, timeout]).finally(() => clearTimeout(timer));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

function portsFor(provider: Provider, ports: OpeningPorts): Ports {
  const { id } = provider;
  const { db, keyring, log, outbound, publicUrl, findTest } = ports;
  const token = unsealToken(keyring, provider);
  return {
    log: log.child({ provider: id }),
    outbound,
    async onReceipt(receipt) {
      if (!(await ports.receive(id, receipt))) await ports.park(id, receipt);
      return true;
    },
    onUplink: (uplink) => ports.uplink(id, uplink),
    hookUrl: (path) => hookUrlOf(publicUrl(), id, token, path),
    sign: (text) => keyring.hash(`provider/${id}`, text).toString('base64url'),
    once: (key, rememberMs) => once(db, keyring, id, key, rememberMs),
    reopen: async (ids) => findTest(ids.messageId) ?? ports.reopen(ids),
  };
}

const once = (db: Db, keyring: Keyring, id: string, key: string, rememberMs: number): Promise<boolean> =>
  mark(db, id, keyring.hash('hook-mark', key), rememberMs);
