import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { DatabaseUnavailable } from './db.ts';
import { migrate } from './migrate.ts';
import { leaseNode } from './nodes.ts';
import { openPostgres } from './postgres.ts';
import { raw, relation, sql } from './sql.ts';

const log = pino({ level: 'silent' });

onEachEngine('the database', (get) => {
  test('types arrive alike: int8 as text, timestamptz as Date, bytea as Buffer, jsonb parsed', async () => {
    const [row] = await get().db.query<Record<string, unknown>>(sql`
      select 9007199254740993::bigint as big, to_timestamp(0) as at, ${Buffer.from('x')}::bytea as bytes, ${'{"a":[1]}'}::jsonb as doc, null::text as nothing`);
    assert.deepEqual(row, {
      big: '9007199254740993',
      at: new Date(0),
      bytes: Buffer.from('x'),
      doc: { a: [1] },
      nothing: null,
    });
  });

  test('a relation brings every value back as it was, whatever characters it holds', async () => {
    const texts = ['', 'NULL', 'null', 'a"b', 'back\\slash', '{1,2}', 'line\nfeed', "it's", '😀 ç', ' spaces ', null];
    const items = texts.map((text, i) => ({
      text,
      n: i === 3 ? null : i,
      at: new Date(i),
      bytes: Buffer.from([0, 92, 34, i]),
      doc: { text },
    }));
    const rows = await get().db.query<Record<string, unknown>>(
      sql`select * from (${relation(items, {
        text: ['text', (item) => item.text],
        n: ['bigint', (item) => item.n],
        yes: ['boolean', (item) => item.n !== null],
        at: ['timestamptz', (item) => item.at],
        bytes: ['bytea', (item) => item.bytes],
        doc: ['jsonb', (item) => item.doc],
      })}) r order by ord`,
    );
    assert.deepEqual(
      rows.map(({ text, n, yes, at, bytes, doc }) => ({ text, n, yes, at, bytes, doc })),
      items.map((item) => ({ ...item, n: item.n === null ? null : String(item.n), yes: item.n !== null })),
    );
  });

  test('a failed statement leaves the connection usable and says its SQLSTATE', async () => {
    const { db } = get();
    await assert.rejects(db.query(sql`select 1 / 0`), { code: '22012' });
    assert.deepEqual(await db.query(sql`select 1 as one`), [{ one: 1 }]);
  });

  test('a transaction that throws leaves nothing behind', async () => {
    const { db } = get();
    await db.query(raw('create table kept (n int)'));
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.query(sql`insert into kept values (1)`);
        throw new Error('no');
      }),
      /no/,
    );
    await db.transaction((tx) => tx.query(sql`insert into kept values (2)`));
    assert.deepEqual(await db.query(sql`select n from kept`), [{ n: 2 }]);
  });

  test('a notification reaches the listener', async () => {
    const { db } = get();
    const heard = new Promise<string>((resolve) => {
      void db.listen('test_channel', resolve).then(() => db.query(sql`select pg_notify('test_channel', 'hello')`));
    });
    assert.equal(await heard, 'hello');
  });

  test('migrating again changes nothing, and a newer database is refused', async () => {
    const { db } = get();
    assert.deepEqual(await migrate(db), []);
    await db.query(sql`insert into migrations (name) values ('9999_future.sql')`);
    await assert.rejects(migrate(db), /newer than this program.*9999_future/);
    await db.query(sql`delete from migrations where name = '9999_future.sql'`);
  });

  test('processes hold different node numbers, and a released one is free again', async () => {
    const { db } = get();
    const leases = await Promise.all([leaseNode(db, log), leaseNode(db, log), leaseNode(db, log)]);
    assert.equal(new Set(leases.map((lease) => lease.node())).size, 3);
    for (const lease of leases) await lease.release();
    const again = await leaseNode(db, log);
    assert.equal(again.node(), 0);
    await again.release();
  });

  test('every table says which room owns it', async () => {
    const rows = await get().db.query<{ name: string; owner: string | null }>(sql`
      select relname as name, split_part(obj_description(oid, 'pg_class'), ':', 1) as owner from pg_class
      where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname not in ('migrations', 'kept')`);
    assert.ok(rows.length > 5);
    assert.deepEqual(
      rows.filter(({ owner }) => !owner),
      [],
    );
  });
});

test('two processes that migrate an empty database at once take turns', async () => {
  const empty = await openTestDatabase('postgres');
  after(() => empty.close());
  await empty.db.query(raw('drop schema public cascade'));
  await empty.db.query(raw('create schema public'));
  const other = openPostgres({ url: empty.url ?? '', log });
  const applied = await Promise.all([migrate(empty.db), migrate(other)]);
  await other.close();
  assert.deepEqual(applied.map((files) => files.length > 0).sort(), [false, true]);
});

test('a database that cannot be reached is reported as unavailable', async () => {
  const db = openPostgres({ url: 'postgres://nobody@127.0.0.1:1/none', log });
  await assert.rejects(db.query(sql`select 1`), DatabaseUnavailable);
  await assert.rejects(
    db.transaction((tx) => tx.query(sql`select 1`)),
    DatabaseUnavailable,
  );
  await db.close();
});
