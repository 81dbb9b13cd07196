/**
 * Which applications chose an event that is written only for those who want it: each API call. Known without asking the database at
 * every request; a change elsewhere is seen within seconds.
 */
import type { EventName } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { listSubscribers } from './health-store.ts';

const refreshEveryMs = 5_000;

export interface Subscribers {
  has(applicationId: string): boolean;
  refresh(): Promise<void>;
  /** Refreshes in the background. */
  look(): void;
  start(): void;
  stop(): Promise<void>;
}

export function createSubscribers({ db, log }: { db: Db; log: Log }, event: EventName): Subscribers {
  let known: ReadonlySet<string> = new Set();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    known = new Set(await listSubscribers(db, event));
  }

  function look(): void {
    looking = refresh().catch((error: unknown) =>
      log.warn({ err: error }, 'who wants to hear of API calls is not known yet'),
    );
  }

  return {
    has: (applicationId) => known.has(applicationId),
    refresh,
    look,
    start() {
      look();
      timer = setInterval(look, refreshEveryMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}
