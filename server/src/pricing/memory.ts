/**
 * The price table in this process, equal to the database: read again when a notification says that it changed, and on a beat for one
 * that was lost. A write of this process is known to it before its answer goes out. The database's clock says which price is in force.
 */
import type { Clock } from '../platform/clock.ts';
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { createSharedReading } from '../platform/shared-reading.ts';
import { type PriceTable, tableOf } from './price.ts';
import { changesChannel, findBook, listAllPrices } from './store.ts';

const beatMs = 10_000;

export interface Memory {
  table(): PriceTable;
  /** By the database's clock, in milliseconds since 1970. */
  now(): number;
  /** Runs a write and knows what it changed, also when its outcome is unknown. */
  afterWrite<T>(write: () => Promise<T>): Promise<T>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** One beat; tests call it instead of waiting. */
  beat(): Promise<void>;
}

export function createMemory({ db, clock, log }: { db: Db; clock: Clock; log: Log }): Memory {
  let table = tableOf([]);
  let version = '';
  let aheadMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<string> {
    const book = await findBook(db);
    aheadMs = book.now.getTime() - clock.now();
    return book.version;
  }

  const { read, close } = createSharedReading(async () => {
    // First: what changes between these statements is then read once more.
    const found = await look();
    table = tableOf(await listAllPrices(db));
    version = found;
  });

  const quietly = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.warn({ err: error }, 'prices were not read yet'));

  async function beat(): Promise<void> {
    if ((await look()) !== version) await read();
  }

  return {
    table: () => table,
    now: () => clock.now() + aheadMs,
    async afterWrite(write) {
      try {
        return await write();
      } finally {
        // The write itself was answered; the beat makes good what this node could not read.
        await read().catch((error: unknown) => {
          if (!(error instanceof DatabaseUnavailable)) throw error;
        });
      }
    },
    async start() {
      await db.listen(changesChannel, () => void (stopped || quietly(read())));
      await read();
      timer = setInterval(() => void quietly(beat()), beatMs);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await close();
    },
    beat,
  };
}
