/** A migrated database for one test file on either engine, and the clock of both SQL and process. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';
import { pino } from 'pino';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { openPglite } from '../platform/pglite.ts';
import { openPostgres } from '../platform/postgres.ts';
import { raw } from '../platform/sql.ts';
import { createDatabase } from './postgres-server.ts';

export interface TestClock extends Clock {
  /** Moves the database's clock and this process's clock forward. */
  travel(ms: number): Promise<void>;
  /** Both clocks stand still from now on and move by `travel` alone, so that times can be compared exactly. */
  freeze(): Promise<void>;
}

export interface TestDatabase {
  kind: Db['kind'];
  db: Db;
  clock: TestClock;
  /** Only on PostgreSQL: for a second connection pool or process. */
  url: string | undefined;
  close(): Promise<void>;
}

export const engines = ['pglite', 'postgres'] as const;

export async function openTestDatabase(kind: Db['kind'], maxConnections?: number): Promise<TestDatabase> {
  const url = kind === 'postgres' ? await clonePostgres() : undefined;
  const db =
    url === undefined
      ? await clonePglite()
      : openPostgres({ url, log: pino({ level: 'silent' }), ...(maxConnections && { maxConnections }) });
  return { kind, db: guarded(db), clock: createTestClock(db), url, close: () => db.close() };
}

/**
 * The database as rooms see it, refusing what would stop an embedded one for good and starve a pool under load: asking beside
 * one's own open transaction, which holds the only connection.
 */
function guarded(db: Db): Db {
  const around = new AsyncLocalStorage<{ open: boolean }>();
  const requireOutside = (): void => {
    if (around.getStore()?.open) throw new Error('a query beside its own open transaction; hand it the transaction');
  };
  return {
    ...db,
    async query(statement) {
      requireOutside();
      return db.query(statement);
    },
    async transaction(work) {
      requireOutside();
      return db.transaction((tx) => {
        const state = { open: true };
        return around
          .run(state, () => work(tx))
          .finally(() => {
            state.open = false;
          });
      });
    },
    batch(spec) {
      const add = db.batch(spec);
      return async (item) => {
        requireOutside();
        return add(item);
      };
    },
  };
}

/** Declares the same tests once per engine. `get()` may be called inside tests and hooks. */
export function onEachEngine(title: string, declare: (get: () => TestDatabase, kind: Db['kind']) => void): void {
  for (const kind of engines) {
    describe(`${title} (${kind})`, () => {
      let database: TestDatabase | undefined;
      before(async () => {
        database = await openTestDatabase(kind);
      });
      after(async () => {
        await database?.close();
      });
      declare(() => {
        if (!database) throw new Error('the test database is opened in a before hook');
        return database;
      }, kind);
    });
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: run tests with --test-global-setup=server/src/testing/global-setup.ts`);
  return value;
}

function clonePglite(): Promise<Db> {
  return openPglite({ template: readFileSync(required('TEST_PGLITE_TEMPLATE')) });
}

async function clonePostgres(): Promise<string> {
  const admin = required('TEST_POSTGRES_URL');
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(admin, name, 'otp_template');
  return admin.replace(/\/postgres$/, `/${name}`);
}

function createTestClock(db: Db): TestClock {
  let offsetMs = 0;
  let frozenMs: number | null = null;
  const now = (): number => frozenMs ?? Date.now() + offsetMs;
  async function tell(): Promise<void> {
    const time =
      frozenMs === null
        ? `now() + interval '${offsetMs} milliseconds'`
        : `timestamptz '${new Date(frozenMs).toISOString()}'`;
    const body = `returns timestamptz language sql stable parallel safe as $$ select ${time} $$`;
    await db.query(raw(`create or replace function clock_now() ${body}`));
  }
  return {
    now,
    async travel(ms) {
      if (frozenMs === null) offsetMs += ms;
      else frozenMs += ms;
      await tell();
    },
    async freeze() {
      frozenMs = now();
      await tell();
    },
  };
}
