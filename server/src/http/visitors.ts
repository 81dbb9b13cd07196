/**
 * How often strangers may ask for what costs work: a bucket per address, kept by this process alone. A network of IPv6 counts as one
 * address: who has one of it has all.
 */
import { isIP } from 'node:net';
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type Bucket, fullBucket, taken, waitMs } from '../platform/token-bucket.ts';

const perSecond = 10;
/** A client that begins asks several things at once. */
const atOnce = 60;
const maxNetworks = 10_000;

/** Counts one request from an address. Throws 429/3004. */
export type Visit = (ip: string) => void;

export function createVisitors(clock: Clock): Visit {
  const buckets = new Map<string, Bucket>();
  return (ip) => {
    const now = clock.now();
    const network = networkOf(ip);
    const bucket = buckets.get(network) ?? fullBucket(perSecond, now, atOnce);
    const wait = waitMs(bucket, perSecond, now, atOnce);
    if (wait > 0) throw new ApiError(3004, 'too many requests', { status: 429, retryAfter: wait / 1000 });
    // Those who asked last stand last, so that the first are those that are full again.
    buckets.delete(network);
    buckets.set(network, taken(bucket, perSecond, now, atOnce));
    const [oldest] = buckets.keys();
    if (buckets.size > maxNetworks && oldest !== undefined) buckets.delete(oldest);
  };
}

/** The address itself; of IPv6 its first 64 bits. */
function networkOf(ip: string): string {
  if (isIP(ip) !== 6) return ip;
  const [left = [], right = []] = ip.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16)).join(':');
}
