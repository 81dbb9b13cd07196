/** The rows of this room in memory: all of them, read as a whole, so that what is looked up together belongs together. */
import type { Db } from '../platform/db.ts';
import { createSharedReading } from '../platform/shared-reading.ts';
import { type RouteTable, tableOf } from './pick.ts';
import type { Entry, Provider, Route } from './records.ts';
import { listRoutes } from './route-store.ts';
import { findStamp, listProviders } from './store.ts';

export interface Book {
  routes(): RouteTable;
  entry(id: string): { route: Route; entry: Entry } | null;
  /** Reads everything as it is after this call. */
  read(): Promise<void>;
  /** Reads if something changed since. */
  catchUp(): Promise<void>;
  /** Ends after the reading under way. */
  close(): Promise<void>;
}

/** `onRead` gets the providers of every reading. */
export function createBook(db: Db, onRead: (providers: readonly Provider[]) => void): Book {
  let routes = tableOf([]);
  let entries = new Map<string, { route: Route; entry: Entry }>();
  let stamp = '';

  async function readOnce(): Promise<void> {
    // First: what changes between these statements is then read once more.
    const found = await findStamp(db);
    const providers = await listProviders(db);
    const list = await listRoutes(db);
    stamp = found;
    routes = tableOf(list);
    entries = new Map(list.flatMap((route) => route.entries.map((entry) => [entry.id, { route, entry }] as const)));
    onRead(providers);
  }

  const { read, close } = createSharedReading(readOnce);

  return {
    routes: () => routes,
    entry: (id) => entries.get(id) ?? null,
    read,
    async catchUp() {
      if ((await findStamp(db)) !== stamp) await read();
    },
    close,
  };
}
