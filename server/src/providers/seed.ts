/**
 * Providers and routes from a file (PROVIDERS_FILE), in the form of the operations: made or changed at every start, so that a
 * deployment can keep them with its other configuration. What is equal already is not written; what the file does not name stays.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import type { Office, SaveTools } from './office.ts';
import { settingsFaults } from './open-upstream.ts';
import { type ProviderBody, providerBody } from './provider-wire.ts';
import { findEqualRoute } from './route-store.ts';
import { type RouteBody, routeBody } from './route-wire.ts';
import { createProvider, replaceProvider } from './save-provider.ts';
import { createRoute, updateRoute } from './save-route.ts';
import { changedSettings } from './settings.ts';
import { findProvider } from './store.ts';

const seedSchema = z.strictObject({
  providers: z.array(providerBody).default([]),
  routes: z.array(routeBody).default([]),
});
export type Seed = z.infer<typeof seedSchema>;

type Env = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError with a sentence for each fault that the database does not tell. */
export async function plantSeed(office: Office, seed: Seed): Promise<void> {
  // Everything is read and opened once, afterwards.
  const tools: SaveTools = { ...office, memory: { afterWrite: (write) => write() } };
  const faults: string[] = [];
  const attempt = async (place: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      faults.push(...faultsIn(error).map(({ field, problem }) => sentence(`${place}.${field}`, problem)));
    }
  };
  for (const [i, body] of seed.providers.entries()) await attempt(`providers[${i}]`, () => plantProvider(tools, body));
  if (faults.length === 0)
    for (const [i, body] of seed.routes.entries()) await attempt(`routes[${i}]`, () => plantRoute(tools, body));
  if (faults.length > 0) throw new ConfigError(faults);
}

const sentence = (field: string, problem: string): string => `PROVIDERS_FILE ${field}: ${problem}.`;

function faultsIn({ details, message }: ApiError): readonly FieldFault[] {
  const fields = details?.['fields'];
  return Array.isArray(fields) ? (fields as FieldFault[]) : [{ field: 'id', problem: message }];
}

type Checks = Pick<Office, 'registry' | 'explain'>;

/** The file, if everything fits that can be said without a database; else ConfigError with a sentence per fault, none of which repeats a value. */
export function readSeed(office: Checks, file: string, env: Env): Seed {
  const missing: FieldFault[] = [];
  const given = withEnv(readJson(file), '', env, missing);
  const parsed = seedSchema.safeParse(given);
  const faults = parsed.success ? [] : office.explain(seedSchema, given, 'file');
  const settings = parsed.success ? parsed.data.providers.flatMap((body, i) => providerFaults(office, body, i)) : [];
  // What is missing has been told; that it does not fit either would be a second sentence about the same.
  const others = [...faults, ...settings].filter(({ field }) => !missing.some((one) => one.field === field));
  const all = [...missing, ...others].map(({ field, problem }) => sentence(field, problem));
  if (!parsed.success || all.length > 0) throw new ConfigError(all);
  return parsed.data;
}

function providerFaults({ registry, explain }: Checks, body: ProviderBody, index: number): FieldFault[] {
  const adapter = registry.find(body.adapter);
  const place = `providers[${index}]`;
  if (!adapter) return [{ field: `${place}.adapter`, problem: `this program has no adapter called ${body.adapter}` }];
  const settings = changedSettings(adapter, {}, body.settings ?? {});
  return settingsFaults(explain, adapter, settings).map(({ field, problem }) => ({
    field: `${place}.${field}`,
    problem,
  }));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as { code?: string };
    throw new ConfigError([
      error instanceof SyntaxError
        ? 'PROVIDERS_FILE must hold valid JSON.'
        : `PROVIDERS_FILE cannot be read (${code ?? 'unknown'}).`,
    ]);
  }
}

/** `{"env": "NAME"}` anywhere stands for the value of that variable. */
function withEnv(value: unknown, place: string, env: Env, missing: FieldFault[]): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withEnv(item, `${place}[${i}]`, env, missing));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'env' && typeof first[1] === 'string') {
    const found = env[first[1]];
    if (!found) missing.push({ field: place, problem: `the variable ${first[1]} is not set` });
    return found ?? '-';
  }
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, withEnv(inner, place === '' ? name : `${place}.${name}`, env, missing)]),
  );
}

async function plantProvider(tools: SaveTools, { id, adapter, ...given }: ProviderBody): Promise<void> {
  const change = async (): Promise<void> => void (await replaceProvider(tools, id, given));
  const known = await findProvider(tools.db, id);
  if (known && known.adapter !== adapter) throw invalid([{ field: 'adapter', problem: `is ${known.adapter} already` }]);
  if (known) await change();
  else await orElse(() => createProvider(tools, { id, adapter, ...given }, null), change);
}

async function plantRoute(tools: SaveTools, body: RouteBody): Promise<void> {
  const { application_id: applicationId, channel, country, prefix, enabled, note, entries } = body;
  const change = async (): Promise<boolean> => {
    const known = await findEqualRoute(tools.db, { applicationId, channel, country, prefix });
    if (known) await updateRoute(tools, known.id, { enabled, note, entries }, null);
    return known !== null;
  };
  if (!(await change())) await orElse(() => createRoute(tools, body, null), change);
}

/** Nodes may start together: who finds that another was first changes what that one made, which is then nothing. */
async function orElse(first: () => Promise<unknown>, otherwise: () => Promise<unknown>): Promise<void> {
  try {
    await first();
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
    await otherwise();
  }
}
