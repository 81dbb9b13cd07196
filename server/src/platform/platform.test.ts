import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { createBatch } from './batch.ts';
import { DirectoryLocked, lockDirectory } from './directory-lock.ts';
import { createIdSource, isId, messageIdOf, prefixedId, timeOfId } from './ids.ts';
import { createLog, maskRecipient } from './log.ts';
import { keptMasterKey } from './master-key.ts';
import { createKeyring, sameBytes } from './seal.ts';
import { Secret } from './secret.ts';
import { join as joinSql, raw, relation, sql } from './sql.ts';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'otp-platform-'));

test('message ids are those of the contract', () => {
  const at = Date.parse('2026-07-03T00:00:00.000Z');
  assert.equal(messageIdOf(at, 0, 0), '2072832692843446272');
  assert.equal(messageIdOf(at, 5, 7), '2072832692843466759');
  assert.equal(messageIdOf(at + 1, 1023, 4095), '2072832692851834879');
  assert.equal(timeOfId('2072832692843466759'), at);
});

test('ids of one node rise and never repeat, whatever its clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 3 }), { minLength: 1, maxLength: 200 }), (steps) => {
      let now = 1_783_036_800_000;
      const ids = createIdSource({ now: () => now }, () => 1);
      let last = 0n;
      for (const step of steps) {
        now += step;
        const id = BigInt(ids.next());
        assert.ok(id > last);
        last = id;
      }
    }),
  );
  const ids = createIdSource({ now: () => 1_783_036_800_000 }, () => 1);
  assert.equal(new Set(Array.from({ length: 10_000 }, () => ids.next())).size, 10_000);
});

test('only a positive 64-bit decimal is an id', () => {
  for (const good of ['1', '2072832692843466759', '9223372036854775807']) assert.ok(isId(good), good);
  for (const bad of ['', '0', '01', '-1', '9223372036854775808', '1e3', '١', ' 1', '1 or 1=1'])
    assert.ok(!isId(bad), bad);
});

test('request ids carry their prefix and 26 characters', () => {
  assert.match(prefixedId('req', Date.now()), /^req_[0-9A-HJKMNP-TV-Z]{26}$/);
});

test('a sealed text opens only with its key, purpose and context, unaltered', () => {
  const keyring = createKeyring(Buffer.alloc(32, 1));
  const sealed = keyring.seal('code', 'grüße 482913', 'a:1');
  assert.equal(keyring.open('code', sealed, 'a:1'), 'grüße 482913');
  assert.ok(!sealed.toString('latin1').includes('482913'));
  const altered = Buffer.from(sealed);
  altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1;
  for (const attempt of [
    () => keyring.open('code', sealed, 'a:2'),
    () => keyring.open('other', sealed, 'a:1'),
    () => createKeyring(Buffer.alloc(32, 2)).open('code', sealed, 'a:1'),
    () => keyring.open('code', altered, 'a:1'),
    () => keyring.open('code', Buffer.from('x'), 'a:1'),
  ])
    assert.throws(attempt);
  assert.notDeepEqual(keyring.hash('a', 'x'), keyring.hash('b', 'x'));
  assert.ok(sameBytes(Buffer.from('ab'), Buffer.from('ab')) && !sameBytes(Buffer.from('ab'), Buffer.from('abc')));
});

test('a secret does not print', () => {
  const secret = new Secret('482913');
  assert.equal(`${secret}${JSON.stringify({ secret })}${inspect(secret)}`.includes('482913'), false);
  assert.equal(secret.reveal(), '482913');
});

test('recipients are masked in logs, and database errors lose their row data', () => {
  assert.equal(maskRecipient('+6598120044'), '+65••••••44');
  assert.equal(maskRecipient('ana@example.com'), 'a•••@example.com');
  assert.equal(maskRecipient('+12345'), '•••');
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(line) });
  log.error(
    { err: Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (to)=(+6598120044)' }) },
    'failed',
  );
  assert.match(lines.join(''), /23505/);
  assert.doesNotMatch(lines.join(''), /6598120044/);
});

test('the sql tag makes parameters of values, splices fragments and stringifies JSON', () => {
  const query =
    sql`select ${1}, (${sql`select ${'a'} where ${raw('b')}`}) from ${joinSql([sql`x = ${2}`, sql`y = ${3}`], ' and ')}`.toQuery();
  assert.equal(query.text, 'select $1, (select $2 where b) from x = $3 and y = $4');
  assert.deepEqual(query.values, [1, 'a', 2, 3]);
  const rows = relation(
    [
      { n: 1, j: { a: [1] } },
      { n: 2, j: null },
    ],
    { n: ['int', (row) => row.n], j: ['jsonb', (row) => row.j] },
  ).toQuery();
  assert.match(rows.text, /unnest\(\$1::int\[\], \$2::text\[\]\) with ordinality/);
  assert.deepEqual(rows.values, ['{1,2}', String.raw`{"{\"a\":[1]}",NULL}`]);
});

test('a batch gathers what arrives together, keeps equal keys apart and answers each caller with its own result', async () => {
  const runs: number[][] = [];
  const add = createBatch<number, number>({
    run: async (items) => {
      runs.push([...items]);
      return items.map((item) => item * 10);
    },
    key: (item) => String(item % 10),
    maxItems: 3,
    maxInFlight: 1,
    isItemFault: () => false,
  });
  assert.deepEqual(await Promise.all([1, 2, 11, 3, 4].map(add)), [10, 20, 110, 30, 40]);
  assert.deepEqual(runs, [
    [1, 2, 3],
    [11, 4],
  ]);
});

test('one bad item of a batch fails alone; a failure of the whole fails all', async () => {
  const add = createBatch<string, string>({
    run: async (items) => {
      if (items.includes('bad')) throw new Error('bad item');
      if (items.includes('down')) throw new Error('down');
      return items;
    },
    maxItems: 10,
    maxInFlight: 1,
    isItemFault: (error) => (error as Error).message === 'bad item',
  });
  const mixed = await Promise.allSettled(['a', 'bad', 'b'].map(add));
  assert.deepEqual(
    mixed.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const down = await Promise.allSettled(['a', 'down'].map(add));
  assert.deepEqual(
    down.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
});

test('a data directory has one owner, and is free again when that ends', () => {
  const directory = temporary();
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), DirectoryLocked);
  lock.release();
  lockDirectory(directory).release();
  rmSync(directory, { recursive: true });
});

test('the master key is made once, for its owner alone', () => {
  const directory = temporary();
  const key = keptMasterKey(join(directory, 'data'));
  const file = join(directory, 'data', 'master.key');
  assert.equal(key.length, 32);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(keptMasterKey(join(directory, 'data')), key);
  assert.equal(readFileSync(file, 'utf8').trim(), key.toString('hex'));
  rmSync(directory, { recursive: true });
});
