/**
 * When to report receipts: at the nearest time one is due, known from the hand-overs of this node and from the database, and
 * once a second for those of a node that died. Also sweeps once an hour.
 */
import type { Log } from '../platform/log.ts';

const slowPollMs = 1_000;
/** Receipts due within this time share a round. */
const gatherMs = 20;
const sweepEveryMs = 3_600_000;

export interface ReceiptLoop {
  start(): void;
  /** Ends when the round under way has ended. */
  stop(): Promise<void>;
  /** Something will be due in so many milliseconds. */
  dueIn(inMs: number): void;
}

export interface ReceiptLoopOptions {
  /** One round; false when more is due already. */
  round(): Promise<boolean>;
  nextInMs(): Promise<number | null>;
  /** Goes on only as long as told. */
  sweep(goOn: () => boolean): Promise<void>;
  log: Log;
}

export function createReceiptLoop({ round, nextInMs, sweep, log }: ReceiptLoopOptions): ReceiptLoop {
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let working: Promise<void> | undefined;
  let missed = false;
  let sweeping: Promise<void> | undefined;
  let sweepTimer: NodeJS.Timeout | undefined;

  function dueIn(inMs: number): void {
    const at = performance.now() + Math.max(inMs, gatherMs);
    if (!running || at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(tick, at - performance.now());
  }

  function tick(): void {
    timerAt = Number.POSITIVE_INFINITY;
    // A round under way may have looked for the next due time before this one was planned.
    missed = working !== undefined;
    working ??= work().finally(() => {
      working = undefined;
    });
  }

  async function work(): Promise<void> {
    let nextMs = slowPollMs;
    try {
      while (running && !(await round()));
      nextMs = Math.min(slowPollMs, (await nextInMs()) ?? slowPollMs);
    } catch (error) {
      log.warn({ err: error }, 'receipts of the virtual network wait for the database');
    }
    dueIn(missed ? 0 : nextMs);
    missed = false;
  }

  function sweepNow(): void {
    sweeping ??= sweep(() => running)
      .catch((error: unknown) => log.warn({ err: error }, 'old handset messages could not be removed'))
      .finally(() => {
        sweeping = undefined;
      });
  }

  return {
    start() {
      if (running) return;
      running = true;
      dueIn(0);
      sweepNow();
      sweepTimer = setInterval(sweepNow, sweepEveryMs);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      clearInterval(sweepTimer);
      timerAt = Number.POSITIVE_INFINITY;
      await Promise.all([working, sweeping]);
    },
    dueIn,
  };
}
