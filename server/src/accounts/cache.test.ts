import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCache } from './cache.ts';

function setUp(limits: { maxEntries?: number; maxMisses?: number } = {}) {
  let now = 0;
  const rows = new Map<string, string>();
  const asked: string[] = [];
  const loads: { key: string; finish(value?: string | null): void; fail(error: Error): void }[] = [];
  const cache = createCache<string>({
    maxEntries: 10,
    maxMisses: 10,
    ...limits,
    maxAgeMs: 1000,
    missAgeMs: 100,
    clock: { now: () => now },
    load: (key) => {
      asked.push(key);
      return new Promise((resolve, reject) => {
        loads.push({
          key,
          finish: (value) => resolve(value === undefined ? (rows.get(key) ?? null) : value),
          fail: reject,
        });
      });
    },
  });
  const get = async (key: string): Promise<string | null> => {
    const got = cache.get(key);
    for (const load of loads.splice(0)) load.finish();
    return got;
  };
  return { cache, rows, asked, loads, get, pass: (ms: number) => (now += ms) };
}

test('a value is read once, answered without a promise, and read again when it is old or forgotten', async () => {
  const { cache, rows, asked, get, pass } = setUp();
  rows.set('a', '1');
  assert.equal(await get('a'), '1');
  assert.equal(cache.get('a'), '1');
  pass(999);
  assert.equal(cache.get('a'), '1');
  pass(1);
  rows.set('a', '2');
  assert.equal(await get('a'), '2');
  rows.set('a', '3');
  cache.forget('b');
  assert.equal(await get('a'), '2');
  cache.forget('a');
  assert.equal(await get('a'), '3');
  cache.forgetAll();
  await get('a');
  assert.equal(asked.length, 4);
});

test('a miss is remembered briefly and forgotten with its key', async () => {
  const { cache, rows, asked, get, pass } = setUp();
  assert.equal(await get('a'), null);
  assert.equal(cache.get('a'), null);
  rows.set('a', '1');
  cache.forget('a');
  assert.equal(await get('a'), '1');
  assert.equal(await get('b'), null);
  rows.set('b', '1');
  pass(100);
  assert.equal(await get('b'), '1');
  assert.equal(asked.length, 4);
});

test('many who ask at once share one load', async () => {
  const { cache, asked, loads } = setUp();
  const both = Promise.all([cache.get('a'), cache.get('a')]);
  loads[0]?.finish('1');
  assert.deepEqual(await both, ['1', '1']);
  assert.deepEqual(asked, ['a']);
});

test('a load under way while its key is forgotten leaves nothing behind and is not joined any more', async () => {
  for (const forget of ['forget', 'forgetAll'] as const) {
    const { cache, loads } = setUp();
    const early = cache.get('a');
    cache[forget]('a');
    const late = cache.get('a');
    loads[1]?.finish('new');
    assert.equal(await late, 'new');
    loads[0]?.finish('old');
    assert.equal(await early, 'old');
    assert.equal(cache.get('a'), 'new');
  }
});

test('a failed load is told to those who asked and tried again by the next', async () => {
  const { cache, loads, rows, get } = setUp();
  const failed = cache.get('a');
  loads.splice(0)[0]?.fail(new Error('database away'));
  await assert.rejects(async () => failed, /database away/);
  rows.set('a', '1');
  assert.equal(await get('a'), '1');
});

test('neither values nor misses grow without bound, and misses push no value out', async () => {
  const { cache, rows, asked, get } = setUp({ maxEntries: 2, maxMisses: 2 });
  for (const key of ['a', 'b']) rows.set(key, key);
  await get('a');
  await get('b');
  for (const key of ['x', 'y', 'z']) await get(key);
  assert.equal(cache.get('a'), 'a');
  assert.equal(cache.get('b'), 'b');
  assert.equal(cache.get('z'), null);
  rows.set('c', 'c');
  await get('c');
  const before = asked.length;
  await get('a');
  await get('x');
  assert.equal(asked.length, before + 2, 'the oldest of each kind had gone');
});
