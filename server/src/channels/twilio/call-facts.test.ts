import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallFact, openReader, settle } from './call-facts.ts';

function memory(): { once(key: string): Promise<boolean> } {
  const seen = new Set<string>();
  return { once: async (key) => !seen.has(key) && seen.add(key).has(key) };
}

async function readAll(ports: ReturnType<typeof memory>, call: string, fact: CallFact): Promise<boolean[]> {
  const read: boolean[] = [];
  for (let reader = await openReader(ports, call); reader; reader = await openReader(ports, call))
    read.push(await reader(fact));
  return read;
}

test('a settled fact is true for each of eight readers, one that is not is false for each', async () => {
  const ports = memory();
  assert.equal(await settle(ports, 'CA1', 'told'), true);
  assert.deepEqual(await readAll(ports, 'CA1', 'told'), Array(8).fill(true));
  assert.deepEqual(await readAll(ports, 'CA2', 'told'), Array(8).fill(false));
});

test('a fact is settled once', async () => {
  const ports = memory();
  const settled = await Promise.all([1, 2, 3].map(() => settle(ports, 'CA1', 'told')));
  assert.deepEqual(settled.filter(Boolean).length, 1);
});

test('once a reader has seen that it is not so, it never becomes so, for later readers either', async () => {
  const ports = memory();
  const first = await openReader(ports, 'CA1');
  assert.equal(await first?.('told'), false);
  assert.equal(await settle(ports, 'CA1', 'told'), false);
  assert.deepEqual(await readAll(ports, 'CA1', 'told'), Array(7).fill(false));
});

test('facts of one call are apart from each other and from those of other calls', async () => {
  const ports = memory();
  await settle(ports, 'CA1', 'told');
  const [one, other] = [await openReader(ports, 'CA1'), await openReader(ports, 'CA2')];
  assert.deepEqual([await one?.('told'), await one?.('owed'), await other?.('told')], [true, false, false]);
});
