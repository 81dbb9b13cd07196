// When a failed request is repeated, and after which pause. Pure: the randomness is handed in.
// A server that names a time is never asked earlier; one that names a long time is not asked again at all.

import { EngagelabError } from './errors.ts';

const firstPauseMs = 500;
const longestPauseMs = 8_000;
/** A quota may ask for hours. Nobody wants a call that sleeps so long: such an error goes to the caller at once. */
const longestWaitMs = 60_000;

/**
 * Milliseconds to wait before the next try, or undefined when the error is final.
 * `tries` counts what was already sent (1 after the first failure); `random` returns 0 ≤ x < 1.
 */
export function pauseBeforeRetry(error: unknown, tries: number, random: () => number): number | undefined {
  if (!(error instanceof EngagelabError) || !worthRepeating(error, tries)) return undefined;
  if (error.retryAfter !== undefined) {
    const asked = error.retryAfter * 1000;
    return asked <= longestWaitMs ? asked : undefined;
  }
  return Math.floor(random() * Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1)));
}

function worthRepeating(error: EngagelabError, tries: number): boolean {
  if (error.retryable) return true;
  // Our own earlier try, whose answer was lost, still runs under the same Idempotency-Key: its result can be fetched.
  return tries > 1 && error.httpStatus === 409 && error.retryAfter !== undefined;
}
