/**
 * Who waits for a message on a handset, on this node. Waiting holds a timer and a place in a map, never a database connection.
 * A wake-up says "look again" and may be spurious; none is lost, because a watch begins before its owner looks.
 */
import { ApiError } from '../errors.ts';
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';

/** The notification channel on which nodes tell each other which handsets got something. */
const channel = 'handsets';

export interface Watch {
  /** Until woken, `ms` have passed or the signal aborts; at once if woken since the last sleep. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  end(): void;
}

export interface Watchers {
  /** A short name of a handset for notifications, which tells nothing about the number. */
  keyOf(applicationId: string, recipient: string): string;
  wake(keys: Iterable<string>): void;
  /** Throws 429/3004 when too many wait already, DatabaseUnavailable when other nodes cannot be heard. */
  watch(key: string): Promise<Watch>;
  /** Wakes everybody for good: the server stops. */
  close(): void;
  readonly closed: boolean;
}

export interface WatchersOptions {
  db: Pick<Db, 'listen'>;
  keyring: Keyring;
  maxWatchers: number;
}

export function createWatchers({ db, keyring, maxWatchers }: WatchersOptions): Watchers {
  const handsets = new Map<string, Set<() => void>>();
  let count = 0;
  let closed = false;
  let listening: Promise<void> | undefined;

  const wakeAll = (): void => {
    for (const wakes of handsets.values()) for (const wakeOne of wakes) wakeOne();
  };
  function wake(keys: Iterable<string>): void {
    for (const key of keys) for (const wakeOne of handsets.get(key) ?? []) wakeOne();
  }
  // An empty payload comes after a reconnect, when some may have been missed.
  const onNotification = (payload: string): void => (payload === '' ? wakeAll() : wake(payload.split(' ')));

  function listen(): Promise<void> {
    listening ??= db.listen(channel, onNotification).catch((error: unknown) => {
      listening = undefined;
      throw new DatabaseUnavailable(error);
    });
    return listening;
  }

  function leave(key: string, wakeOne: () => void): void {
    const wakes = handsets.get(key);
    if (!wakes?.delete(wakeOne)) return;
    count--;
    if (wakes.size === 0) handsets.delete(key);
  }

  return {
    keyOf: (applicationId, recipient) =>
      keyring.hash('handset-watch', `${applicationId}:${recipient}`).subarray(0, 9).toString('base64url'),
    wake,
    async watch(key) {
      if (count >= maxWatchers) throw new ApiError(3004, 'too many requests', { status: 429, retryAfter: 1 });
      const { wakeOne, sleep } = createSleeper();
      const wakes = handsets.get(key) ?? new Set();
      handsets.set(key, wakes.add(wakeOne));
      count++;
      try {
        await listen();
      } catch (error) {
        leave(key, wakeOne);
        throw error;
      }
      return {
        sleep: (ms, signal) => (closed ? Promise.resolve() : sleep(ms, signal)),
        end: () => leave(key, wakeOne),
      };
    },
    close() {
      closed = true;
      wakeAll();
    },
    get closed() {
      return closed;
    },
  };
}

/** A sleep that remembers being woken while its owner was looking. */
function createSleeper(): { wakeOne(): void; sleep: Watch['sleep'] } {
  let woken = false;
  let rise: (() => void) | undefined;
  return {
    wakeOne() {
      woken = true;
      rise?.();
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        rise = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          rise = undefined;
          woken = false;
          resolve();
        };
        const onAbort = (): void => rise?.();
        const timer = setTimeout(onAbort, ms);
        signal.addEventListener('abort', onAbort);
        if (woken || signal.aborted) rise();
      }),
  };
}
