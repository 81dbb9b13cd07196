/**
 * A table belongs to one room and only that room's stores name it (the owner stands in `comment on table`). Read from the
 * database, so a table made tomorrow is guarded tomorrow.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { sql } from './platform/sql.ts';
import { openTestDatabase, type TestDatabase } from './testing/database.ts';

const root = new URL('.', import.meta.url);
const isStore = (path: string): boolean => /(^|[/-])store\.ts$/.test(path);

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /^[^/]+\/.*\.ts$/.test(path) && !/\.test\.ts$/.test(path) && !path.startsWith('testing/'));
const roomOf = (path: string): string => path.split('/')[0] ?? '';
/** Without comments, which may speak of anything. */
const textOf = (path: string): string =>
  readFileSync(new URL(path, root), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');

/** Texts of a file that are handed to the database. */
const statements = (text: string): string =>
  [...text.matchAll(/\b(?:sql|raw)(?:<[^>]*>)?\(?\s*`([^`]*)`/g)].map(([, inner]) => inner ?? '').join('\n');

/** Whether a text reads or writes the table, in any of the places where SQL names one; a clause of the same name hides it. */
function names(text: string, table: string): boolean {
  const named = new RegExp(
    `\\b(?:from|join|into|update|only|table|using|lock)\\s+(?:public\\.)?"?${table}\\b(?!\\s*\\()`,
    'i',
  );
  const hidden = new RegExp(`\\b${table}\\s+as\\s+(?:(?:not\\s+)?materialized\\s+)?\\(`, 'i');
  return text.split(/\n\}/).some((part) => named.test(part) && !hidden.test(part));
}

describe('tables', () => {
  let database: TestDatabase | undefined;
  let owners: { name: string; owner: string }[] = [];

  before(async () => {
    database = await openTestDatabase('postgres');
    const rows = await database.db.query<{ name: string; comment: string | null }>(sql`
      select c.relname as name, obj_description(c.oid, 'pg_class') as comment from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`);
    owners = rows.map(({ name, comment }) => ({ name, owner: /^([a-z-]+): /.exec(comment ?? '')?.[1] ?? '' }));
  });
  after(() => database?.close());

  test('each has an owner that is a room', () => {
    assert.ok(owners.length >= 15, `${owners.length} tables`);
    const rooms = new Set(files.map(roomOf));
    for (const { name, owner } of owners.filter(({ name }) => name !== 'migrations'))
      assert.ok(rooms.has(owner), `${name} belongs to "${owner}"`);
  });

  test('are named by the stores of their own room alone', () => {
    const stores = files.filter(isStore);
    assert.ok(stores.length >= 8, `${stores.length} stores`);
    const trespasses = stores.flatMap((path) =>
      owners
        .filter(({ name, owner }) => owner !== roomOf(path) && names(textOf(path), name))
        .map(({ name, owner }) => `${path} names ${name} of ${owner}`),
    );
    assert.deepEqual(trespasses, []);
  });

  test('are named nowhere outside stores, but by the ground floor', () => {
    const trespasses = files
      .filter((path) => !isStore(path) && roomOf(path) !== 'platform')
      .flatMap((path) =>
        owners.filter(({ name }) => names(statements(textOf(path)), name)).map(({ name }) => `${path} names ${name}`),
      );
    assert.deepEqual(trespasses, []);
  });

  test('are all used by their room', () => {
    for (const { name, owner } of owners.filter((table) => table.name !== 'migrations')) {
      const own = files.filter((path) => roomOf(path) === owner && (isStore(path) || owner === 'platform'));
      assert.ok(
        own.some((path) => names(textOf(path), name)),
        `${owner} never names ${name}`,
      );
    }
  });

  test('the search sees a table where there is one', () => {
    for (const text of [
      'select 1 from targets t',
      'insert into targets as t',
      'update targets set',
      'join targets on',
      'delete from targets',
    ])
      assert.ok(names(text, 'targets'), text);
    for (const text of [
      'lockTargets(rows)',
      'from targets_old',
      'from (select 1) targets',
      '-- the targets',
      'with targets as (select 1) select * from targets',
    ])
      assert.ok(!names(text, 'targets'), text);
    assert.match(statements('const a = sql`select 1 from targets`'), /from targets/);
  });
});
