/** Rates, from codes that end and messages that arrive to the event that is called back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, newNumber, openApplication } from '../testing/application.ts';
import { onEachScene, openStrict } from './fixture.ts';

const hour = 3_600;

onEachScene('alert rules on rates', (get) => {
  const lastValue = async (rule: string): Promise<number | null> =>
    bodyOf(await get().ask('GET', `alert-rules/${rule}`)).value;

  test('verification rate: counted from the ledger, told at most once per hour, ended only beyond the clear threshold', async () => {
    const app = await openStrict(get());
    const terms = { threshold: 60, clear_threshold: 70, min_samples: 5 };
    const rule = await get().makeRule({ kind: 'verification_rate', application_id: app.id, ...terms, notify: {} });
    await get().endCodes(app, { verified: 1, failed: 3 });
    assert.equal(await get().round(), 0, 'four codes say nothing');
    await get().endCodes(app, { verified: 1 });
    assert.equal(await get().round(), 1);
    await get().endCodes(app, { verified: 4 });
    assert.equal(await get().round(), 0, '66.67 % is above the threshold and not yet clear');
    await get().endCodes(app, { verified: 1 });
    assert.equal(await get().round(), 1);
    assert.deepEqual(
      (await get().rowsOf(app.id)).map(({ event, notification_data: { rate, value, threshold, state } }) => [
        event,
        rate ?? value,
        threshold,
        state,
      ]),
      [
        ['insufficient_verification_rate', 40, 60, undefined],
        ['alert', 70, 60, 'ended'],
      ],
    );
    const [{ notification_data = {} } = {}] = await get().rowsOf(app.id);
    assert.deepEqual(notification_data, { business_id: app.id, rate: 40, threshold: 60 });
    await get().endCodes(app, { failed: 6 });
    assert.equal(await get().round(), 0, 'the hour since the first is not over');
    await get().round(3_200);
    await get().endCodes(app, { failed: 5 });
    assert.equal(await get().round(400), 1);
    assert.equal((await get().alerts(rule)).length, 2);
    assert.equal(await get().round(2 * hour), 0, 'a window without codes ends nothing');
  });

  test('verification rate: a code that runs out counts as not verified', async () => {
    const app = await openStrict(get());
    await get().makeRule({
      kind: 'verification_rate',
      application_id: app.id,
      threshold: 50,
      min_samples: 2,
      notify: {},
    });
    for (let i = 0; i < 2; i++) await app.sendCode(newNumber());
    assert.equal(await get().round(60), 0);
    await get().database.clock.travel(300_000);
    await get().settle();
    assert.equal(await get().round(), 1);
  });

  test('delivery rate: what was just sent is no failure until two minutes are over', async () => {
    const app = await openApplication(get());
    const rule = await get().makeRule({
      kind: 'delivery_rate',
      application_id: app.id,
      threshold: 80,
      min_samples: 4,
      notify: {},
    });
    const sendTo = async (receipt: string): Promise<void> => {
      const to = newNumber();
      await app.script(to, { sms: { receipt, receipt_after_ms: 1_000 } });
      await app.sendCode(to);
    };
    for (let i = 0; i < 3; i++) await sendTo('delivered');
    for (let i = 0; i < 3; i++) await sendTo('none');
    await get().live(2);
    assert.equal(await get().round(), 0, 'three have arrived, of the others nobody knows');
    assert.equal((await lastValue(rule.id)) ?? null, null);
    assert.equal(await get().round(200), 1);
    const [{ event, notification_data: data } = { event: '', notification_data: {} }] = await get().rowsOf(app.id);
    assert.deepEqual(
      [event, data['kind'], data['state'], data['value'], data['threshold'], data['samples']],
      ['alert', 'delivery_rate', 'raised', 50, 80, 6],
    );
    for (let i = 0; i < 14; i++) await sendTo('delivered');
    await sendTo('undelivered');
    await get().live(2);
    assert.equal(await get().round(), 0, '17 of 21: a receipt counts at once, also a bad one');
    assert.equal(await lastValue(rule.id), 80.95);
    for (let i = 0; i < 10; i++) await sendTo('delivered');
    await get().live(2);
    assert.equal(await get().round(), 1);
    assert.equal(await lastValue(rule.id), 87.1);
  });
});
