/**
 * What happened, by hour and day, country, channel, template and provider. Workers follow the ledger and add each entry once to
 * rollups; `GET /v1/insights` reads those alone, so that a quarter is answered as fast as an hour.
 *
 * Everything counts in the hour in which its message was accepted, so that rates compare things of one kind. What is per step
 * (steps_sent, delivered, cost, latencies of hand-over and receipt) counts by channel and provider of the step; what is per message
 * (messages, resends, fallbacks) by the channel of its plan and no provider; what is per verification (verifications, verified,
 * exhausted, expired, wrong codes, time to verify) by channel and provider of its first hand-over, in the hour of its first message.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createLoop } from '../platform/loop.ts';
import { createOperations, type Operation } from './operations.ts';
import type { InsightsPorts } from './ports.ts';
import { countChunk, findUncounted, sweepRollups } from './rollup-store.ts';

export type { InsightsPorts } from './ports.ts';
export { readPastSends } from './read-store.ts';
export { sentCountries } from './rollup-store.ts';

export interface Insights {
  operations: readonly Operation[];
  /** Counts what the ledger has by now; resolves with how many entries. Every node may. For tests. */
  count(): Promise<number>;
  /** Forgets rollups past their time; resolves with how many. */
  sweep(): Promise<number>;
  start(): void;
  /** Ends after the chunk under way. */
  stop(): Promise<void>;
}

const countEveryMs = 5_000;
/** The embedded database does nothing else meanwhile: some ten milliseconds. */
const entriesAtOnce = 500;
/** Counting may lag behind (`computed_until` says how far), sending must not: it works a tenth of the time at most. */
const restFactor = 9;
const sweepEveryMs = 3_600_000;
const rowsAtOnce = 1_000;

export function createInsights(ports: InsightsPorts): Insights {
  const { db, log, relations } = ports;

  async function count(goOn: () => boolean, restFactor: number): Promise<number> {
    let total = 0;
    for (const id of await findUncounted(db)) {
      for (let full = true; full && goOn(); ) {
        const startedAt = performance.now();
        const { held, read } = await countChunk(db, id, entriesAtOnce, relations);
        total += read;
        full = held && read === entriesAtOnce;
        await pause((performance.now() - startedAt) * restFactor);
      }
    }
    return total;
  }

  async function sweep(goOn: () => boolean = () => true): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await sweepRollups(db, rowsAtOnce);
      total += removed;
      if (removed < rowsAtOnce || !goOn()) return total;
    }
  }

  const loops = [
    createLoop({
      work: (goOn) => count(goOn, restFactor),
      everyMs: countEveryMs,
      log,
      fault: 'the ledger could not be counted yet',
    }),
    createLoop({ work: sweep, everyMs: sweepEveryMs, log, fault: 'old insights were not forgotten yet' }),
  ];
  return {
    operations: createOperations(ports),
    count: () => count(() => true, 0),
    sweep: () => sweep(),
    start() {
      for (const loop of loops) loop.start();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
