/**
 * Who follows the events of an application on this node: streams and long polls. One loop asks the database for all of them, some ten
 * times a second while anybody waits, and what it finds is kept for a while, so that many followers of one application share one
 * read. Who is further back than what is kept reads by themselves, a slice whenever they ask for one: nobody is read for ahead of
 * what they take. What is handed out depends on the follower's place alone, so nothing is missed or given twice on the way
 * from one's own reading to the shared one.
 */
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/sql.ts';
import type { Place } from './cursor.ts';
import { readPages } from './stream-store.ts';
import { createWindow, type Slice, sliceOf, type Window } from './window.ts';

export interface FollowOptions {
  db: Db;
  log: Log;
  facts: Sql;
  /** Between two looks while somebody waits. */
  pollMs: number;
  /** Events kept per application. */
  maxKept: number;
  /** Followers of this node at once, and of one key. */
  maxFollowers: number;
  maxPerKey: number;
}

export interface Follower {
  /** What comes behind the place: at once if there is something, else when there is, at the latest after `ms`, when the signal aborts or the server stops. */
  next(after: Place, ms: number, signal: AbortSignal): Promise<Slice>;
  end(): void;
}

export interface Following {
  /** Throws 429/3004 when there are too many. */
  follow(applicationId: string, keyId: string): Follower;
  /** Sends everybody home; resolves when nothing is asked any more. */
  stop(): Promise<void>;
  readonly closed: boolean;
}

/** Entries handed out or read at once. */
const sliceRows = 200;
const afterFailureMs = 1_000;

export function createFollowing(options: FollowOptions): Following {
  const { db, log, facts, pollMs } = options;
  const windows = new Map<string, Window>();
  const seats = createSeats(options);
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  /** One statement for every application somebody waits for; whether there is more to be had at once. */
  async function look(): Promise<boolean> {
    const waited = [...windows].flatMap(([applicationId, window]) =>
      window.head && window.isWaitedFor() ? [{ applicationId, after: window.head, window }] : [],
    );
    if (waited.length === 0) return false;
    const pages = await readPages(db, facts, waited, sliceRows);
    for (const [i, { window, after }] of waited.entries()) {
      const page = pages[i];
      if (page) window.append(sliceOf(page, after, sliceRows));
    }
    return pages.some(({ entries }) => entries.length === sliceRows);
  }

  function schedule(ms: number): void {
    if (closed || timer !== undefined || looking !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      looking = lookAndGoOn();
    }, ms);
  }

  async function lookAndGoOn(): Promise<void> {
    let ms = pollMs;
    try {
      if (await look()) ms = 0;
    } catch (error) {
      log.warn({ err: error }, 'new events could not be read yet');
      ms = afterFailureMs;
    }
    looking = undefined;
    if ([...windows.values()].some((window) => window.isWaitedFor())) schedule(ms);
  }

  async function readAlone(window: Window, applicationId: string, after: Place): Promise<Slice> {
    const [page] = await readPages(db, facts, [{ applicationId, after }], sliceRows);
    if (!page) throw new Error('a statement that returns one page returned none');
    const slice = sliceOf(page, after, sliceRows);
    if (!slice.isFull) window.beginAt(page.horizon);
    return slice;
  }

  async function next(window: Window, applicationId: string, from: Place, ms: number, signal: AbortSignal) {
    const endsAt = performance.now() + ms;
    for (let after = from; ; ) {
      const leftMs = endsAt - performance.now();
      const isOver = (): boolean => closed || signal.aborted || leftMs <= 0;
      const kept = window.behind(after, sliceRows);
      if (kept && (kept.told.length > 0 || isOver())) return kept;
      if (kept) {
        const woken = window.wait(leftMs, signal);
        schedule(pollMs);
        await woken;
        continue;
      }
      const slice = await readAlone(window, applicationId, after);
      if (slice.told.length > 0 || slice.isFull || isOver()) return slice;
      after = slice.next;
    }
  }

  return {
    follow(applicationId, keyId) {
      const leave = seats.take(keyId);
      const window = windows.get(applicationId) ?? createWindow(options.maxKept);
      windows.set(applicationId, window);
      window.followers++;
      let ended = false;
      return {
        next: (after, ms, signal) => next(window, applicationId, after, ms, signal),
        end() {
          if (ended) return;
          ended = true;
          leave();
          if (--window.followers === 0) windows.delete(applicationId);
        },
      };
    },
    async stop() {
      closed = true;
      clearTimeout(timer);
      for (const window of windows.values()) window.wakeAll();
      await looking;
    },
    get closed() {
      return closed;
    },
  };
}

function createSeats({ maxFollowers, maxPerKey }: FollowOptions): { take(keyId: string): () => void } {
  const byKey = new Map<string, number>();
  let count = 0;
  return {
    take(keyId) {
      const ofKey = byKey.get(keyId) ?? 0;
      if (count >= maxFollowers || ofKey >= maxPerKey)
        throw new ApiError(3004, 'too many requests', { status: 429, retryAfter: 5 });
      count++;
      byKey.set(keyId, ofKey + 1);
      return () => {
        count--;
        const left = (byKey.get(keyId) ?? 1) - 1;
        if (left === 0) byKey.delete(keyId);
        else byKey.set(keyId, left);
      };
    },
  };
}
