/**
 * Once per test run: a real PostgreSQL server and a migrated template of each engine. Test processes find them through the
 * environment and clone what they need.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { pino } from 'pino';
import { migrate } from '../platform/migrate.ts';
import { openPglite } from '../platform/pglite.ts';
import { openPostgres } from '../platform/postgres.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

/** Nothing in this server outlives the run, and no test of it cuts the power; those that kill a database start their own. */
const hasty = ['-c', 'fsync=off', '-c', 'full_page_writes=off'];

let directory: string | undefined;
let server: PostgresServer | undefined;

export async function globalSetup(): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'otp-test-'));
  process.once('exit', forget);
  process.env['TEST_PGLITE_TEMPLATE'] = await makePgliteTemplate(directory);
  server = await startPostgres(hasty);
  await server.createDatabase('otp_template');
  const db = openPostgres({ url: server.url('otp_template'), log: pino({ level: 'silent' }) });
  await migrate(db);
  await db.close();
  process.env['TEST_POSTGRES_URL'] = server.url('postgres');
}

export async function globalTeardown(): Promise<void> {
  await server?.stop();
  forget();
}

function forget(): void {
  if (directory) rmSync(directory, { recursive: true, force: true });
}

async function makePgliteTemplate(into: string): Promise<string> {
  const db = await openPglite({ dataDir: into });
  await migrate(db);
  await db.close();
  const engine = await PGlite.create(join(into, 'pg'));
  const tar = await engine.dumpDataDir('none');
  await engine.close();
  const file = join(into, 'template.tar');
  writeFileSync(file, Buffer.from(await tar.arrayBuffer()));
  return file;
}
