import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { asking as askingOf, grant, rule } from './fixture.ts';
import { deleteOptOut, findOptOuts, type GrantRow, insertOptOut } from './index.ts';

const free = { ...rule, mode: 'reuse', resend_after: 0, max_sends: 1000 } as const;
const asking = (target: string, change: Partial<GrantRow> = {}): GrantRow =>
  askingOf(target, { rule: free, addresses: [target], ...change });

const stopOf = (target: string) => ({ applicationId: '7', target, source: 'uplink', keyword: 'STOP' }) as const;

onEachEngine('opt-outs', (get, kind) => {
  test('an opted-out address refuses whatever is counted or not, and says which it is', async () => {
    const { db } = get();
    await insertOptOut(db, stopOf('+1'), null);
    for (const counted of [true, false]) {
      const { verdict, optedOut } = await grant(db, asking('+1', { counted }));
      assert.deepEqual([verdict, optedOut], ['unsubscribed', ['+1']]);
    }
    const other = await grant(db, asking('a@b.co', { addresses: ['a@b.co', '+1'] }));
    assert.deepEqual([other.verdict, other.optedOut], ['unsubscribed', ['+1']]);
    assert.equal((await grant(db, asking('+1', { addresses: [] }))).verdict, 'granted');
    assert.equal((await grant(db, asking('+1', { applicationId: '8' }))).verdict, 'granted');
    assert.deepEqual(await findOptOuts(db, '7', ['+0', '+1']), ['+1']);
  });

  test('an opt-out is said before any limit is looked at', async () => {
    const { db } = get();
    const strict = { rule: { ...free, mode: 'compat' as const } };
    await grant(db, asking('+2', strict));
    await insertOptOut(db, stopOf('+2'), null);
    assert.equal((await grant(db, asking('+2', strict))).verdict, 'unsubscribed');
    await deleteOptOut(db, '7', '+2', null);
    assert.equal((await grant(db, asking('+2', strict))).verdict, 'code_still_valid');
  });

  for (const known of [true, false])
    test(`a send that began while an opt-out was being committed is refused by it, the target ${known ? 'known' : 'new'}`, async () => {
      const { db } = get();
      const target = known ? '+3' : '+4';
      if (known) await grant(db, asking(target));
      const written = Promise.withResolvers<void>();
      const mayCommit = Promise.withResolvers<void>();
      const stop = db.transaction(async (tx) => {
        await insertOptOut(tx, stopOf(target), null);
        written.resolve();
        await mayCommit.promise;
      });
      await written.promise;
      const send = grant(db, asking(target));
      // Embedded, there is one connection: the send waits for it.
      if (kind === 'postgres') await until('the send waits for the target', isSomebodyWaiting);
      mayCommit.resolve();
      await stop;
      assert.equal((await send).verdict, 'unsubscribed');
    });

  async function isSomebodyWaiting(): Promise<boolean> {
    const rows = await get().db.query(sql`select 1 from pg_locks where not granted
      and pid in (select pid from pg_stat_activity where datname = current_database())`);
    return rows.length > 0;
  }

  test('of many simultaneous opt-outs of one address one is made, and a removal is one too', async () => {
    const { db } = get();
    const times = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 20 }, work));
    const made = await times(() => insertOptOut(db, stopOf('+5'), { ip: '192.0.2.1' }));
    assert.equal(made.filter((one) => one !== null).length, 1);
    const gone = await times(() => deleteOptOut(db, '7', '+5', { ip: '192.0.2.1' }));
    assert.equal(gone.filter((one) => one !== null).length, 1);
  });
});
