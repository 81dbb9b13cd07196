import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type PostgresServer, startPostgres } from '../testing/postgres-server.ts';
import { until } from '../testing/until.ts';
import { DatabaseUnavailable, type Db } from './db.ts';
import { createLog } from './log.ts';
import { openPostgres } from './postgres.ts';
import { sql } from './sql.ts';

let server: PostgresServer;
let db: Db;
const logged: string[] = [];
const heard: string[] = [];

before(async () => {
  server = await startPostgres();
  const log = createLog('warn', { write: (line) => void logged.push(line) });
  db = openPostgres({ url: server.url('postgres'), log, silenceMs: 1_000 });
  // Two at once, as rooms do when they start.
  await Promise.all(
    ['one', 'two'].map((channel) => db.listen(channel, (payload) => heard.push(`${channel}:${payload}`))),
  );
});

after(async () => {
  await db.close();
  await server.stop();
});

const listening = sql`select pid from pg_stat_activity where application_name = 'otp-platform-listen'`;

test('one connection listens, however many channels there are', async () => {
  assert.equal((await db.query(listening)).length, 1);
});

test('after a long absence of the server one connection listens again, and each handler is told once', async () => {
  await server.kill();
  await until('some attempts to listen', () => logged.filter((line) => line.includes('cannot listen')).length >= 4);
  await assert.rejects(db.query(sql`select 1`), DatabaseUnavailable);
  await server.start();
  await until('the handlers are told', () => heard.length > 0);
  await until('the database answers', () => db.ping().then(() => true));
  assert.deepEqual(heard.splice(0).sort(), ['one:', 'two:']);
  assert.equal((await db.query(listening)).length, 1);
  await db.query(sql`select pg_notify('two', 'hello')`);
  await until('the notification', () => heard.length > 0);
  assert.deepEqual(heard.splice(0), ['two:hello']);
});

test('connections that fall silent are given up, and new ones take their place', async () => {
  await db.ping();
  const admin = new pg.Client({ connectionString: server.url('postgres') });
  await admin.connect();
  const { rows } = await admin.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name like 'otp-platform%'`,
  );
  await admin.end();
  assert.ok(rows.length >= 2);
  // Their network is open and nobody answers any more.
  for (const { pid } of rows) process.kill(pid, 'SIGSTOP');
  try {
    await assert.rejects(db.query(sql`select 1`), DatabaseUnavailable);
    await until('a new connection answers', () => db.ping().then(() => true));
    await until('the handlers are told', () => heard.length >= 2);
    assert.deepEqual(heard.splice(0).sort(), ['one:', 'two:']);
  } finally {
    for (const { pid } of rows) process.kill(pid, 'SIGCONT');
  }
});
