/** Budgets: caps that are exact, and the ladder below them. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp, openTestApp } from '../testing/app.ts';
import { assertRefused, bodyOf, newNumber } from '../testing/application.ts';
import { openCarrier, openPayer, PricedCarrier, refuses, smsMicros, whatsappMicros } from '../testing/payers.ts';
import { assertAddsUp } from '../testing/sums.ts';

const carrier = new PricedCarrier();
let indian = 0;
const india = (): string => `+9198${String(10_000_000 + ++indian)}`;

onEachApp(
  'budgets',
  (get) => {
    before(() => openCarrier(get()));

    test('a cap refuses what would pass it, says until when, and counts anew in the next period', async () => {
      const payer = await openPayer(get(), null);
      await payer.budget({ scope: 'all', period: 'hour', cap_micros: 2 * smsMicros });
      for (let i = 0; i < 2; i++) bodyOf(await payer.send(newNumber()));
      const refused = await payer.send(newNumber());
      assertRefused(refused, 3003, 'budget_exhausted');
      const left = 3600 - ((get().database.clock.now() / 1000) % 3600);
      assert.ok(
        Math.abs(Number(refused.headers['retry-after']) - left) < 5,
        `${refused.headers['retry-after']}, ${left}`,
      );
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.budgets())[0]?.spent_micros, 2 * smsMicros);
      await get().database.clock.travel(left * 1000 + 1000);
      assert.equal((await payer.budgets())[0]?.spent_micros, 0);
      bodyOf(await payer.send(newNumber()));
      assert.equal((await payer.budgets())[0]?.spent_micros, smsMicros);
      await assertAddsUp(get().database.db);
    });

    test('a scope counts its own country or calling code, and another application is not concerned', async () => {
      const payer = await openPayer(get(), null);
      const other = await openPayer(get(), null);
      const [byCountry, byCode] = [
        await payer.budget({ scope: { country: 'IN' }, period: 'day', cap_micros: smsMicros }),
        await payer.budget({ scope: { calling_code: '65' }, period: 'month', cap_micros: 10 * smsMicros }),
      ];
      bodyOf(await payer.send(india()));
      assertRefused(await payer.send(india()), 3003, 'budget_exhausted');
      bodyOf(await payer.send(newNumber()));
      bodyOf(await other.send(india()));
      const spent = new Map((await payer.budgets()).map(({ id, spent_micros }) => [id, spent_micros]));
      assert.deepEqual([spent.get(byCountry.id), spent.get(byCode.id)], [smsMicros, smsMicros]);
    });

    test('cost takes the place of the estimate: later steps are added, what was never handed over is taken out', async () => {
      const payer = await openPayer(get(), null);
      await payer.budget({ scope: 'all', period: 'month', cap_micros: 100 * smsMicros });
      const spent = async () => (await payer.budgets())[0]?.spent_micros;
      const failing = newNumber();
      carrier.answers.set(`sms ${failing}`, refuses);
      bodyOf(await payer.send(failing));
      assert.ok([smsMicros, 0].includes((await spent()) ?? -1));
      await get().app.delivery.runUntilIdle();
      assert.equal(await spent(), 0);
      bodyOf(await payer.send(newNumber(), { template: { id: 'chain' } }));
      await get().app.delivery.runUntilIdle();
      assert.equal(await spent(), whatsappMicros);
      await get().live(21);
      assert.equal(await spent(), whatsappMicros + smsMicros);
      await assertAddsUp(get().database.db);
    });

    test('parallel sends never pass the cap, on two nodes', async () => {
      const payer = await openPayer(get(), null);
      await payer.budget({ scope: 'all', period: 'month', cap_micros: 9 * smsMicros });
      const second = await openTestApp(get().database, { adapters: [carrier.adapter()] });
      const send = (i: number) =>
        (i % 2 === 0 ? get() : second).call({
          credential: payer.credential,
          path: '/v1/messages',
          body: { to: newNumber(), template: { id: 'login' } },
        });
      const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => send(i)));
      assert.equal(replies.filter(({ status }) => status === 200).length, 9);
      for (const reply of replies.filter(({ status }) => status !== 200))
        assertRefused(reply, 3003, 'budget_exhausted');
      await get().app.delivery.runUntilIdle();
      await second.close();
      await assertAddsUp(get().database.db);
    });

    test('a budget that is switched off or deleted refuses nothing; scope and period stay', async () => {
      const payer = await openPayer(get(), null);
      const { id } = await payer.budget({ scope: 'all', period: 'day', cap_micros: 0 });
      assertRefused(await payer.send(newNumber()), 3003, 'budget_exhausted');
      const path = `/admin/v1/applications/${payer.id}/budgets/${id}`;
      bodyOf(await get().operator({ path, method: 'PATCH', body: { enabled: false } }));
      bodyOf(await payer.send(newNumber()));
      bodyOf(await get().operator({ path, method: 'PATCH', body: { enabled: true } }));
      assertRefused(await payer.send(newNumber()), 3003, 'budget_exhausted');
      bodyOf(await get().operator({ path, method: 'DELETE' }));
      bodyOf(await payer.send(newNumber()));
      assert.equal((await get().operator({ path })).status, 404);
    });

    test('the ladder names the strictest step that is reached, from memory', async () => {
      const payer = await openPayer(get(), null);
      const ladder = [
        { at_percent: 50, action: 'cheaper_channel' },
        { at_percent: 75, action: 'challenge' },
        { at_percent: 100, action: 'block' },
      ];
      const { id } = await payer.budget({ scope: { country: 'SG' }, period: 'day', cap_micros: 4 * smsMicros, ladder });
      const ask = { applicationId: payer.id, country: 'SG', callingCode: '65' };
      const actions: string[] = [];
      for (let sent = 0; sent <= 4; sent++) {
        await get().app.spend.look();
        actions.push(get().app.spend.ladder(ask).action);
        if (sent < 4) bodyOf(await payer.send(newNumber(), { signals: { captcha_passed: true } }));
      }
      assert.deepEqual(actions, ['none', 'none', 'cheaper_channel', 'challenge', 'block']);
      assert.deepEqual(get().app.spend.ladder(ask).budgets, [
        { budget: id, spent_micros: 4 * smsMicros, cap_micros: 4 * smsMicros, action: 'block' },
      ]);
      assert.deepEqual(get().app.spend.ladder({ ...ask, country: 'IN', callingCode: '91' }), {
        action: 'none',
        budgets: [],
      });
    });
  },
  { adapters: [carrier.adapter()] },
);
