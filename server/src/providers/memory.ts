/**
 * What this process knows of providers and routes: all of it, read again when a notification or the beat says that something
 * changed. A write of this process is known to it before its answer goes out.
 */
import { DatabaseUnavailable } from '../platform/db.ts';
import { countWorkers } from '../platform/nodes.ts';
import { createHealth, goneSeconds, type Health } from './health.ts';
import { sweep } from './health-store.ts';
import type { OpeningPorts } from './open-upstream.ts';
import { type RouteTable, tableOf } from './pick.ts';
import type { Entry, Route } from './records.ts';
import { createRoster, type Roster } from './roster.ts';
import { listRoutes } from './route-store.ts';
import { changesChannel, findStamp, listProviders } from './store.ts';

const beatMs = 10_000;
/** How long a write waits for upstreams being opened, and a start. */
const openWaitMs = 5_000;
const marksAtOnce = 5_000;

export interface Memory {
  roster: Roster;
  health: Health;
  routes(): RouteTable;
  entry(id: string): { route: Route; entry: Entry } | null;
  /** Runs a write and knows what it changed, also when its outcome is unknown. */
  afterWrite<T>(write: () => Promise<T>): Promise<T>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** One beat; tests call it instead of waiting. */
  beat(): Promise<void>;
}

export function createMemory(ports: OpeningPorts): Memory {
  const { db, clock, log } = ports;
  let routes = tableOf([]);
  let entries = new Map<string, { route: Route; entry: Entry }>();
  let stamp = '';
  let liveNodes = 1;
  let stopped = false;
  let reading: Promise<void> | undefined;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> = Promise.resolve();

  const roster = createRoster({
    ...ports,
    liveNodes: () => liveNodes,
    touch: (id, urgent) => health.touch(id, urgent),
  });
  const health = createHealth({ db, clock, log, lives: () => roster.list() });

  async function readOnce(): Promise<void> {
    const found = await findStamp(db);
    const [rows, list] = [await listProviders(db), await listRoutes(db)];
    stamp = found;
    routes = tableOf(list);
    entries = new Map(list.flatMap((route) => route.entries.map((entry) => [entry.id, { route, entry }] as const)));
    roster.apply(rows);
  }

  /** A reading that begins after this call; those that ask meanwhile share the next one. */
  function read(): Promise<void> {
    if (reading !== undefined) {
      again = true;
      return reading;
    }
    reading = (async () => {
      do {
        again = false;
        await readOnce();
      } while (again && !stopped);
    })().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function beat(): Promise<void> {
    if ((await findStamp(db)) !== stamp) await read();
    liveNodes = await countWorkers(db);
    roster.retry();
    await health.beat();
    await sweep(db, marksAtOnce, goneSeconds);
  }

  const beatQuietly = (): Promise<void> =>
    beat().catch((error: unknown) => log.warn({ err: error }, 'providers were not read yet'));

  function readQuietly(): void {
    if (!stopped) read().catch((error: unknown) => log.warn({ err: error }, 'providers were not read yet'));
  }

  return {
    roster,
    health,
    routes: () => routes,
    entry: (id) => entries.get(id) ?? null,
    async afterWrite(write) {
      try {
        return await write();
      } finally {
        await read().catch((error: unknown) => {
          if (!(error instanceof DatabaseUnavailable)) throw error;
        });
        await atMost(openWaitMs, roster.settled());
      }
    },
    async start() {
      await db.listen(changesChannel, readQuietly);
      await read();
      liveNodes = await countWorkers(db);
      await atMost(openWaitMs, roster.settled());
      timer = setInterval(() => {
        beating = beating.then(beatQuietly);
      }, beatMs);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await beating;
      await reading?.catch(() => undefined);
      await roster.close();
      await health.stop();
    },
    beat,
  };
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
