/**
 * How many requests a key may make per minute (contract §2 step 4), counted in windows that begin with a key's first request.
 * Counted by this process alone: behind several nodes the limit holds per node, until limits are shared by all of them.
 */
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';

const windowSeconds = 60;
const windowMs = windowSeconds * 1000;

/** What is left to one key in its present window. */
export interface Allowance {
  limit: number;
  used: number;
  resetAtMs: number;
}

export interface Throttle {
  /** Counts one request; more than `limit` of them within the window are too many. */
  take(keyId: string, limit: number): Allowance;
}

export function createThrottle(clock: Clock): Throttle {
  const windows = new Map<string, Allowance>();
  let sweepAtMs = 0;

  function open(keyId: string, limit: number, now: number): Allowance {
    if (now >= sweepAtMs) {
      for (const [key, window] of windows) if (window.resetAtMs <= now) windows.delete(key);
      sweepAtMs = now + windowMs;
    }
    const fresh = { limit, used: 0, resetAtMs: now + windowMs };
    windows.set(keyId, fresh);
    return fresh;
  }

  return {
    take(keyId, limit) {
      const now = clock.now();
      let window = windows.get(keyId);
      // A clock that was set back must not leave a key shut out for longer than a window.
      if (!window || window.resetAtMs <= now || window.resetAtMs - now > windowMs) window = open(keyId, limit, now);
      window.limit = limit;
      window.used++;
      return window;
    },
  };
}

export const isOver = (allowance: Allowance): boolean => allowance.used > allowance.limit;

/** Throws 429/3004 for one too many. */
export function requireUnder(allowance: Allowance, nowMs: number): void {
  if (!isOver(allowance)) return;
  throw new ApiError(3004, 'too many requests', { status: 429, retryAfter: secondsToReset(allowance, nowMs) });
}

/** Whole seconds until the window ends, at least 1. */
export function secondsToReset({ resetAtMs }: Allowance, nowMs: number): number {
  return Math.max(1, Math.ceil((resetAtMs - nowMs) / 1000));
}

/** Value of RateLimit-Policy: `"key";q=6000;w=60`. */
export const policyHeader = ({ limit }: Allowance): string => `"key";q=${limit};w=${windowSeconds}`;

/** Value of RateLimit: remaining requests and seconds to reset, `"key";r=5987;t=41`. */
export function rateHeader(allowance: Allowance, nowMs: number): string {
  return `"key";r=${Math.max(0, allowance.limit - allowance.used)};t=${secondsToReset(allowance, nowMs)}`;
}
