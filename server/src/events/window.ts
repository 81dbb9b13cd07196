/**
 * The newest events of one application as this node keeps them: an unbroken stretch from one place to the head, and those who wait for
 * more. Pure but for timers.
 */
import { furthest, isBehind, type Place } from './cursor.ts';
import type { StoredPage } from './stream-store.ts';
import { type Told, tell } from './told.ts';

export interface Slice {
  told: Told[];
  /** Where to go on: everything up to here is in the slice, or is not told. */
  next: Place;
  /** Ended by its size, so that more may be there. */
  isFull: boolean;
}

export interface Window {
  followers: number;
  /** Null until somebody has read up to the end of what there is. */
  readonly head: Place | null;
  /** Begins with nothing at the place, unless it has begun. */
  beginAt(place: Place): void;
  /** What was read behind the head. */
  append(slice: Slice): void;
  /** Null: what lies behind the place is not kept here. */
  behind(place: Place, limit: number): Slice | null;
  /** Until something is appended, `ms` have passed or the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  isWaitedFor(): boolean;
  wakeAll(): void;
}

/** What was read behind `after` with a limit of so many rows. */
export function sliceOf({ entries, horizon }: StoredPage, after: Place, limit: number): Slice {
  const told = entries.flatMap((entry) => tell(entry) ?? []);
  const last = entries.at(-1);
  const isFull = entries.length >= limit;
  return { told, next: isFull && last ? last.place : furthest(after, horizon), isFull };
}

export function createWindow(maxKept: number): Window {
  const waiting = new Set<() => void>();
  let kept: Told[] = [];
  let from: Place | null = null;
  let head: Place | null = null;
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };
  return {
    followers: 0,
    get head() {
      return head;
    },
    beginAt(place) {
      from ??= place;
      head ??= place;
    },
    append({ told, next }) {
      head = next;
      if (told.length === 0) return;
      kept.push(...told);
      const dropped = kept.at(-maxKept - 1);
      if (dropped) {
        from = dropped.place;
        kept = kept.slice(-maxKept);
      }
      wakeAll();
    },
    behind(place, limit) {
      if (!head || !from || isBehind(place, from)) return null;
      // From the end: the news are few and what is kept is much.
      const first = kept.findLastIndex((told) => !isBehind(place, told.place)) + 1;
      const told = kept.slice(first, first + limit);
      const last = told.at(-1);
      const isFull = first + limit < kept.length;
      return { told, next: isFull && last ? last.place : furthest(place, head), isFull };
    },
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const rise = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', rise);
          waiting.delete(rise);
          resolve();
        };
        const timer = setTimeout(rise, ms);
        signal.addEventListener('abort', rise);
        waiting.add(rise);
      }),
    isWaitedFor: () => waiting.size > 0,
    wakeAll,
  };
}
