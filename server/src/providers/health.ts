/**
 * Tells the other nodes, and through them the operator, how this one sees its providers: at once when a circuit or an upstream
 * changes, with the beat while there is traffic, and now and then so that it is known to live.
 */
import { hostname } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { prefixedId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { deleteHealthOf, type HealthRow, saveHealth } from './health-store.ts';
import type { Live } from './live.ts';

const aliveEveryMs = 60_000;
/** A node that wrote nothing for so long is gone: it missed two beats. */
export const goneSeconds = 130;

export interface Health {
  /** There was traffic, or (`urgent`) something changed. */
  touch(id: string, urgent: boolean): void;
  /** Writes what was touched; what was written a minute ago too. */
  beat(): Promise<void>;
  /** Writes everything. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

interface HealthPorts {
  db: Db;
  clock: Clock;
  log: Log;
  lives: () => Iterable<Live>;
}

export function createHealth({ db, clock, log, lives }: HealthPorts): Health {
  const node = `${hostname().slice(0, 40)}-${prefixedId('n', clock.now()).slice(-8).toLowerCase()}`;
  const touched = new Set<string>();
  let writtenAtMs = 0;
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;
  let stopped = false;

  async function write(choose: (id: string) => boolean): Promise<void> {
    const rows = [...lives()].filter(({ row }) => choose(row.id)).map((live) => rowOf(live, node));
    for (const { provider } of rows) touched.delete(provider);
    if (rows.length === 0 || stopped) return;
    try {
      await saveHealth(db, rows);
    } catch (error) {
      for (const { provider } of rows) touched.add(provider);
      log.warn({ err: error }, 'the health of providers was not written yet');
    }
  }

  /** One write at a time, so that an older state never lands on a newer one. */
  function enqueue(choose: (id: string) => boolean): Promise<void> {
    writing = writing.then(() => write(choose));
    return writing;
  }

  const isTouched = (id: string): boolean => touched.has(id);
  return {
    touch(id, urgent) {
      touched.add(id);
      if (!urgent || scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        void enqueue(isTouched);
      });
    },
    beat() {
      const all = clock.now() >= writtenAtMs + aliveEveryMs;
      if (all) writtenAtMs = clock.now();
      return enqueue(all ? () => true : isTouched);
    },
    flush: () => enqueue(() => true),
    async stop() {
      stopped = true;
      await writing;
      await deleteHealthOf(db, node).catch((error: unknown) =>
        log.warn({ err: error }, 'the health of this node stays'),
      );
    },
  };
}

function rowOf({ row, gate, handle, fault }: Live, node: string): HealthRow {
  const { circuit, sinceMs, reason, calls, errors } = gate.view();
  return {
    provider: row.id,
    node,
    opened: handle !== null,
    circuit,
    since: new Date(sinceMs),
    reason: fault ?? reason,
    calls,
    errors,
  };
}
