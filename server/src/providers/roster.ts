/** The providers of this process by id, kept equal to the rows. */
import { createLive, type Live, type LivePorts, type LiveProvider } from './live.ts';
import type { Provider } from './records.ts';

export interface Roster {
  find(id: string): Live | null;
  list(): Iterable<Live>;
  /** Takes over the rows as they are now. */
  apply(rows: readonly Provider[]): void;
  /** Opens again what could not be opened a while ago. */
  retry(): void;
  /** Resolves when nothing is being opened any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function createRoster(ports: LivePorts): Roster {
  const lives = new Map<string, LiveProvider>();
  /** Deleted, with hand-overs still under way. */
  const leaving = new Set<LiveProvider>();
  let closed = false;

  function remove(live: LiveProvider): void {
    lives.delete(live.row.id);
    leaving.add(live);
    void live.end(false).then(() => leaving.delete(live));
  }

  return {
    find: (id) => lives.get(id) ?? null,
    list: () => lives.values(),
    apply(rows) {
      if (closed) return;
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const live of [...lives.values()]) {
        const row = byId.get(live.row.id);
        if (row && isSame(live.row, row)) live.update(row);
        else remove(live);
      }
      for (const row of rows) {
        if (lives.has(row.id)) continue;
        lives.set(row.id, createLive(row, ports));
        ports.touch(row.id, true);
      }
    },
    retry() {
      for (const live of lives.values()) live.retry();
    },
    async settled() {
      await Promise.all([...lives.values()].map((live) => live.settled()));
    },
    async close() {
      closed = true;
      await Promise.all([...lives.values(), ...leaving].map((live) => live.end(true)));
    },
  };
}

/** Not one that was deleted and made again under its old name. */
const isSame = (before: Provider, row: Provider): boolean =>
  before.adapter === row.adapter && before.createdAt.getTime() === row.createdAt.getTime();
