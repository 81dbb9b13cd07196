/**
 * How fast an endpoint is posted to: so many at once, so many per second, less while it struggles, nothing while it asked for rest.
 * A failure that smells of overload halves what goes at once, a success adds one. Pure but for its own state.
 */
import type { Endpoint } from '../callbacks/index.ts';
import { type Bucket, fullBucket, taken, waitMs } from '../platform/token-bucket.ts';

import type { Verdict } from './judge.ts';

type Limits = Pick<Endpoint, 'concurrency' | 'ratePerSecond'>;

export interface Pace {
  mayBegin(limits: Limits, nowMs: number): boolean;
  began(limits: Limits, nowMs: number): void;
  /** Null: it ended without an answer of the endpoint. */
  ended(limits: Limits, verdict: Verdict | null, nowMs: number): void;
  /** Posts under way. */
  active(): number;
  /** How many may be under way at this time. */
  allowed(limits: Limits): number;
}

export function createPace(): Pace {
  let active = 0;
  let most = Number.POSITIVE_INFINITY;
  let restsUntilMs = 0;
  let bucket: Bucket | null = null;
  const allowed = ({ concurrency }: Limits): number => Math.min(most, concurrency);
  return {
    active: () => active,
    allowed,
    mayBegin(limits, nowMs) {
      if (active >= allowed(limits) || nowMs < restsUntilMs) return false;
      if (limits.ratePerSecond === null) return true;
      bucket ??= fullBucket(limits.ratePerSecond, nowMs);
      return waitMs(bucket, limits.ratePerSecond, nowMs) === 0;
    },
    began({ ratePerSecond }, nowMs) {
      active++;
      if (bucket && ratePerSecond !== null) bucket = taken(bucket, ratePerSecond, nowMs);
    },
    ended(limits, verdict, nowMs) {
      active--;
      if (!verdict) return;
      if (verdict.slowDown) most = Math.max(1, Math.floor(allowed(limits) / 2));
      else if (verdict.outcome === 'accepted') most = allowed(limits) + 1;
      restsUntilMs = Math.max(restsUntilMs, nowMs + verdict.pauseMs);
    },
  };
}
