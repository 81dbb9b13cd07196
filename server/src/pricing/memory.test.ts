/** What a node knows of prices: everything, as soon as it is told or on the next beat, by the database's clock. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { createLog } from '../platform/log.ts';
import { onEachEngine } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { createMemory, type Memory } from './memory.ts';
import { any, decide } from './price.ts';
import type { NewPrice } from './rows.ts';
import { deletePrice, savePrice } from './store.ts';

/** Long enough for a busy machine, too short for the beat. */
const withoutBeatMs = 8_000;
const log = createLog('silent');
const actor = { ip: '127.0.0.1' };
const ask = { providerId: 'carrier-a', channel: 'sms', to: '+6591234567', country: 'SG' } as const;
const key = { provider: any, channel: 'sms', country: any, prefix: '' } as const;
const priceIn = (memory: Memory): number | null => decide(memory.table(), ask, memory.now())?.priceMicros ?? null;

onEachEngine('what a node knows of prices', (get) => {
  async function open(t: TestContext, changes: { db?: Db; clock?: Clock } = {}): Promise<Memory> {
    const memory = createMemory({ db: get().db, clock: get().clock, log, ...changes });
    await memory.start();
    t.after(() => memory.stop());
    return memory;
  }
  const save = (made: Partial<NewPrice>) =>
    savePrice(get().db, { ...key, priceMicros: 1, refund: 'none', validFrom: null, ...made }, actor);

  test('a change by another node as soon as it is told, a write of its own at once, a lost word on the next beat', async (t) => {
    const deafDb: Db = { ...get().db, listen: async () => undefined };
    const [one, other, deaf] = [await open(t), await open(t), await open(t, { db: deafDb })];
    assert.deepEqual([one, other, deaf].map(priceIn), [null, null, null]);
    const { id } = await one.afterWrite(() => save({ priceMicros: 5 }));
    assert.equal(priceIn(one), 5);
    await until('the other has heard of it', () => priceIn(other) === 5, withoutBeatMs);
    assert.equal(priceIn(deaf), null);
    await deaf.beat();
    assert.equal(priceIn(deaf), 5);
    await other.afterWrite(() => deletePrice(get().db, id, actor));
    assert.equal(priceIn(other), null);
    await until('the first has heard of it', () => priceIn(one) === null, withoutBeatMs);
  });

  test('a price begins at one moment on all nodes, however wrong their own clocks are', async (t) => {
    const { clock } = get();
    await clock.freeze();
    const { id } = await save({ priceMicros: 1, validFrom: new Date(0) });
    await save({ priceMicros: 2, validFrom: new Date(clock.now() + 60_000) });
    const skewed = (ms: number): Clock => ({ now: () => clock.now() + ms });
    const nodes = [
      await open(t, { clock: skewed(-300_000) }),
      await open(t, { clock: skewed(300_000) }),
      await open(t),
    ];
    assert.deepEqual(nodes.map(priceIn), [1, 1, 1]);
    await clock.travel(59_999);
    assert.deepEqual(nodes.map(priceIn), [1, 1, 1]);
    await clock.travel(1);
    assert.deepEqual(nodes.map(priceIn), [2, 2, 2]);
    await deletePrice(get().db, id, actor);
  });

  test('of many changes at once it knows the last', async (t) => {
    const memory = await open(t);
    const prices = Array.from({ length: 20 }, (_, i) => i + 10);
    const saved = await Promise.all(
      prices.map((priceMicros) => memory.afterWrite(() => save({ priceMicros, prefix: '65', validFrom: new Date(0) }))),
    );
    const fresh = await open(t);
    assert.equal(priceIn(memory), priceIn(fresh));
    assert.equal(new Set(saved.map(({ id }) => id)).size, 1);
  });
});
