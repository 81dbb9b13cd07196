/**
 * Rows kept in this process by key. A hit answers without a promise; misses are remembered briefly, in a space of their own, so
 * that guessed keys cannot push real ones out. After `forget` nothing read before it is ever kept, not even by a load under way.
 */
import type { Clock } from '../platform/clock.ts';

export interface CacheOptions<Value> {
  load(key: string): Promise<Value | null>;
  clock: Clock;
  maxEntries: number;
  /** A found value is read again after this, in case a notification was lost. */
  maxAgeMs: number;
  maxMisses: number;
  missAgeMs: number;
}

export interface Cache<Value> {
  get(key: string): Value | null | Promise<Value | null>;
  forget(key: string): void;
  forgetAll(): void;
}

interface Entry<Value> {
  value: Value;
  readAt: number;
}

export function createCache<Value>(options: CacheOptions<Value>): Cache<Value> {
  const { clock } = options;
  const found = new Map<string, Entry<Value>>();
  const missing = new Map<string, Entry<null>>();
  const loading = new Map<string, Promise<Value | null>>();

  function keep<T>(map: Map<string, Entry<T>>, max: number, key: string, entry: Entry<T>): void {
    map.delete(key);
    for (const oldest of map.keys()) {
      if (map.size < max) break;
      map.delete(oldest);
    }
    map.set(key, entry);
  }

  function load(key: string): Promise<Value | null> {
    const under = loading.get(key);
    if (under !== undefined) return under;
    const readAt = clock.now();
    const load: Promise<Value | null> = options.load(key).then(
      (value) => {
        if (loading.get(key) !== load) return value;
        loading.delete(key);
        if (value === null) keep(missing, options.maxMisses, key, { value, readAt });
        else keep(found, options.maxEntries, key, { value, readAt });
        return value;
      },
      (error: unknown) => {
        if (loading.get(key) === load) loading.delete(key);
        throw error;
      },
    );
    loading.set(key, load);
    return load;
  }

  return {
    get(key) {
      const now = clock.now();
      const hit = found.get(key);
      if (hit) {
        if (now - hit.readAt < options.maxAgeMs) return hit.value;
        found.delete(key);
      }
      const miss = missing.get(key);
      if (miss) {
        if (now - miss.readAt < options.missAgeMs) return null;
        missing.delete(key);
      }
      return load(key);
    },
    forget(key) {
      found.delete(key);
      missing.delete(key);
      loading.delete(key);
    },
    forgetAll() {
      found.clear();
      missing.clear();
      loading.clear();
    },
  };
}
