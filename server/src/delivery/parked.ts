/**
 * Receipts that came before the attempt they are about was known: the upstream was quicker than our own commit, or the node that
 * called it died. They are kept in the database for five minutes and offered again, so that a webhook can be answered at once.
 */
import type { Receipt } from '../channels/index.ts';
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { claimParked, deleteParked, insertParked } from './parked-store.ts';

const lookEveryMs = 1_000;
const soonMs = 350;
const atOnce = 100;

export interface ParkedReceipts {
  park(provider: string, receipt: Receipt): Promise<void>;
  start(): void;
  stop(): Promise<void>;
  /** Offers what is to be looked at by now; resolves with how many were taken. */
  look(): Promise<number>;
}

interface Ports {
  db: Db;
  log: Log;
  receive(provider: string, receipt: Receipt): Promise<boolean>;
}

export function createParkedReceipts({ db, log, receive }: Ports): ParkedReceipts {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let looking: Promise<unknown> = Promise.resolve();

  async function look(): Promise<number> {
    const parked = await claimParked(db, atOnce);
    const taken: string[] = [];
    for (const { id, provider, receipt } of parked) if (await receive(provider, receipt)) taken.push(id);
    if (taken.length > 0) await deleteParked(db, taken);
    return taken.length;
  }

  function lookIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => {
          if (!(error instanceof DatabaseUnavailable)) log.error({ err: error }, 'parked receipts were not looked at');
        })
        .finally(() => {
          if (running) lookIn(lookEveryMs);
        });
    }, ms);
    timer.unref();
  }

  return {
    async park(provider, receipt) {
      await insertParked(db, provider, receipt);
      if (running) lookIn(soonMs);
    },
    start() {
      running = true;
      lookIn(lookEveryMs);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      await looking;
    },
    look,
  };
}
