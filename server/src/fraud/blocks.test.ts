/** Pumped prefixes lose sms and voice by themselves: for an hour, for a day, until lifted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachApp, openTestApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { ask, send, under } from '../testing/traffic.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

onEachApp('automatic blocks', (get) => {
  const live = async (): Promise<string> => (await get().makeApplication({ network: 'live' })).id;
  const judge = (id: string, to: string) => get().app.fraud.judge(ask(id, to));
  const travel = async (ms: number): Promise<void> => {
    await get().database.clock.travel(ms);
    await get().app.fraud.round();
  };
  const blocksOf = async (id: string) =>
    bodyOf(await get().operator({ path: `/admin/v1/fraud-blocks?application_id=${id}` })).blocks;

  /** Sends that nobody verifies, until their codes are over. */
  async function pump(id: string, prefix: string, count = 20): Promise<void> {
    await send(get().database.db, id, under(prefix, count));
    await travel(6 * minute);
  }
  const eventsOf = async (id: string): Promise<{ cause: string; level: number | null }[]> =>
    get().database.db.query(sql`
      select cause, (data ->> 'level')::integer as level from events
      where application_id = ${id} and message_id = 0 and cause like 'fraud%' order by position`);

  test('come for an hour, then for a day, then until they are lifted; other channels and prefixes stay open', async () => {
    const id = await live();
    const to = '+6591230001';
    await send(get().database.db, id, under('659123', 20));
    await travel(4 * minute);
    assert.deepEqual(judge(id, to), { verdict: 'allow', fired: judge(id, to).fired, closed: [] });
    await travel(2 * minute);
    const { verdict, closed, fired } = judge(id, to);
    assert.deepEqual([verdict, closed], ['allow', ['sms', 'voice']]);
    assert.deepEqual(fired[0], {
      rule: 'automatic_block',
      mode: 'enforce',
      verdict: 'block',
      because: 'prefix 659123: 0 of 20 codes verified, below 20 %',
    });
    assert.deepEqual(judge(id, '+6591240001').closed, []);
    await travel(59 * minute);
    assert.deepEqual(judge(id, to).closed, ['sms', 'voice']);
    await travel(2 * minute);
    assert.deepEqual(judge(id, to).closed, []);

    await pump(id, '659123');
    await travel(23 * hour);
    assert.deepEqual(judge(id, to).closed, ['sms', 'voice']);
    await travel(2 * hour);
    assert.deepEqual(judge(id, to).closed, []);

    await pump(id, '659123');
    await travel(100 * day);
    assert.deepEqual(judge(id, to).closed, ['sms', 'voice']);
    const [block] = await blocksOf(id);
    assert.deepEqual([block.level, block.until, block.active], [3, null, true]);
    const levels = (await eventsOf(id)).map(({ cause, level }) => [cause, level]);
    assert.deepEqual(
      levels,
      [1, 2, 3].map((level) => ['fraud_blocked', level]),
    );
  });

  test('lifted by hand it opens at once, is left alone for an hour, and begins anew', async () => {
    const id = await live();
    const to = '+6591230001';
    await pump(id, '659123');
    const [block] = await blocksOf(id);
    assert.deepEqual(block.reasons, {
      because: 'prefix 659123: 0 of 20 codes verified, below 20 %',
      codes: 20,
      verified: 0,
      window_minutes: 30,
    });
    const path = `/admin/v1/fraud-blocks/${block.id}/lift`;
    const lifted = bodyOf(await get().operator({ path, body: { author: 'ana' } }));
    assert.deepEqual([lifted.active, lifted.lifted_by], [false, 'ana']);
    assert.deepEqual(judge(id, to).closed, []);
    assert.deepEqual(bodyOf(await get().operator({ path, body: { author: 'bob' } })).lifted_by, 'ana');
    await pump(id, '659123');
    assert.deepEqual(judge(id, to).closed, []);
    await travel(hour);
    await pump(id, '659123');
    assert.deepEqual(judge(id, to).closed, ['sms', 'voice']);
    assert.equal((await blocksOf(id))[0].level, 1);
    const causes = (await eventsOf(id)).map(({ cause }) => cause);
    assert.deepEqual(causes, ['fraud_blocked', 'fraud_unblocked', 'fraud_blocked']);
  });

  test('begin anew when a week passed without', async () => {
    const id = await live();
    await pump(id, '659123');
    await travel(hour + 7 * day + minute);
    await pump(id, '659123');
    assert.equal((await blocksOf(id))[0].level, 1);
  });

  test('do not come while enough is verified, or for too few', async () => {
    const id = await live();
    await send(get().database.db, id, under('659123', 4, { verified: true }));
    await pump(id, '659123', 16);
    await pump(id, '659124', 19);
    assert.deepEqual(await blocksOf(id), []);
    await pump(id, '659123', 1);
    assert.deepEqual(judge(id, '+6591230001').closed, ['sms', 'voice']);
  });

  test('come on the virtual network only if the rule set says so, and nowhere if it says never', async () => {
    const virtual = (await get().makeApplication()).id;
    const set = (id: string, enabled: string) =>
      get().operator({
        method: 'PUT',
        path: `/admin/v1/applications/${id}/fraud-rules`,
        body: { rules: [], automatic_blocks: { enabled } },
      });
    await pump(virtual, '659123');
    assert.deepEqual(await blocksOf(virtual), []);
    bodyOf(await set(virtual, 'always'));
    await pump(virtual, '659123');
    assert.equal((await blocksOf(virtual)).length, 1);
    const id = await live();
    bodyOf(await set(id, 'never'));
    await pump(id, '659123');
    assert.deepEqual(await blocksOf(id), []);
  });

  test('come once, whatever nodes ask for them, and hold on each', async () => {
    const id = await live();
    const other = await openTestApp(get().database);
    await send(get().database.db, id, under('659123', 20));
    await get().database.clock.travel(6 * minute);
    await Promise.all([get().app.fraud.round(), other.app.fraud.round()]);
    await Promise.all([get().app.fraud.round(), other.app.fraud.round()]);
    assert.deepEqual(await eventsOf(id), [{ cause: 'fraud_blocked', level: 1 }]);
    const to = '+6591230001';
    assert.deepEqual(other.app.fraud.judge(ask(id, to)).closed, ['sms', 'voice']);
    assert.deepEqual(judge(id, to).closed, ['sms', 'voice']);
    await other.close();
  });

  test('a test number teaches nothing', async () => {
    const id = await live();
    const sends = Array.from({ length: 25 }, () => ({ to: '+10000000000', country: null }));
    await send(get().database.db, id, sends);
    await travel(6 * minute);
    assert.deepEqual(await blocksOf(id), []);
  });
});
