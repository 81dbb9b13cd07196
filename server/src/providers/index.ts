/**
 * Providers: configured upstream accounts and the routes to them, alike on every node and changed without a restart. Promises:
 * a change holds on this node from the next hand-over on, on every other as soon as its notification arrives; no hand-over under
 * way is lost by a change; no secret of a provider is stored in clear, returned or logged.
 */
import type { Providers, ProvidersPorts } from './door.ts';
import { createOperations } from './operations.ts';

export type { Ask, Candidates, HookCall, Line, Providers, ProvidersPorts } from './door.ts';

export function createProviders(_ports: ProvidersPorts): Providers {
  return {
    operations: createOperations(),
    candidates: () => ({ lines: [], reason: 'no_route' }),
    line: () => null,
    serves: () => false,
    upstream: () => null,
    hook: async () => ({ status: 404 }),
    start: async () => undefined,
    stop: async () => undefined,
  };
}
