/** Each kind of rule, from what really happens to the event that is called back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';
import { until } from '../testing/until.ts';
import { onEachScene, openMailServer, type Scene, telegramTo } from './fixture.ts';

const hour = 3_600;

onEachScene('alert rules', (get) => {
  test('balance: told once for each fall below the threshold, in the words of the contract', async () => {
    const { id } = await openApplication(get());
    const rule = await get().makeRule({ kind: 'balance', application_id: id, threshold: 2, notify: {} });
    const balances = [null, 2_500_000, 1_990_000, 1_500_000, null, 2_000_000, 1_000_000];
    const changes: number[] = [];
    for (const micros of balances) {
      get().world.balance = micros === null ? null : { micros, currency: 'USD' };
      changes.push(await get().round());
    }
    get().world.balance = null;
    assert.deepEqual(changes, [0, 0, 1, 0, 0, 1, 1]);
    const rows = await get().rowsOf(id);
    assert.deepEqual(
      rows.map(({ event }) => event),
      ['insufficient_balance', 'alert', 'insufficient_balance'],
    );
    const first = { business_id: id, remain_balance: 1.99, balance_threshold: 2, currency: 'USD' };
    assert.deepEqual(rows[0]?.notification_data, first);
    const [second, before] = await get().alerts(rule);
    const { text } = before ?? {};
    assert.match(text ?? '', /^The balance of application \d+ is 1\.99 USD, below 2\.00 USD\.$/);
    assert.deepEqual(
      { ...rows[1]?.notification_data, text: '' },
      {
        business_id: id,
        alert_id: before?.id,
        kind: 'balance',
        state: 'ended',
        value: 2,
        threshold: 2,
        text: '',
        currency: 'USD',
      },
    );
    assert.deepEqual([second?.state, second?.value, before?.state, before?.['ended_value']], ['raised', 1, 'ended', 2]);
  });

  async function openMailing(
    relayPort: number,
    more: object = {},
  ): Promise<{ app: TestApplication; provider: string }> {
    const provider = await get().mailProvider(relayPort, more);
    const app = await openApplication(get(), { network: 'live', templates: [] });
    const entries = [{ provider, priority: 1, price_micros: 1_000_000 }];
    bodyOf(await get().ask('POST', 'routes', { channel: 'email', application_id: app.id, entries }));
    await app.addTemplate({ template_id: 'mail', send_channel_strategy: 'email' });
    return { app, provider };
  }

  async function sendMails(scene: Scene, app: TestApplication, count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      bodyOf(await app.send(`ana${newNumber().slice(1)}@example.net`, { template: { id: 'mail' } }));
    await scene.app.delivery.runUntilIdle();
  }

  test('spend velocity: over an amount, and over a multiple of the average hour before', async () => {
    const relay = await openMailServer();
    const { app } = await openMailing(relay.port);
    const common = { kind: 'spend_velocity', application_id: app.id, notify: {} };
    const byAmount = await get().makeRule({ ...common, threshold: 5, clear_threshold: 1 });
    const byFactor = await get().makeRule({ ...common, factor: 4 });
    await sendMails(get(), app, 5);
    assert.equal(await get().round(), 0);
    await sendMails(get(), app, 1);
    assert.equal(await get().round(), 1);
    const [alert] = await get().alerts(byAmount);
    assert.deepEqual([alert?.value, alert?.threshold, alert?.kind], [6, 5, 'spend_velocity']);
    assert.match(alert?.text ?? '', /^6\.00 USD were spent of application \d+ in the last hour, above 5\.00 USD\.$/);
    assert.equal(await get().round(4 * hour), 1, 'the hour of it is over');
    await sendMails(get(), app, 5);
    assert.equal(await get().round(), 0, 'five an hour, and two was the average of three hours');
    await sendMails(get(), app, 5);
    assert.equal(await get().round(), 2);
    const [{ value = 0, threshold = 0 } = {}] = await get().alerts(byFactor);
    assert.equal(value, 10);
    assert.ok(threshold > 7.5 && threshold < 8.5, `four times the average of ${threshold / 4}`);
    await relay.close();
  });

  test('provider circuit: told when it opens and when it closes, to the operator alone', async () => {
    const away = await openMailServer();
    await away.close();
    const { app, provider } = await openMailing(away.port, { circuit: { min_calls: 1 } });
    const rule = await get().makeRule({ kind: 'provider_circuit', notify: telegramTo });
    const posted = get().telegram.posted.length;
    await get().round();
    await sendMails(get(), app, 1);
    await until('the circuit is open', async () => (await get().round()) === 1);
    const [alert] = await get().alerts(rule);
    assert.deepEqual(
      [alert?.subject, alert?.state, alert?.value, alert?.['application_id']],
      [provider, 'raised', 1, null],
    );
    assert.equal(await get().round(), 0);
    await get().ask('POST', `providers/${provider}/reset-circuit`);
    await until('the circuit is closed', async () => (await get().round()) === 1);
    const texts = get()
      .telegram.posted.slice(posted)
      .map(({ text }) => text.split('\n').at(-1) ?? '');
    assert.match(
      texts[0] ?? '',
      new RegExp(`^The circuit of provider ${provider} is open \\(.*ECONNREFUSED.*\\): nothing`),
    );
    assert.equal(texts[1], `The circuit of provider ${provider} is closed again.`);
    const told = (await get().notices('0')).filter(({ data }) => data?.['provider'] === provider);
    assert.deepEqual(
      told.map(({ cause, status, data }) => [cause, status, data?.['state']]),
      [
        ['alert_raised', undefined, 'raised'],
        ['alert_ended', undefined, 'ended'],
      ],
      'in the ledger, and called back to nobody',
    );
    bodyOf(await get().ask('DELETE', `alert-rules/${rule.id}`));
  });

  test('callback failure: an endpoint that fails for long or was disabled, of this application alone, each by itself', async () => {
    const { id } = await openApplication(get());
    const rule = await get().makeRule({ kind: 'callback_failure', application_id: id, threshold: 10, notify: {} });
    const failingSince = new Date(get().database.clock.now());
    const endpoint = { applicationId: id, host: 'hooks.example.com', failingSince, disabledBecause: null };
    get().world.endpoints = [
      { ...endpoint, id: '71' },
      { ...endpoint, id: '72', disabledBecause: 'gone' },
      { ...endpoint, id: '73', applicationId: '1', disabledBecause: 'gone' },
    ];
    assert.equal(await get().round(), 1, 'the disabled one at once');
    assert.equal(await get().round(540), 0);
    assert.equal(await get().round(60), 1);
    get().world.endpoints = [{ ...endpoint, id: '71' }];
    assert.equal(await get().round(), 1);
    get().world.endpoints = [];
    assert.equal(await get().round(), 1);
    const rows = await get().rowsOf(id);
    assert.deepEqual(
      rows.map(({ event, notification_data: data }) => [event, data['kind'], data['state'], data['endpoint_id']]),
      [
        ['alert', 'callback_failure', 'raised', '72'],
        ['alert', 'callback_failure', 'raised', '71'],
        ['alert', 'callback_failure', 'ended', '72'],
        ['alert', 'callback_failure', 'ended', '71'],
      ],
    );
    assert.deepEqual(
      (await get().alerts(rule)).map(({ subject, state }) => [subject, state]),
      [
        ['71', 'ended'],
        ['72', 'ended'],
      ],
    );
  });
});
