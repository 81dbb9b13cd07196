/**
 * Providers: configured upstream accounts and the routes to them, alike on every node and changed without a restart. Promises:
 * a change holds on this node from the next hand-over on, on every other as soon as its notification arrives; no hand-over under
 * way is lost by a change; no secret of a provider is stored in clear, returned or logged.
 */
import type { Providers, ProvidersPorts } from './door.ts';
import { goneSeconds } from './health.ts';
import { listWorstHealth } from './health-store.ts';
import { findHook } from './hook.ts';
import { candidates, line, serves } from './lines.ts';
import { isMailProvider, sendMail } from './mail.ts';
import { createMemory } from './memory.ts';
import type { Office } from './office.ts';
import type { OpeningPorts } from './open-upstream.ts';
import { createOperations, explain } from './operations.ts';
import { plantSeed, readSeed } from './seed.ts';
import { createTestMessages } from './test-messages.ts';

export type { Ask, Candidates, HookCall, Line, Providers, ProvidersPorts } from './door.ts';
export { countryOf } from './pick.ts';

/** Throws ConfigError for a seed file that cannot be right whatever the database holds. */
export function createProviders({ seedFile, env = {}, currency, ...given }: ProvidersPorts): Providers {
  const seed = seedFile === undefined ? null : readSeed({ ...given, explain }, seedFile, env);
  const tests = createTestMessages(() => given.clock.now());
  const ports: OpeningPorts = { ...given, explain, findTest: tests.find };
  const memory = createMemory(ports);
  const office: Office = { ...ports, currency, tests, memory };
  const { clock, keyring, log, publicUrl } = given;
  const { roster } = memory;
  return {
    operations: createOperations(office),
    candidates: (ask) => candidates({ memory, clock }, ask),
    line: (id, content) => line({ memory, clock }, id, content),
    serves: (applicationId, channel) => serves({ memory, clock }, applicationId, channel),
    upstream: (provider) => roster.find(provider)?.handle?.upstream ?? null,
    hook: (provider, token) => findHook({ roster, keyring, log, publicUrl }, provider, token),
    circuits: (db) => listWorstHealth(db, goneSeconds),
    seen: () =>
      [...roster.list()]
        .filter(({ row }) => row.enabled)
        .map(({ row, gate, handle }) => ({
          provider: row.id,
          circuit: gate.view().circuit,
          opened: handle !== null,
        })),
    isMailProvider: (provider) => isMailProvider(office, provider),
    mail: (provider, mail, signal) => sendMail(office, provider, mail, signal),
    async start() {
      if (seed) await plantSeed(office, seed);
      await memory.start();
    },
    stop: memory.stop,
  };
}
