/**
 * Time as seen by this process. The database is the clock for every rule (`clock_now()` in SQL); this one makes message ids
 * and wakes timers. Tests move both together.
 */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
