/**
 * A webhook of an upstream: the unguessable token is compared first, before anything else is read, in constant time and also for
 * providers that do not exist; then the adapter has its say. A provider that is not open for now, or a fault of ours, is 503, so
 * that the upstream repeats.
 */
import type { HookAnswer } from '../channels/index.ts';
import type { Log } from '../platform/log.ts';
import { type Keyring, sameBytes } from '../platform/seal.ts';
import type { HookCall } from './door.ts';
import type { Live } from './live.ts';
import type { Roster } from './roster.ts';

interface HookPorts {
  roster: Roster;
  keyring: Keyring;
  log: Log;
  publicUrl: () => string;
}

/** What answers calls with this token; null for an unknown provider or a wrong token. */
export function findHook(
  { roster, keyring, ...ports }: HookPorts,
  provider: string,
  token: string,
): ((call: HookCall) => Promise<HookAnswer>) | null {
  const live = roster.find(provider);
  const digest = (text: string): Buffer => keyring.hash('hook-token', text);
  const isRight = sameBytes(digest(token), digest(live?.token ?? ''));
  return live?.token && isRight ? (call) => answerHook(ports, live, call) : null;
}

async function answerHook(
  { log, publicUrl }: Pick<HookPorts, 'log' | 'publicUrl'>,
  { row, handle }: Live,
  { pathAndQuery, ...request }: HookCall,
): Promise<HookAnswer> {
  if (!handle) return { status: 503 };
  const { upstream } = handle;
  if (!upstream.hook) return { status: 404 };
  try {
    return await upstream.hook({ ...request, url: publicUrl() + pathAndQuery });
  } catch (error) {
    log.warn({ err: error, provider: row.id }, 'a webhook was not taken');
    return { status: 503 };
  }
}
