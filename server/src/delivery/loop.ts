/**
 * Looks after what is due: claims it and has it handled. Woken by this node's own changes, by notifications of other nodes, by a
 * timer for the nearest time due, and at the latest every second. While the database is away it backs off and goes on by itself.
 */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { type Claimed, claimDue, findNextDue } from './store.ts';

const pollMs = 1_000;
/** Rows that are due and locked by others are looked at again after this. */
const breathMs = 20;
const maxBackOffMs = 5_000;
const claimSize = 100;

interface LoopPorts {
  db: Db;
  log: Log;
  /** How many can be handled at once. */
  free(): number;
  handle(claimed: Claimed): void;
}

interface Loop {
  start(): void;
  stop(): Promise<void>;
  /** Room came free; looks if it was short of it. */
  roomCame(): void;
  /** Looks at once, or after `ms`. */
  wake(ms?: number): void;
  /** Claims and handles once; resolves with how many rows it saw. */
  turn(): Promise<number>;
}

/** One timer that only ever moves closer. Timers run in real time, so it is compared in real time. */
function createAlarm(onFire: () => void): { within(ms: number): void; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  let firesAtMs = Number.POSITIVE_INFINITY;
  return {
    within(ms) {
      const atMs = performance.now() + ms;
      if (atMs >= firesAtMs) return;
      clearTimeout(timer);
      firesAtMs = atMs;
      timer = setTimeout(onFire, ms);
    },
    clear() {
      clearTimeout(timer);
      firesAtMs = Number.POSITIVE_INFINITY;
    },
  };
}

export function createLoop({ db, log, free, handle }: LoopPorts): Loop {
  let started = false;
  let turning: Promise<void> | null = null;
  let wanted = false;
  let backOffMs = 0;
  let starved = false;
  const alarm = createAlarm(look);

  async function turn(): Promise<number> {
    let total = 0;
    for (;;) {
      const limit = Math.min(claimSize, free());
      if (limit === 0) return total;
      const { claimed, seen } = await claimDue(db, limit);
      for (const one of claimed) handle(one);
      total += seen;
      if (seen < limit) return total;
    }
  }

  /** One round, and when the next one is. */
  async function round(): Promise<number> {
    try {
      await turn();
      starved = free() === 0;
      if (starved) return pollMs;
      const dueInMs = (await findNextDue(db)) ?? pollMs;
      backOffMs = 0;
      return Math.min(pollMs, Math.max(breathMs, dueInMs));
    } catch (error) {
      backOffMs = Math.min(maxBackOffMs, Math.max(250, backOffMs * 2));
      log.warn({ err: error }, 'cannot look for due deliveries, trying again');
      return backOffMs;
    }
  }

  async function rounds(): Promise<void> {
    let pauseMs = pollMs;
    do {
      wanted = false;
      pauseMs = await round();
    } while (wanted && started && backOffMs === 0);
    turning = null;
    if (started) alarm.within(pauseMs);
  }

  function look(): void {
    alarm.clear();
    if (!started) return;
    if (turning !== null) wanted = true;
    else turning = rounds();
  }

  return {
    turn,
    start() {
      started = true;
      look();
    },
    async stop() {
      started = false;
      alarm.clear();
      await turning;
    },
    roomCame() {
      if (started && starved) look();
    },
    wake(ms = 0) {
      if (!started || backOffMs > 0) return;
      if (ms <= 0) look();
      else if (ms < pollMs) alarm.within(ms);
    },
  };
}
