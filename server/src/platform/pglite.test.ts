import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../testing/until.ts';
import { DatabaseUnavailable, type Db } from './db.ts';
import { openPglite } from './pglite.ts';
import { upkeep } from './pglite-upkeep.ts';
import { raw, sql } from './sql.ts';

let directory = '';
let db: Db;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'otp-pglite-'));
  db = await openPglite({ dataDir: directory });
  await db.query(raw('create table kept (n int, filler text)'));
});

after(async () => {
  await db.close();
  rmSync(directory, { recursive: true, force: true });
});

const walFiles = (): string[] =>
  readdirSync(join(directory, 'pg', 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name));

/** Megabytes of log. */
const write = (mb: number): Promise<unknown> =>
  db.query(sql`insert into kept select -1, repeat('x', 1000) from generate_series(1, ${mb * 1000})`);

test('a connection that was given up leaves no open transaction and no prepared statement behind', async () => {
  await db.query(sql`select ${1}::int as one`);
  const unavailable = raw(`do $$ begin raise exception 'full' using errcode = '53100'; end $$`);
  await assert.rejects(
    db.transaction((tx) => tx.query(unavailable)),
    DatabaseUnavailable,
  );
  assert.deepEqual(await db.query(sql`select ${1}::int as one`), [{ one: 1 }]);
  await db.transaction((tx) => tx.query(sql`insert into kept values (1)`));
  assert.deepEqual(await db.query(sql`select n from kept where n = 1`), [{ n: 1 }]);
});

test('a database that panics is opened again, keeps what was committed and goes on notifying', async () => {
  const heard: string[] = [];
  await db.listen('still_here', (payload) => heard.push(payload));
  await db.query(sql`insert into kept values (2)`);
  // The next file of the log cannot be made, as on a full disk.
  const log = join(directory, 'pg', 'pg_wal');
  renameSync(log, `${log}.away`);
  await assert.rejects(async () => {
    for (let mb = 0; mb < 64; mb++) await write(1);
  }, DatabaseUnavailable);
  await assert.rejects(db.query(sql`select 1`), DatabaseUnavailable);
  renameSync(`${log}.away`, log);

  await until('the database answers', () => db.ping().then(() => true));
  assert.deepEqual(await db.query(sql`select n from kept where n = 2`), [{ n: 2 }]);
  await db.query(sql`select pg_notify('still_here', 'hello')`);
  await db.query(sql`select 1`);
  assert.deepEqual(heard, ['', 'hello'], 'told that something may have been missed, then the notification');
});

test('the log does not grow for ever: upkeep writes a checkpoint after 128 MB and its files are used again', async () => {
  for (let round = 0; round < 2; round++) {
    await write(140);
    const before = await redoAt();
    await upkeep((statement) => db.query(statement));
    assert.notEqual(await redoAt(), before);
  }
  const logMb = walFiles().length * 16;
  assert.ok(logMb < 200, `280 MB were written and ${logMb} MB are kept`);
});

test('a table with many dead rows is vacuumed by the upkeep', async () => {
  await db.query(raw('create table busy (n int)'));
  await db.query(raw('insert into busy select generate_series(1, 20000)'));
  await db.query(raw('delete from busy'));
  // Statistics are written down at most once a second, by the next statement.
  await until('the vacuum', async () => {
    await upkeep((statement) => db.query(statement));
    const [row] = await db.query<{ vacuumed: boolean }>(
      sql`select last_vacuum is not null as vacuumed from pg_stat_user_tables where relname = 'busy'`,
    );
    return row?.vacuumed === true;
  });
});

test('the statistics of a table that grew are made by the upkeep: plans made while it was empty are made anew', async () => {
  await db.query(raw('create table grown (a int, b int)'));
  await db.query(raw('insert into grown select n % 3, n from generate_series(1, 20000) n'));
  await until('the statistics', async () => {
    await upkeep((statement) => db.query(statement));
    const rows = await db.query(sql`select from pg_stats where tablename = 'grown'`);
    return rows.length === 2;
  });
});

async function redoAt(): Promise<string> {
  const [row] = await db.query<{ at: string }>(sql`select redo_lsn::text as at from pg_control_checkpoint()`);
  return row?.at ?? '';
}
