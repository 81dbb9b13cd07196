/** When a callback that failed is posted again (contract §10.3). Pure. */

const minute = 60;
const hour = 3600;
const day = 24 * hour;

/** Seconds between a failed try and the next; a table that ends has given up. */
const delays = {
  /** The contract's: 24 retries, 18.8 days. */
  vendor: [minute, 10 * minute, hour, 2 * hour, 5 * hour, 10 * hour, ...new Array<number>(18).fill(day)],
  fast: [5, 30, 2 * minute, 10 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour, day],
  /** The example schedule of Standard Webhooks. */
  standard: [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, day],
  none: [],
} as const satisfies Record<string, readonly number[]>;

export type ScheduleName = keyof typeof delays;
export const scheduleNames = Object.keys(delays) as ScheduleName[];

const maxJitter = 0.1;
const maxRetryAfterSeconds = hour;

/**
 * Milliseconds from the try that failed to the next, null when it was the last. `tries` counts the one that failed. `chance` is
 * in [0, 1): up to a tenth more. A longer wait that the receiver asked for counts, up to an hour.
 */
export function nextTryInMs(
  schedule: ScheduleName,
  tries: number,
  chance: number,
  retryAfterSeconds: number | null = null,
): number | null {
  const delay = delays[schedule][tries - 1];
  if (delay === undefined) return null;
  const jittered = delay * (1 + maxJitter * chance);
  const asked = Math.min(retryAfterSeconds ?? 0, maxRetryAfterSeconds);
  return Math.round(Math.max(jittered, asked) * 1000);
}
