/**
 * Every application's fact book on this node, fed from the ledger of the last day and then every second. Time is the database's: what
 * passed since the last look is added from this process's steady counter, never from its clock.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { findPlaceOfAge, type Place } from '../events/index.ts';
import { FactBook } from '../fraud-rules/index.ts';
import { feed } from './feed.ts';
import { listCountries, listFollowed, readEntries } from './ledger-store.ts';
import type { FraudPorts } from './ports.ts';
import type { Beat } from './store.ts';

const firstSeconds = 86_400;
const entriesAtOnce = 500;
/** An hour of looks. */
const maxLooks = 3_600;
/** Applications per statement. */
const booksAtOnce = 200;

export interface Watch {
  of(applicationId: string): Watched;
  all(): Iterable<[applicationId: string, Watched]>;
  /** Reads what the ledger has by now, or as much as may be; a beat that was taken before tells up to when it then knows everything. */
  read(beat: Beat, options: ReadOptions): Promise<void>;
}

export interface Watched {
  book: FactBook;
  /** Up to when the book was told everything; null while it reads the past for the first time. */
  knownUntilMs: number | null;
}

export interface ReadOptions {
  goOn(): boolean;
  /** It rests between chunks for so many times as long as they took. */
  restFactor: number;
  /** It ends after so long, wherever it is. */
  atMostMs: number;
}

export function createWatch({ db, relations, isExempt }: Pick<FraudPorts, 'db' | 'relations' | 'isExempt'>): Watch {
  const watched = new Map<string, Watched & { after: Place }>();
  const horizon = createHorizon();
  /** Of applications that have sent nothing yet. */
  const silent: Watched = { book: new FactBook(), knownUntilMs: null };

  async function meet(): Promise<void> {
    for (const id of await listFollowed(db)) {
      if (watched.has(id)) continue;
      const after = await findPlaceOfAge(db, id, firstSeconds);
      const book = new FactBook();
      for (const { country, lastAtMs } of await listCountries(db, relations, id, 0))
        book.knowsCountry(country, lastAtMs);
      watched.set(id, { book, after, knownUntilMs: null });
    }
  }

  /** Resolves with those that may have more at once. */
  async function readChunk(ids: readonly string[], knownMs: number | null): Promise<string[]> {
    const requests = ids.flatMap((applicationId) => {
      const one = watched.get(applicationId);
      return one ? [{ applicationId, after: one.after, one }] : [];
    });
    const pages = await readEntries(db, relations, requests, entriesAtOnce);
    const full: string[] = [];
    for (const [i, { applicationId, one }] of requests.entries()) {
      const page = pages[i] ?? [];
      for (const entry of page) if (!entry.message || !isExempt(entry.message.recipient)) feed(one.book, entry);
      one.after = page.at(-1)?.place ?? one.after;
      if (page.length === entriesAtOnce) full.push(applicationId);
      else one.knownUntilMs = knownMs ?? one.knownUntilMs;
    }
    return full;
  }

  return {
    of: (id) => watched.get(id) ?? silent,
    *all() {
      yield* watched;
    },
    async read(beat, { goOn, restFactor, atMostMs }) {
      const knownMs = horizon.knownUntil(beat);
      const endsAt = performance.now() + atMostMs;
      await meet();
      silent.knownUntilMs = knownMs;
      for (let left = [...watched.keys()]; left.length > 0 && goOn() && performance.now() < endsAt; ) {
        const startedAt = performance.now();
        left = [...left.slice(booksAtOnce), ...(await readChunk(left.slice(0, booksAtOnce), knownMs))];
        if (left.length > 0 && restFactor > 0) await pause((performance.now() - startedAt) * restFactor);
      }
    },
  };
}

/**
 * Up to when a reader of the ledger knows everything. A transaction that runs for long holds readers back, and what others wrote
 * meanwhile is not to be had: an earlier look is as new as its knowledge, if everything that ran at it is over.
 */
function createHorizon(): { knownUntil(beat: Beat): number | null } {
  let looks: Beat[] = [];
  let knownMs: number | null = null;
  return {
    knownUntil(beat) {
      looks.push(beat);
      const last = looks.findLastIndex(({ nextTxid }) => nextTxid <= beat.horizon);
      knownMs = looks[last]?.nowMs ?? knownMs;
      looks = looks.slice(Math.max(last + 1, looks.length - maxLooks));
      return knownMs;
    },
  };
}
