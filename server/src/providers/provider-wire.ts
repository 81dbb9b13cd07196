/** How providers, adapters and health look on the wire: schemas with their bounds, and rows turned into them. */
import { z } from 'zod';
import { type Adapter, channelNames, reasons } from '../channels/index.ts';
import type { Keyring } from '../platform/seal.ts';
import { isPlain, plainText } from '../wire.ts';
import type { SeenHealth } from './health-store.ts';
import { hookUrlOf, unsealSettings, unsealToken } from './open-upstream.ts';
import { isTimeZone } from './quiet-hours.ts';
import { type Provider, providerIdPattern } from './records.ts';
import { describeSettings, type Json, shownSettings } from './settings.ts';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, HH:MM');
/** The form is the adapter's affair; what no database column takes is refused here. Line ends are part of keys and templates. */
const jsonObject = z.record(plainText(1, 64), z.unknown().refine(isPlainJson, 'must not contain control characters'));

function isPlainJson(value: unknown): boolean {
  if (typeof value === 'string') return isPlain(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, one]) => isPlain(key) && isPlainJson(one));
}

const quietHours = z
  .object({ from: clockTime, to: clockTime, time_zone: z.string().refine(isTimeZone, 'must be an IANA time zone') })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'must differ from `from`' })
  .nullable()
  .meta({
    description: 'Time of day in which the provider is not picked; over midnight where `to` is the earlier one.',
  });

const circuitFields = {
  min_calls: z.int().min(1).max(10_000).meta({ description: 'Fewer calls inside the window open nothing.' }),
  error_ratio: z.number().min(0.01).max(1),
  window_seconds: z.int().min(5).max(600),
  open_seconds: z.int().min(1).max(300).meta({ description: 'Doubled after each failed probe, up to 300.' }),
};
const circuitRule = z.object(circuitFields);
export const defaultCircuit = { min_calls: 10, error_ratio: 0.5, window_seconds: 30, open_seconds: 15 };

const terms = {
  title: plainText(1, 100),
  settings: jsonObject.meta({ description: 'As the adapter describes them, see listAdapters.' }),
  enabled: z
    .boolean()
    .meta({ description: 'Disabled: closed, also for webhooks. Drain first where receipts may still come.' }),
  rate_per_second: z.number().min(0.001).max(100_000).nullable().meta({
    description: 'Hand-overs per second, shared by the worker nodes; null = without a limit.',
  }),
  concurrency: z.int().min(1).max(10_000).meta({
    description: 'Hand-overs under way at once, per node; at most, and by default, what the adapter allows.',
  }),
  quiet_hours: quietHours,
  circuit: circuitRule.partial(),
};

/** The name of the virtual phone network in attempts and receipts. */
const reserved = 'virtual';

/** What may be said when a provider is made; the seed file says it too. */
export const providerBody = z.object({
  id: z
    .string()
    .regex(providerIdPattern, 'must be 2 to 40 characters of a-z 0-9 -')
    .refine((id) => id !== reserved, 'is the name of the virtual phone network'),
  adapter: z.string().min(1).max(64),
  ...z.object(terms).partial().shape,
});
export type ProviderBody = z.infer<typeof providerBody>;

export const providerChange = z
  .object(terms)
  .partial()
  .extend({
    version: z.int().optional().meta({ description: 'Given: the change is refused where the provider has another.' }),
  });
export type ProviderChange = z.infer<typeof providerChange>;

export const drainBody = z.object({
  seconds: z.int().min(0).max(2_592_000).meta({ description: 'How long nothing new is handed over; 0 ends it.' }),
});

export const testBody = z.object({
  to: plainText(3, 254).meta({ description: 'E.164 number or e-mail address; gets one real message.' }),
  channel: z.enum(channelNames).optional().meta({ description: 'Default: the first channel of the adapter.' }),
  sender: plainText(1, 254).optional().meta({ description: "Default: the provider's own." }),
});

export const testSchema = z.object({
  outcome: z.enum(['accepted', 'refused', 'unknown']),
  channel: z.enum(channelNames),
  upstream_id: z.string().optional(),
  reason: z.enum(reasons).optional(),
  error_code: z.int().optional(),
  temporary: z.boolean().optional(),
  detail: z.string().optional(),
  latency_ms: z.int(),
});

const language = z.string().regex(/^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/, 'must be a language code');
export const syncBody = z.object({ languages: z.array(language).min(1).max(100).default(['en']) });
export const syncSchema = z.object({
  templates: z.array(
    z.object({
      name: z.string(),
      language: z.string(),
      state: z.enum(['approved', 'pending', 'rejected', 'paused', 'missing']),
      detail: z.string().optional(),
    }),
  ),
});

export const adapterSchema = z.object({
  id: z.string(),
  title: z.string(),
  channels: z.array(z.enum(channelNames)),
  max_concurrency: z.int(),
  idempotent: z.boolean(),
  settings: jsonObject.meta({ description: 'JSON Schema; a secret carries `"secret": true`.' }),
});

export const toAdapter = (adapter: Adapter): z.infer<typeof adapterSchema> => ({
  id: adapter.id,
  title: adapter.title,
  channels: [...adapter.channels],
  max_concurrency: adapter.limits.maxConcurrency,
  idempotent: adapter.limits.idempotent,
  settings: describeSettings(adapter),
});

export const providerSchema = z.object({
  id: z.string(),
  adapter: z.string(),
  title: z.string(),
  channels: z.array(z.enum(channelNames)),
  settings: jsonObject.meta({ description: 'Secrets are shown as "set" or null.' }),
  enabled: z.boolean(),
  drained_until: z.string().nullable(),
  rate_per_second: z.number().nullable(),
  concurrency: z.int(),
  quiet_hours: quietHours,
  circuit: circuitRule,
  webhook_url: z
    .string()
    .nullable()
    .meta({ description: 'Beginning of the addresses to enter at the upstream; keep it secret.' }),
  version: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
});

interface ShowPorts {
  keyring: Keyring;
  publicUrl: () => string;
}

export function toProvider(
  provider: Provider,
  adapter: Adapter | null,
  { keyring, publicUrl }: ShowPorts,
): z.infer<typeof providerSchema> {
  const sealed = openQuietly(provider, keyring);
  return {
    id: provider.id,
    adapter: provider.adapter,
    title: provider.title,
    channels: [...(adapter?.channels ?? [])],
    settings: shownSettings(adapter, sealed?.settings ?? {}),
    enabled: provider.enabled,
    drained_until: provider.drainedUntil?.toISOString() ?? null,
    rate_per_second: provider.ratePerSecond,
    concurrency: provider.concurrency,
    quiet_hours: provider.quietHours,
    circuit: provider.circuit,
    webhook_url: sealed && hookUrlOf(publicUrl(), provider.id, sealed.token),
    version: provider.version,
    created_at: provider.createdAt.toISOString(),
    updated_at: provider.updatedAt.toISOString(),
  };
}

/** Null under another master key: such a provider can still be seen, and be given its settings anew. */
function openQuietly(provider: Provider, keyring: Keyring): { settings: Json; token: string } | null {
  try {
    return { settings: unsealSettings(keyring, provider), token: unsealToken(keyring, provider) };
  } catch {
    return null;
  }
}

export const healthSchema = z.object({
  provider: z.string(),
  node: z.string(),
  opened: z.boolean(),
  circuit: z.enum(['closed', 'open', 'half_open']),
  since: z.string(),
  reason: z.string().nullable().meta({ description: 'Why it is not opened, or why its circuit is not closed.' }),
  calls: z.int(),
  errors: z.int(),
  updated_at: z.string(),
});

export const toHealth = (row: SeenHealth): z.infer<typeof healthSchema> => ({
  provider: row.provider,
  node: row.node,
  opened: row.opened,
  circuit: row.circuit,
  since: row.since.toISOString(),
  reason: row.reason,
  calls: row.calls,
  errors: row.errors,
  updated_at: row.updatedAt.toISOString(),
});

export const providerParams = z.object({ provider_id: z.string().min(1).max(64) });
