/** What balance and budgets add to a statement of others: judged in order, exact under races, budgets of keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from '../platform/db.ts';
import { allSettled, verdictsOf } from '../platform/share.ts';
import { raw, relation, sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { type SpendAsk, spendShare } from './index.ts';

let lastId = 1_000;

const asking = (change: Partial<SpendAsk> = {}): SpendAsk => ({
  organizationId: '1',
  applicationId: '7',
  messageId: String(++lastId),
  country: 'SG',
  callingCode: '65',
  estimateMicros: 10,
  keyBudget: null,
  ...change,
});

/** A statement that accepts whom the share lets pass; resolves with what is against each. */
async function accept(db: Db, asks: readonly (SpendAsk | null)[]) {
  const items = asks.map((spend) => ({ spend }));
  const input = relation(items, {
    application_id: ['bigint', ({ spend }) => spend?.applicationId ?? '7'],
    message_id: ['bigint', ({ spend }) => spend?.messageId ?? String(++lastId)],
    ...spendShare.columns,
  });
  const rows = await db.query<{ verdict: string | null; retry_after: number | null }>(sql`
    with input as materialized (${input}), ${spendShare.judge(items, raw('input'), raw('input'))},
    accepted as materialized (select * from input where ord not in (select ord from ${verdictsOf(spendShare)} where verdict is not null)),
    ${spendShare.write(raw('accepted'))}
    select v.verdict, v.retry_after from input i left join ${verdictsOf(spendShare)} v on v.ord = i.ord
    where ${allSettled([spendShare])} order by i.ord`);
  return rows.map(({ verdict }) => verdict);
}

const prepaid = (db: Db, organizationId: string, micros: number) =>
  db.query(sql`with made as (insert into balances (organization_id, mode) values (${organizationId}, 'prepaid'))
    insert into balance_entries (organization_id, kind, amount_micros) values (${organizationId}, 'top_up', ${micros})`);

const reserved = async (db: Db, organizationId: string) =>
  Number(
    (
      await db.query<{ m: string }>(
        sql`select reserved_micros as m from balances where organization_id = ${organizationId}`,
      )
    )[0]?.m,
  );

onEachEngine('the share of balance and budgets', (get) => {
  test('items of one statement compete in order, and who asks nothing passes', async () => {
    const { db } = get();
    await prepaid(db, '31', 25);
    const from = { organizationId: '31', applicationId: '31' };
    const verdicts = await accept(db, [
      asking(from),
      null,
      asking(from),
      asking(from),
      asking({ ...from, estimateMicros: 0 }),
    ]);
    assert.deepEqual(verdicts, [null, null, null, 'changed', 'changed']);
    assert.equal(await reserved(db, '31'), 20);
    assert.deepEqual(await accept(db, [asking(from)]), ['insufficient_balance']);
    assert.deepEqual(await accept(db, [asking({ ...from, estimateMicros: 5 })]), [null]);
    assert.equal(await reserved(db, '31'), 25);
  });

  test('many statements at once reserve what is there and nothing more', async () => {
    const { db } = get();
    await prepaid(db, '32', 105);
    await prepaid(db, '33', 55);
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        const [a, b] = i % 2 === 0 ? ['32', '33'] : ['33', '32'];
        const of = (organizationId = '') => asking({ organizationId, applicationId: organizationId });
        return accept(db, [of(a), of(b)]);
      }),
    );
    assert.equal(made.flat().filter((verdict) => verdict === null).length, 15);
    assert.deepEqual([await reserved(db, '32'), await reserved(db, '33')], [100, 50]);
  });

  test('a key with a budget of its own, first seen by many statements at once, never passes it; the next day begins anew', async () => {
    const { db, clock } = get();
    const ask = () =>
      asking({
        organizationId: '34',
        applicationId: '34',
        keyBudget: { keyId: '340', capMicros: 45, chainMicros: 10 },
      });
    const made = await Promise.all(Array.from({ length: 12 }, () => accept(db, [ask()])));
    assert.equal(made.flat().filter((verdict) => verdict === null).length, 4);
    assert.equal(made.flat().filter((verdict) => verdict === 'budget_exhausted').length, 8);
    await clock.travel(86_400_000);
    assert.deepEqual(await accept(db, [ask()]), [null]);
  });

  test('the database itself refuses a reservation of what is not there, an entry without a balance, and a change of an entry', async () => {
    const { db } = get();
    await prepaid(db, '35', 5);
    const state = '23514';
    await assert.rejects(
      db.query(
        sql`insert into balance_reservations (application_id, message_id, organization_id, micros) values (35, 1, 35, 6)`,
      ),
      { code: state },
    );
    await assert.rejects(
      db.query(sql`insert into balance_entries (organization_id, kind, amount_micros) values (36, 'top_up', 1)`),
      { code: state },
    );
    await assert.rejects(db.query(sql`update balance_entries set amount_micros = 6 where organization_id = 35`), {
      code: state,
    });
    await assert.rejects(db.query(sql`delete from balance_entries where organization_id = 35`), { code: state });
    assert.equal(await reserved(db, '35'), 0);
  });
});
