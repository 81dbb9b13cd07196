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

const firstSeconds = 86_400;
const entriesAtOnce = 500;
/** Applications per statement. */
const booksAtOnce = 200;

export interface Watch {
  /** Undefined for an application that has sent nothing yet. */
  book(applicationId: string): FactBook | undefined;
  books(): Iterable<[applicationId: string, book: FactBook]>;
  /** Reads what the ledger has by now; resolves with how many entries. Rests between chunks for so many times as long as they took. */
  read(goOn: () => boolean, restFactor: number): Promise<number>;
}

export function createWatch({ db, relations, isExempt }: Pick<FraudPorts, 'db' | 'relations' | 'isExempt'>): Watch {
  const watched = new Map<string, { book: FactBook; after: Place }>();

  async function meet(): Promise<void> {
    for (const id of await listFollowed(db)) {
      if (watched.has(id)) continue;
      const after = await findPlaceOfAge(db, id, firstSeconds);
      const book = new FactBook();
      for (const { country, lastAtMs } of await listCountries(db, relations, id, 0))
        book.knowsCountry(country, lastAtMs);
      watched.set(id, { book, after });
    }
  }

  /** Those that may have more at once. */
  async function readChunk(ids: readonly string[]): Promise<{ read: number; full: string[] }> {
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
    }
    return { read: pages.reduce((sum, page) => sum + page.length, 0), full };
  }

  return {
    book: (id) => watched.get(id)?.book,
    *books() {
      for (const [id, { book }] of watched) yield [id, book];
    },
    async read(goOn, restFactor) {
      await meet();
      let total = 0;
      for (let left = [...watched.keys()]; left.length > 0 && goOn(); ) {
        const startedAt = performance.now();
        const { read, full } = await readChunk(left.slice(0, booksAtOnce));
        total += read;
        left = [...full, ...left.slice(booksAtOnce)];
        if (left.length > 0 && restFactor > 0) await pause((performance.now() - startedAt) * restFactor);
      }
      return total;
    },
  };
}
