/**
 * A webhook of an upstream: the unguessable token is compared first, in constant time and also for providers that do not exist;
 * then the adapter has its say. A provider that is not open for now, or a fault of ours, is 503, so that the upstream repeats.
 */
import type { HookAnswer } from '../channels/index.ts';
import type { Log } from '../platform/log.ts';
import { type Keyring, sameBytes } from '../platform/seal.ts';
import type { HookCall } from './door.ts';
import type { Roster } from './roster.ts';

interface HookPorts {
  roster: Roster;
  keyring: Keyring;
  log: Log;
  publicUrl: () => string;
}

export async function answerHook(
  { roster, keyring, log, publicUrl }: HookPorts,
  provider: string,
  token: string,
  { pathAndQuery, ...request }: HookCall,
): Promise<HookAnswer> {
  const live = roster.find(provider);
  const digest = (text: string): Buffer => keyring.hash('hook-token', text);
  const isRight = sameBytes(digest(token), digest(live?.token ?? ''));
  if (!live?.token || !isRight) return { status: 404 };
  if (!live.handle) return { status: 503 };
  const { upstream } = live.handle;
  if (!upstream.hook) return { status: 404 };
  try {
    return await upstream.hook({ ...request, url: publicUrl() + pathAndQuery });
  } catch (error) {
    log.warn({ err: error, provider }, 'a webhook was not taken');
    return { status: 503 };
  }
}
