/**
 * What this process keeps of the room's rows: keys by dev_key, applications by id, the operator's tokens
 * and sessions. Forgotten at once after
 * a write of this process (`afterWrite`) and on the notification every write sends (`listen`); `maxAgeMs` bounds what a lost
 * notification can do.
 */
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import { type Cache, createCache } from './cache.ts';
import { type LoginKey, toLoginKey } from './login-key.ts';
import { findSession, type OperatorSession } from './session-store.ts';
import { changesChannel, findApplication, findKeysForLogin, listTokenHashes } from './store.ts';

export interface Memory {
  keys: Cache<LoginKey>;
  applications: Cache<Application>;
  tokens: Cache<Buffer[]>;
  /** By the hash of their token, in hex. */
  sessions: Cache<OperatorSession>;
  /** Begins to hear other nodes; once per process, before requests are served. */
  listen(): Promise<void>;
  /** Runs a write and forgets what it may have changed, also when its outcome is unknown. */
  afterWrite<T>(change: Change, write: () => Promise<T>): Promise<T>;
}

/** The payload of a notification. */
export type Change = `key:${string}` | `application:${string}` | 'operator' | '';

const limits = { maxEntries: 50_000, maxAgeMs: 60_000, maxMisses: 10_000, missAgeMs: 5_000 };

export function createMemory(db: Db, clock: Clock): Memory {
  const findForLogin = db.batch({ run: findKeysForLogin });
  const keys = createCache({
    ...limits,
    clock,
    async load(devKey) {
      const stored = await findForLogin(devKey);
      return stored && toLoginKey(stored);
    },
  });
  const applications = createCache<Application>({ ...limits, clock, load: (id) => findApplication(db, id) });
  const tokens = createCache({ ...limits, clock, load: () => listTokenHashes(db) });
  const sessions = createCache({ ...limits, clock, load: (hash) => findSession(db, Buffer.from(hash, 'hex')) });

  function forget(change: string): void {
    if (change.startsWith('key:')) keys.forget(change.slice(4));
    else if (change.startsWith('application:')) applications.forget(change.slice(12));
    else if (change === 'operator') for (const cache of [tokens, sessions]) cache.forgetAll();
    else for (const cache of [keys, applications, tokens, sessions]) cache.forgetAll();
  }

  let listening: Promise<void> | undefined;
  return {
    keys,
    applications,
    tokens,
    sessions,
    listen: () => {
      listening ??= db.listen(changesChannel, forget).catch((error: unknown) => {
        listening = undefined;
        throw error;
      });
      return listening;
    },
    async afterWrite(change, write) {
      try {
        return await write();
      } finally {
        forget(change);
      }
    },
  };
}
