/**
 * Forgets what is past its retention (contract §12, §13): once an hour, application by application, a bounded number of rows at
 * a time. Ids past it answer 4001 before their rows are gone, so that nothing depends on when this runs; every node may run it.
 */
import type { Clock } from './platform/clock.ts';
import { messageIdOf } from './platform/ids.ts';
import type { Log } from './platform/log.ts';
import type { Application } from './policy.ts';
import { retentionMs } from './wire.ts';

const everyMs = 3_600_000;
const rowsAtOnce = 1_000;
const applicationsAtOnce = 100;

/** Removes up to `limit` rows of messages with ids below `belowId`; resolves with how many. */
export type Forget = (applicationId: string, belowId: string, limit: number) => Promise<number>;

export interface RetentionPorts {
  clock: Clock;
  log: Log;
  applicationsAfter(afterId: string, limit: number): Promise<Application[]>;
  /** One per room that keeps something of a message. */
  forget: readonly Forget[];
  /** What is kept per recipient and not per message. */
  sweepTargets(limit: number): Promise<number>;
  sweepCounters(limit: number): Promise<number>;
}

export interface Retention {
  /** Forgets everything that is due; resolves with the number of rows removed. */
  sweep(): Promise<number>;
  start(): void;
  /** Ends after the rows under way. */
  stop(): Promise<void>;
}

export function createRetention({
  clock,
  log,
  applicationsAfter,
  forget,
  sweepTargets,
  sweepCounters,
}: RetentionPorts): Retention {
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let sweeping: Promise<unknown> = Promise.resolve();

  async function inChunks(remove: (limit: number) => Promise<number>): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await remove(rowsAtOnce);
      total += removed;
      if (removed < rowsAtOnce || stopping) return total;
    }
  }

  async function forgetOld(application: Application): Promise<number> {
    // The first id that is still answered, see isRetained.
    const belowId = messageIdOf(clock.now() - retentionMs(application) + 1, 0, 0);
    let total = 0;
    for (const room of forget) total += await inChunks((limit) => room(application.id, belowId, limit));
    return total;
  }

  async function sweep(): Promise<number> {
    let total = (await inChunks(sweepTargets)) + (await inChunks(sweepCounters));
    for (let afterId = '0'; ; ) {
      const page = await applicationsAfter(afterId, applicationsAtOnce);
      for (const application of page) if (!stopping) total += await forgetOld(application);
      const last = page.at(-1);
      if (!last || stopping) return total;
      afterId = last.id;
    }
  }

  const run = (): void => {
    sweeping = sweep().catch((error: unknown) => log.warn({ err: error }, 'old messages were not forgotten yet'));
  };

  return {
    sweep,
    start() {
      run();
      timer = setInterval(run, everyMs);
    },
    async stop() {
      stopping = true;
      clearInterval(timer);
      await sweeping;
    },
  };
}
