/**
 * Every refused send explained: to whom, which error, what was consulted. Noted behind the answer and never in its way: best
 * effort, many in one write, dropped and counted where there are too many. Forgotten with the application's messages.
 */
import type { Log } from '../platform/log.ts';
import { cleaned } from './clean.ts';
import type { FindPorts } from './find-refusals.ts';
import { createOperations, type Operation } from './operations.ts';
import { createQueue } from './queue.ts';
import type { Refusal } from './refusal.ts';
import { forgetRefusals, insertRefusals } from './store.ts';

export type { Refusal } from './refusal.ts';

export type RefusalsOptions = FindPorts & { log: Log };

export interface Refusals {
  /** Never throws, never waits. */
  note(refusal: Refusal): void;
  operations: readonly Operation[];
  /** Writes what was noted by now; for tests and at the end. */
  flush(): Promise<void>;
  /** How many this process could not keep. */
  dropped(): number;
  /** Removes up to `limit` with ids below `belowId`; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
}

export function createRefusals(options: RefusalsOptions): Refusals {
  const { db, log, normaliseRecipient } = options;
  const queue = createQueue({
    log,
    async write(rows) {
      const nowMs = performance.now();
      await insertRefusals(
        db,
        rows.map(({ refusal, notedAtMs }) => ({
          refusal: cleaned(refusal, normaliseRecipient),
          ageMs: nowMs - notedAtMs,
        })),
      );
    },
  });
  return {
    note: queue.add,
    operations: createOperations(options),
    flush: queue.flush,
    dropped: queue.dropped,
    forget: (applicationId, belowId, limit) => forgetRefusals(db, applicationId, belowId, limit),
  };
}
