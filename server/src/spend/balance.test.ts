/** Prepaid balances, through the whole app. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { onEachApp } from '../testing/app.ts';
import { assertRefused, bodyOf, newNumber } from '../testing/application.ts';
import { openCarrier, openPayer, PricedCarrier, refuses, smsMicros, whatsappMicros } from '../testing/payers.ts';
import { assertAddsUp, assertChargedOnce } from '../testing/sums.ts';
import { until } from '../testing/until.ts';

const carrier = new PricedCarrier();
const units = (micros: number): number => micros / 1_000_000;

onEachApp(
  'prepaid balance',
  (get) => {
    before(() => openCarrier(get()));

    test('organizations are unlimited until the operator says otherwise: nothing is reserved or charged', async () => {
      const payer = await openPayer(get(), null);
      bodyOf(await payer.send(newNumber()));
      await get().app.delivery.runUntilIdle();
      const { balance, reserved, mode } = await payer.balance();
      assert.deepEqual([balance, reserved, mode], [0, 0, 'unlimited']);
      const path = `/admin/v1/organizations/${payer.organizationId}/balance/entries`;
      assert.deepEqual(bodyOf(await get().operator({ path })).entries, []);
    });

    test('a send reserves its estimate, its hand-over charges the cost, and what is not covered is refused without effect', async () => {
      const payer = await openPayer(get(), 2 * smsMicros + smsMicros / 2);
      const gate = Promise.withResolvers<void>();
      const numbers = [newNumber(), newNumber()];
      for (const to of numbers) carrier.hold(`sms ${to}`, gate.promise);
      for (const to of numbers) bodyOf(await payer.send(to));
      assert.deepEqual((await payer.balance()).reserved, units(2 * smsMicros));
      assertRefused(await payer.send(newNumber()), 3003, 'insufficient_balance');
      await assertAddsUp(get().database.db);
      bodyOf(await payer.pay(smsMicros / 2));
      const third = bodyOf(await payer.send(newNumber())).message_id;
      const { balance, reserved } = await until('the third is charged', async () => {
        const now = await payer.balance();
        return now.balance < units(3 * smsMicros) && now;
      });
      assert.deepEqual([balance, reserved], [units(2 * smsMicros), units(2 * smsMicros)]);
      const path = `/admin/v1/organizations/${payer.organizationId}/balance/entries`;
      const [charge] = bodyOf(await get().operator({ path: `${path}?limit=1` })).entries;
      assert.deepEqual([charge.kind, charge.message_id, charge.amount_micros], ['charge', third, -smsMicros]);
      gate.resolve();
      await get().app.delivery.runUntilIdle();
      const { balance: left, reserved: held } = await payer.balance();
      assert.deepEqual([left, held], [0, 0]);
      await assertAddsUp(get().database.db);
    });

    test('a fallback is charged beside the first step, also below zero; then sends are refused', async () => {
      const payer = await openPayer(get(), whatsappMicros);
      const to = newNumber();
      const { message_id: id } = bodyOf(await payer.send(to, { template: { id: 'chain' } }));
      await get().app.delivery.runUntilIdle();
      assert.deepEqual((await payer.balance()).balance, 0);
      await get().live(21);
      assert.deepEqual(await payer.statuses(id), [
        'plan(whatsapp)',
        'target_valid(whatsapp)',
        'sent(whatsapp)',
        'sent(sms)',
      ]);
      const { balance, reserved } = await payer.balance();
      assert.deepEqual([balance, reserved], [units(-smsMicros), 0]);
      assertRefused(await payer.send(newNumber(), { template: { id: 'chain' } }), 3003, 'insufficient_balance');
      await assertAddsUp(get().database.db);
      await assertChargedOnce(get().database.db);
    });

    test('what ends without a hand-over gives its reservation back: failed, cancelled, superseded, expired', async () => {
      const payer = await openPayer(get(), 10 * smsMicros);
      const failing = newNumber();
      carrier.answers.set(`sms ${failing}`, refuses);
      const failed = bodyOf(await payer.send(failing)).message_id;
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.story(failed)).state, 'failed');
      assert.equal((await payer.balance()).reserved, 0);

      const pausing = newNumber();
      const later = { kind: 'refused', temporary: true, reason: 'throttled', errorCode: 5001, detail: 'busy' } as const;
      carrier.answers.set(`sms ${pausing}`, () => ({ ...later, retryAfterMs: 60_000 }));
      const first = bodyOf(await payer.send(pausing)).message_id;
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.balance()).reserved, units(smsMicros), 'it is tried again');
      const second = bodyOf(await payer.send(pausing)).message_id;
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.story(first)).verification.state, 'superseded');
      assert.equal((await payer.balance()).reserved, units(smsMicros), 'of the second alone');
      bodyOf(await payer.act(second, 'cancel'));
      assert.equal((await payer.balance()).reserved, 0);

      bodyOf(await payer.send(pausing));
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.balance()).reserved, units(smsMicros));
      await get().live(10);
      await get().database.clock.travel(301_000);
      await get().settle();
      const { balance, reserved } = await payer.balance();
      assert.deepEqual([balance, reserved], [units(10 * smsMicros), 0]);
      await assertAddsUp(get().database.db);
    });

    test('parallel sends never spend more than there is', async () => {
      const payer = await openPayer(get(), 7 * smsMicros + 1);
      const replies = await Promise.all(Array.from({ length: 40 }, () => payer.send(newNumber())));
      assert.equal(replies.filter(({ status }) => status === 200).length, 7);
      for (const reply of replies.filter(({ status }) => status !== 200))
        assertRefused(reply, 3003, 'insufficient_balance');
      await get().app.delivery.runUntilIdle();
      const { balance, reserved } = await payer.balance();
      assert.deepEqual([balance, reserved], [units(1), 0]);
      await assertAddsUp(get().database.db);
      await assertChargedOnce(get().database.db);
    });

    test('with nothing left a message is not sent once more, neither from the start nor by its next channel', async () => {
      const payer = await openPayer(get(), whatsappMicros);
      const { message_id: id } = bodyOf(await payer.send(newNumber(), { template: { id: 'chain' } }));
      await get().app.delivery.runUntilIdle();
      assertRefused(await payer.act(id, 'resend'), 3003, 'insufficient_balance');
      assertRefused(await payer.act(id, 'next-channel'), 3003, 'insufficient_balance');
      bodyOf(await payer.pay(smsMicros));
      bodyOf(await payer.act(id, 'next-channel'));
      await get().app.delivery.runUntilIdle();
      assert.equal((await payer.balance()).balance, 0);
    });

    test('a top-up is added once under its key, whatever is asked meanwhile; another amount under it is a conflict', async () => {
      const payer = await openPayer(get(), 0);
      const path = `/admin/v1/organizations/${payer.organizationId}/balance/top-ups`;
      const body = { amount: '12.345678', key: 'invoice-7', note: 'invoice 7', author: 'ana' };
      const replies = await Promise.all(Array.from({ length: 8 }, () => get().operator({ path, body })));
      assert.equal(new Set(replies.map((reply) => bodyOf(reply).id)).size, 1);
      assert.equal((await payer.balance()).balance, 12.345678);
      const other = await get().operator({ path, body: { ...body, amount: '12.35' } });
      assert.equal(other.status, 409, JSON.stringify(other.body));
      for (const amount of ['0', '-1', '1.2345678', '1e3', 'ten', ''])
        assert.equal((await get().operator({ path, body: { amount } })).body.code, 3002, amount);
      const told = (await listEvents(get().database.db, '0', '0')).filter(
        ({ data }) => data?.['organization'] === payer.organizationId && data['action'] === 'entry',
      );
      assert.equal(told.length, 1);
      assert.equal(told[0]?.cause, 'balance_managed');
      assert.equal(told[0]?.data?.['amount_micros'], 12_345_678);
    });

    test('what was not delivered is given back where its price says so, and taken again when it was after all', async () => {
      const payer = await openPayer(get(), 10 * smsMicros);
      const price = { channel: 'sms', provider: 'priced', price_micros: 2 * smsMicros, refund: 'undelivered' };
      const { id: priceId } = bodyOf(await get().operator({ path: '/admin/v1/prices', body: price }));
      const { id: budgetId } = await payer.budget({ scope: 'all', period: 'day', cap_micros: 100 * smsMicros });
      const left = async (): Promise<[number, number | undefined]> => [
        Math.round((await payer.balance()).balance * 1_000_000) / smsMicros,
        (await payer.budgets()).find(({ id }) => id === budgetId)?.spent_micros,
      ];
      const sendOne = async (): Promise<string> => {
        const { message_id: id } = bodyOf(await payer.send(newNumber()));
        await get().app.delivery.runUntilIdle();
        return id;
      };
      const first = await sendOne();
      assert.deepEqual(await left(), [8, 2 * smsMicros]);
      for (let i = 0; i < 2; i++) await carrier.undelivered(first, 1);
      await get().app.delivery.runUntilIdle();
      assert.deepEqual(await left(), [10, 0], 'once, whatever is told twice');
      await carrier.delivered(first, 1);
      await get().app.delivery.runUntilIdle();
      assert.deepEqual(await left(), [8, 2 * smsMicros]);
      const second = await sendOne();
      const path = `/admin/v1/organizations/${payer.organizationId}/balance`;
      const [charge] = bodyOf(await get().operator({ path: `${path}/entries` })).entries;
      assert.equal(charge.message_id, second);
      const refund = () => get().operator({ path: `${path}/refunds`, body: { charge_id: charge.id, note: 'by hand' } });
      bodyOf(await refund());
      await carrier.undelivered(second, 1);
      await get().app.delivery.runUntilIdle();
      assert.deepEqual(await left(), [8, 2 * smsMicros], 'not twice');
      await assertAddsUp(get().database.db);
      await get().operator({ method: 'DELETE', path: `/admin/v1/prices/${priceId}` });
    });

    test('a charge is given back once; what is no charge of the organization cannot be', async () => {
      const payer = await openPayer(get(), smsMicros);
      bodyOf(await payer.send(newNumber()));
      await get().app.delivery.runUntilIdle();
      const path = `/admin/v1/organizations/${payer.organizationId}/balance`;
      const [charge, topUp] = bodyOf(await get().operator({ path: `${path}/entries` })).entries;
      const refund = (chargeId: string) =>
        get().operator({ path: `${path}/refunds`, body: { charge_id: chargeId, note: 'never arrived' } });
      const [made, again] = [bodyOf(await refund(charge.id)), bodyOf(await refund(charge.id))];
      assert.equal(made.id, again.id);
      assert.equal((await payer.balance()).balance, units(smsMicros));
      assert.equal((await refund(topUp.id)).status, 404);
      const stranger = await openPayer(get(), 0);
      const foreign = `/admin/v1/organizations/${stranger.organizationId}/balance/refunds`;
      assert.equal((await get().operator({ path: foreign, body: { charge_id: charge.id } })).status, 404);
      await assertAddsUp(get().database.db);
    });

    test('entries are paged newest first without gaps, and stand for ever', async () => {
      const payer = await openPayer(get(), 0);
      for (let i = 1; i <= 5; i++) bodyOf(await payer.pay(i));
      const path = `/admin/v1/organizations/${payer.organizationId}/balance/entries?limit=2`;
      const seen: number[] = [];
      for (let cursor = ''; ; ) {
        const page = bodyOf(await get().operator({ path: `${path}${cursor && `&cursor=${cursor}`}` }));
        seen.push(...page.entries.map((entry: { amount_micros: number }) => entry.amount_micros));
        if (page.next_cursor === null) break;
        cursor = page.next_cursor;
      }
      assert.deepEqual(seen, [5, 4, 3, 2, 1]);
    });

    test('the alert of a low balance reads it, and nothing where the organization is unlimited', async () => {
      const payer = await openPayer(get(), 1_990_000);
      const unlimited = await openPayer(get(), null);
      const { db } = get().database;
      assert.deepEqual(await get().app.spend.balance(db, payer.id), { micros: 1_990_000, currency: 'USD' });
      assert.equal(await get().app.spend.balance(db, unlimited.id), null);
    });
  },
  { adapters: [carrier.adapter()] },
);
