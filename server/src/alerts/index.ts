/**
 * Thresholds that tell people. The operator makes rules; what they watch is counted from the ledger or asked of the rooms that know.
 * An alert is raised once, ends once, and is told by callback, e-mail and Telegram: the change, its event and its messages are one
 * transaction, and the messages are posted until they arrive or are given up. All nodes together do this once, by the database's clock.
 */

import { createLoop } from '../platform/loop.ts';
import { sweepAlerts } from './alert-store.ts';
import { judgeDue, judgeEverySeconds } from './evaluate.ts';
import { sweepMinutes } from './minute-store.ts';
import { createOperations, type Operation } from './operations.ts';
import type { AlertsPorts } from './ports.ts';
import { postDue } from './post-messages.ts';

export type { AlertsPorts, Balance, FailingEndpoint, ProviderCircuit } from './ports.ts';

export interface Alerts {
  operations: readonly Operation[];
  /** Judges what is due and posts what is due; resolves with how many alerts began or ended. For tests. */
  round(): Promise<number>;
  /** Forgets what is old. */
  sweep(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

const sweepEveryMs = 3_600_000;
const sweepAtOnce = 1_000;

export function createAlerts(ports: AlertsPorts): Alerts {
  const { db, log } = ports;
  const everyMs = judgeEverySeconds * 1_000;
  const posting = createLoop({
    work: (goOn) => postDue(ports, goOn),
    everyMs,
    log,
    fault: 'alerts could not be told yet',
  });
  const judging = createLoop({
    async work(goOn) {
      if ((await judgeDue(ports, goOn)) > 0) posting.wake();
    },
    everyMs,
    log,
    fault: 'alerts could not be judged yet',
  });
  async function sweep(): Promise<void> {
    await sweepMinutes(db);
    await sweepAlerts(db, sweepAtOnce);
  }
  const sweeping = createLoop({ work: sweep, everyMs: sweepEveryMs, log, fault: 'old alerts were not forgotten yet' });
  const loops = [judging, posting, sweeping];
  return {
    operations: createOperations(ports),
    async round() {
      const changes = await judgeDue(ports);
      await postDue(ports);
      return changes;
    },
    sweep,
    start() {
      for (const loop of loops) loop.start();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
