/** Ends codes whose time is over, within a second or two: the contract allows verified_timeout five (§7.3). */
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { expireDue } from './store.ts';

const everyMs = 1_000;
const chunk = 200;

interface ExpiryOptions {
  db: Db;
  log: Log;
  watch?: { expired(codes: number): void } | undefined;
  expireDeliveries(tx: Queryable, expired: readonly { applicationId: string; messageIds: string[] }[]): Promise<void>;
}

export interface Expiry {
  expireDue(): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

export function createExpiry({ db, log, watch, expireDeliveries }: ExpiryOptions): Expiry {
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;
  let running: Promise<void> = Promise.resolve();

  async function sweep(): Promise<number> {
    let total = 0;
    for (;;) {
      const ended = await db.transaction(async (tx) => {
        const due = await expireDue(tx, chunk);
        if (due.length > 0) await expireDeliveries(tx, due);
        return due.length;
      });
      watch?.expired(ended);
      total += ended;
      if (ended < chunk) return total;
    }
  }

  const tick = (): void => {
    running = sweep()
      .then(() => undefined)
      .catch((error: unknown) => log.warn({ err: error }, 'codes could not be expired yet'))
      .finally(() => {
        if (!stopped) timer = setTimeout(tick, everyMs);
      });
  };

  return {
    expireDue: sweep,
    start() {
      stopped = false;
      tick();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
