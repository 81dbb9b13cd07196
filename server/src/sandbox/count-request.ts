/** The daily quota of sandbox callers (contract §13): per client network behind the public credentials, else per key. */
import ipaddr from 'ipaddr.js';
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';
import { countOne } from './store.ts';

export interface QuotaLimits {
  publicPerDay: number;
  keyPerDay: number;
}

/** What this needs to know of a caller. */
export interface QuotaCaller {
  keyId: string;
  application: Pick<Application, 'sandbox'>;
}

/** Counts a request of a sandbox caller; throws 429/3004 when the day's quota is used up, until 00:00 UTC. */
export async function countRequest(
  ports: { db: Db; keyring: Keyring; limits: QuotaLimits },
  caller: QuotaCaller,
  ip: string,
): Promise<void> {
  const { sandbox } = caller.application;
  if (sandbox === 'none') return;
  const limit = sandbox === 'public' ? ports.limits.publicPerDay : ports.limits.keyPerDay;
  const who = sandbox === 'public' ? `ip:${networkOf(ip)}` : `key:${caller.keyId}`;
  const { used, secondsToReset } = await countOne(ports.db, ports.keyring.hash('sandbox-quota', who), limit);
  if (used > limit) throw new ApiError(3004, 'quota exceeded', { status: 429, retryAfter: secondsToReset });
}

/**
 * An IPv4 address, which may come as 192.0.2.1 or as ::ffff:192.0.2.1; of IPv6 the first 64 bits, for who has one address there has
 * as many as they like.
 */
function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip).toString();
  return address.includes(':') ? ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString() : address;
}
