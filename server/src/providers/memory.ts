/**
 * What this process knows of providers and routes, kept equal to the database: read again when a notification or the beat says that
 * something changed. A write of this process is known to it before its answer goes out.
 */
import { DatabaseUnavailable } from '../platform/db.ts';
import { countWorkers } from '../platform/nodes.ts';
import { type Book, createBook } from './book.ts';
import { createHealth, goneSeconds, type Health } from './health.ts';
import { sweep } from './health-store.ts';
import type { OpeningPorts } from './open-upstream.ts';
import { createRoster, type Roster } from './roster.ts';
import { changesChannel } from './store.ts';

const beatMs = 10_000;
/** How long a write waits for upstreams being opened, and a start. */
const openWaitMs = 5_000;
const marksAtOnce = 5_000;

export interface Memory extends Pick<Book, 'routes' | 'entry'> {
  roster: Roster;
  health: Health;
  /** Runs a write and knows what it changed, also when its outcome is unknown. */
  afterWrite<T>(write: () => Promise<T>): Promise<T>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** One beat; tests call it instead of waiting. */
  beat(): Promise<void>;
}

export function createMemory(ports: OpeningPorts): Memory {
  const { db, clock, log } = ports;
  let liveNodes = 1;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;
  let stopped = false;
  const roster = createRoster({
    ...ports,
    liveNodes: () => liveNodes,
    touch: (id, urgent) => health.touch(id, urgent),
  });
  const health = createHealth({ db, clock, log, lives: () => roster.list() });
  const book = createBook(db, roster.apply);

  async function beat(): Promise<void> {
    await book.catchUp();
    liveNodes = await countWorkers(db);
    roster.retry();
    await health.beat();
    await sweep(db, marksAtOnce, goneSeconds);
  }

  const quietly = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.warn({ err: error }, 'providers were not read yet'));

  function beatAlone(): void {
    beating ??= quietly(beat()).finally(() => {
      beating = undefined;
    });
  }

  return {
    roster,
    health,
    routes: book.routes,
    entry: book.entry,
    async afterWrite(write) {
      try {
        return await write();
      } finally {
        await book.read().catch(unlessUnavailable);
        await atMost(openWaitMs, roster.settled());
      }
    },
    async start() {
      await db.listen(changesChannel, () => void (stopped || quietly(book.read())));
      await book.read();
      liveNodes = await countWorkers(db);
      await atMost(openWaitMs, roster.settled());
      timer = setInterval(beatAlone, beatMs);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await beating;
      await book.close();
      await roster.close();
      await health.stop();
    },
    beat,
  };
}

/** The write itself was answered; the beat makes good what this node could not read. */
function unlessUnavailable(error: unknown): void {
  if (!(error instanceof DatabaseUnavailable)) throw error;
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
