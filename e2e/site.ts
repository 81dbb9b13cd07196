/**
 * A place where a server can be started, killed and started again on the same data: a data directory or a database of the test
 * run's PostgreSQL, with the same keys. Its data can be read with SQL: embedded, only while no server runs.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Db } from '../server/src/platform/db.ts';
import { createLog } from '../server/src/platform/log.ts';
import { openPglite } from '../server/src/platform/pglite.ts';
import { openPostgres } from '../server/src/platform/postgres.ts';
import { createDatabase } from '../server/src/testing/postgres-server.ts';
import { presetEnv } from './client.ts';
import { type ServerProcess, startServer } from './server-process.ts';

export type Kind = Db['kind'];

export interface Site {
  env: Record<string, string>;
  /** Killed at the end of the test if it still runs then. */
  start(more?: Record<string, string>): Promise<ServerProcess>;
  withDb<T>(work: (db: Db) => Promise<T>): Promise<T>;
}

/** Gone, with all its processes, when the test has ended. */
export async function openSite(t: TestContext, kind: Kind): Promise<Site> {
  const env = kind === 'pglite' ? { DATA_DIR: migratedDirectory(t) } : await newDatabase();
  return siteWith(t, { ...presetEnv, ...env });
}

/** A site over settings of the test's own. */
export function siteWith(t: TestContext, env: Record<string, string>): Site {
  const log = createLog('silent');
  const open = async (): Promise<Db> =>
    env['DATABASE_URL'] === undefined
      ? openPglite({ dataDir: env['DATA_DIR'] ?? '' })
      : openPostgres({ url: env['DATABASE_URL'], log });
  return {
    env,
    async start(more = {}) {
      const server = await startServer({ ...env, ...more });
      t.after(() => server.kill());
      return server;
    },
    async withDb(work) {
      const db = await open();
      try {
        return await work(db);
      } finally {
        await db.close();
      }
    },
  };
}

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'otp-e2e-'));
  // Hooks run in the order of their registration; the processes of the test are killed by then.
  t.after(() => process.once('exit', () => rmSync(directory, { recursive: true, force: true })));
  return directory;
}

/** As after the first moments of a first start: a database of the test run's making, and no keys yet. */
function migratedDirectory(t: TestContext): string {
  const directory = temporaryDirectory(t);
  const into = join(directory, 'pg');
  mkdirSync(into);
  execFileSync('tar', ['-xf', fromSetup('TEST_PGLITE_TEMPLATE'), '-C', into], { stdio: 'pipe' });
  return directory;
}

const masterKey = '07'.repeat(32);

async function newDatabase(): Promise<Record<string, string>> {
  const admin = fromSetup('TEST_POSTGRES_URL');
  const name = `e2e_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(admin, name);
  return { DATABASE_URL: admin.replace(/\/postgres$/, `/${name}`), MASTER_KEY: masterKey };
}

function fromSetup(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: run tests with --test-global-setup=server/src/testing/global-setup.ts`);
  return value;
}
