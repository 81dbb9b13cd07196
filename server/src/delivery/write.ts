/**
 * How a change reaches the row: worked out by next() from the version read, written only if that version still stands, else read
 * and worked out again. Concurrent changes share a statement. Changes that lift a resend lock do so in the same transaction.
 */

import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Charges } from './charge-store.ts';
import type { Ids } from './content.ts';
import { type Happening, type Next, next } from './next.ts';
import { type CallRecord, findDeliveries, type Loaded, type Save, saveDeliveries } from './store.ts';

export interface Release extends Ids {
  target: string;
  templateId: string;
}
export type ReleasePort = (tx: Queryable, rows: readonly Release[]) => Promise<void>;

export interface Write {
  /** Works out and saves a change; null when the delivery does not exist (any more). `read` spares the first reading. */
  change(ids: Ids, read: Loaded | null, happening: Happening, call?: CallRecord): Promise<Next | null>;
  /** The same for rows that the transaction holds locked, all in one statement. */
  changeLocked(tx: Queryable, changes: readonly LockedChange[]): Promise<Next[]>;
}

interface LockedChange {
  loaded: Loaded;
  happening: Happening;
  /** Sealed anew. */
  content?: Buffer | undefined;
}

interface Ports {
  db: Db;
  clock: Clock;
  release: ReleasePort;
  currency: string;
  charges?: Charges | undefined;
}

/** Two transactions wanted each other's rows; this one had no effect and may be run again. */
const isDeadlock = (error: unknown): boolean =>
  /^40(001|P01)$/.test(String((error as { code?: unknown } | null)?.code));

/** Nobody waits for an outcome to be written: a few milliseconds make one statement of many. */
const gatherMs = 4;

/** A change of the group lost its version: nothing of the group was written. */
class Overtaken extends Error {}

export function createWrite({ db, clock, release, currency, charges }: Ports): Write {
  const key = ({ applicationId, messageId }: Ids): string => `${applicationId}:${messageId}`;
  const read = db.batch<Ids, Loaded | null>({ run: findDeliveries });
  const save = db.batch<Save, boolean>({ run: (on, saves) => saveDeliveries(on, saves, charges), key, gatherMs });
  const saveReleasing = db.batch<Save, boolean>({ run: (_, saves) => releaseAll(saves), key });

  const releases = (saves: readonly Save[]): Release[] =>
    saves.flatMap(({ applicationId, messageId, state }) =>
      state.release ? [{ applicationId, messageId, ...state.release }] : [],
    );

  /** Locks of recipients before rows of deliveries: the order in which a new send takes them. */
  function together(saves: readonly Save[]): Promise<boolean[]> {
    return db.transaction(async (tx) => {
      await release(tx, releases(saves));
      const saved = await saveDeliveries(tx, saves, charges);
      if (saved.includes(false)) throw new Overtaken();
      return saved;
    });
  }

  async function releaseAll(saves: readonly Save[], tries = 5): Promise<boolean[]> {
    try {
      return await together(saves);
    } catch (error) {
      if (!(error instanceof Overtaken) && !(isDeadlock(error) && tries > 0)) throw error;
      if (saves.length === 1) return error instanceof Overtaken ? [false] : releaseAll(saves, tries - 1);
      const saved: boolean[] = [];
      for (const one of saves) saved.push(...(await releaseAll([one], tries)));
      return saved;
    }
  }

  return {
    async change(ids, first, happening, call) {
      for (let loaded = first ?? (await read(ids)); loaded; loaded = await read(ids)) {
        const nowMs = clock.now();
        const result = next(loaded.state, happening, nowMs, currency);
        if (result.state === loaded.state) return result;
        const item = saveOf(loaded, result, nowMs, call ?? null);
        if (await (result.release ? saveReleasing : save)(item)) return result;
      }
      return null;
    },
    async changeLocked(tx, changes) {
      const nowMs = clock.now();
      const results = changes.map(({ loaded, happening }) => next(loaded.state, happening, nowMs, currency));
      const saves = changes.flatMap(({ loaded, content }, i): Save[] => {
        const result = results[i];
        if (!result || result.state === loaded.state) return [];
        return [{ ...saveOf(loaded, result, nowMs, null), ...(content && { content }) }];
      });
      if (saves.length > 0 && (await saveDeliveries(tx, saves, charges)).includes(false))
        throw new Error('a locked delivery changed');
      return results;
    },
  };
}

const saveOf = (loaded: Loaded, result: Next, nowMs: number, call: CallRecord | null): Save => ({
  applicationId: loaded.applicationId,
  messageId: loaded.messageId,
  version: loaded.version,
  before: loaded.state,
  state: result.state,
  nowMs,
  entries: result.entries,
  call,
});
