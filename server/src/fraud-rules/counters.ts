/** Sliding counts in bounded memory. Times are milliseconds since 1970 by the database's clock; nothing here reads a clock. */

/**
 * What was worked out last. Many sends are judged between two readings of the ledger; they find it ready. `key` tells what it was
 * worked out for, and it holds from one time until another.
 */
class Remembered<Value> {
  #key = Number.NaN;
  #fromMs = 0;
  #untilMs = 0;
  #value: Value | undefined;

  find(key: number, nowMs: number): Value | undefined {
    return key === this.#key && nowMs >= this.#fromMs && nowMs < this.#untilMs ? this.#value : undefined;
  }

  keep(key: number, fromMs: number, untilMs: number, value: Value): Value {
    this.#key = key;
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
    this.#value = value;
    return value;
  }

  forget(): void {
    this.#key = Number.NaN;
  }
}

/** How many per window, in buckets: a window reaches back to whole buckets. */
export class SlidingCount {
  readonly #buckets = new Map<number, number>();
  readonly #bucketMs: number;
  readonly #kept: number;
  readonly #last = new Remembered<number>();

  constructor(bucketMs: number, keptMs: number) {
    this.#bucketMs = bucketMs;
    this.#kept = keptMs / bucketMs;
  }

  add(atMs: number): void {
    this.#last.forget();
    const bucket = Math.floor(atMs / this.#bucketMs);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    // Buckets come nearly in order, so the oldest are the first.
    for (const oldest of this.#buckets.keys()) {
      if (oldest > bucket - this.#kept) break;
      this.#buckets.delete(oldest);
    }
  }

  within(windowMs: number, nowMs: number): number {
    const found = this.#last.find(windowMs, nowMs);
    if (found !== undefined) return found;
    const current = Math.floor(nowMs / this.#bucketMs);
    const first = current - windowMs / this.#bucketMs;
    let sum = 0;
    for (const [bucket, count] of this.#buckets) if (bucket > first) sum += count;
    return this.#last.keep(windowMs, current * this.#bucketMs, (current + 1) * this.#bucketMs, sum);
  }
}

/** Different names per window, each with the last time it was seen; at most so many. */
export class RecentNames<Name> {
  readonly #seen = new Map<Name, number>();
  readonly #max: number;
  readonly #last = new Remembered<ReadonlySet<Name>>();

  constructor(max: number) {
    this.#max = max;
  }

  add(name: Name, atMs: number): void {
    this.#last.forget();
    const before = this.#seen.get(name) ?? 0;
    this.#seen.delete(name);
    this.#seen.set(name, Math.max(atMs, before));
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= this.#max) break;
      this.#seen.delete(oldest);
    }
  }

  within(windowMs: number, nowMs: number): ReadonlySet<Name> {
    const found = this.#last.find(windowMs, nowMs);
    if (found) return found;
    const names = new Set<Name>();
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [name, at] of this.#seen) {
      if (at <= nowMs - windowMs) continue;
      names.add(name);
      untilMs = Math.min(untilMs, at + windowMs);
    }
    return this.#last.keep(windowMs, nowMs, untilMs, names);
  }
}

export interface Outcome {
  codes: number;
  verified: number;
}

interface Cohort extends Outcome {
  /** Ended before their time: the last attempt was wrong. */
  ended: number;
}

/**
 * Codes and what became of them, by the bucket in which their life ends. Of codes that still live, those count whose fate is
 * known. By the end and not by the beginning, so that a share means the same for short and for long lives.
 */
export class Outcomes {
  readonly #cohorts = new Map<number, Cohort>();
  readonly #bucketMs: number;
  readonly #keptMs: number;
  readonly #last = new Remembered<Outcome>();

  constructor(bucketMs: number, keptMs: number) {
    this.#bucketMs = bucketMs;
    this.#keptMs = keptMs;
  }

  add(what: 'codes' | 'verified' | 'ended', endsAtMs: number, nowMs: number): void {
    this.#last.forget();
    const bucket = Math.floor(endsAtMs / this.#bucketMs);
    const cohort = this.#cohorts.get(bucket) ?? { codes: 0, verified: 0, ended: 0 };
    cohort[what]++;
    this.#cohorts.set(bucket, cohort);
    const bound = (nowMs - this.#keptMs) / this.#bucketMs - 1;
    if (this.#cohorts.size > 32) for (const old of this.#cohorts.keys()) if (old < bound) this.#cohorts.delete(old);
  }

  /** Of codes whose life ended within the window, and of living ones whose fate is known. */
  within(windowMs: number, nowMs: number): Outcome {
    const found = this.#last.find(windowMs, nowMs);
    if (found) return found;
    const current = Math.floor(nowMs / this.#bucketMs);
    const sum = { codes: 0, verified: 0 };
    for (const [bucket, cohort] of this.#cohorts) {
      if (bucket < current - windowMs / this.#bucketMs) continue;
      sum.verified += cohort.verified;
      sum.codes += bucket < current ? cohort.codes : cohort.verified + cohort.ended;
    }
    this.#last.keep(windowMs, current * this.#bucketMs, (current + 1) * this.#bucketMs, sum);
    return sum;
  }

  /** Of codes whose life ended within the window, and of every living one. */
  codesFrom(windowMs: number, nowMs: number): number {
    const first = Math.floor(nowMs / this.#bucketMs) - windowMs / this.#bucketMs;
    let sum = 0;
    for (const [bucket, { codes }] of this.#cohorts) if (bucket >= first) sum += codes;
    return sum;
  }
}

/** How many may come before what is old is cleared away: a map skips what was deleted at its front each time it is gone through. */
const clearedEvery = 512;

/** Removes entries from the front, the longest unused first, once in a while. */
export class Clearance {
  #waiting = 0;

  clear<Value>(map: Map<string, Value>, max: number, isOver: (value: Value) => boolean): void {
    if (++this.#waiting < clearedEvery) return;
    this.#waiting = 0;
    for (const [oldest, value] of map) {
      if (map.size <= max && !isOver(value)) break;
      map.delete(oldest);
    }
  }
}

/** What is kept per name: forgotten some time after nothing came for so long, and the longest unused when there are too many. */
export class Shelf<Value> {
  readonly #kept = new Map<string, { value: Value; usedAtMs: number }>();
  readonly #clearance = new Clearance();
  readonly #max: number;
  readonly #keptMs: number;
  readonly #make: () => Value;

  constructor(max: number, keptMs: number, make: () => Value) {
    this.#max = max;
    this.#keptMs = keptMs;
    this.#make = make;
  }

  take(name: string, atMs: number): Value {
    const found = this.#kept.get(name);
    const value = found ? found.value : this.#make();
    this.#kept.delete(name);
    this.#kept.set(name, { value, usedAtMs: Math.max(atMs, found?.usedAtMs ?? 0) });
    this.#clearance.clear(this.#kept, this.#max, ({ usedAtMs }) => usedAtMs <= atMs - this.#keptMs);
    return value;
  }

  find(name: string): Value | undefined {
    return this.#kept.get(name)?.value;
  }
}
