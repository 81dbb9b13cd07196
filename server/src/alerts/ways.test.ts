/** How people are told: by e-mail and Telegram, once, by whatever node, and in the end or with a reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { bodyOf } from '../testing/application.ts';
import { until } from '../testing/until.ts';
import { botToken, chatId, type MailServer, onEachScene, openMailServer, telegramTo } from './fixture.ts';

onEachScene('telling people of an alert', (get) => {
  async function withRelay(work: (relay: MailServer, provider: string) => Promise<void>): Promise<void> {
    const relay = await openMailServer();
    try {
      await work(relay, await get().mailProvider(relay.port));
    } finally {
      await relay.close();
    }
  }

  test('each address gets its e-mail and the chat its message, at the beginning and at the end', () =>
    withRelay(async (relay, provider_id) => {
      const { telegram, world } = get();
      const addresses = ['ana@example.net', 'ben@example.net'];
      const posted = telegram.posted.length;
      const { app, rule } = await get().makeLow({ ...telegramTo, email: { provider_id, addresses } });
      await get().round();
      assert.deepEqual(relay.taken.map(({ to }) => to).sort(), addresses);
      const mail = await PostalMime.parse(relay.taken[0]?.raw ?? '');
      const text = `The balance of application ${app.id} is 1.00 EUR, below 2.00 EUR.`;
      assert.deepEqual([mail.subject, mail.text?.trim()], ['Alert: low balance', text]);
      assert.deepEqual(telegram.posted.slice(posted), [
        { token: botToken, chat_id: chatId, text: `Alert: low balance\n${text}` },
      ]);
      world.balance = { micros: 3_000_000, currency: 'EUR' };
      await get().round();
      assert.equal(relay.taken.length, 4);
      assert.match(telegram.posted.at(-1)?.text ?? '', /^Ended: low balance\n.*3\.00 EUR, back from below 2\.00 EUR/);
      const told = (await get().messagesOf(rule)).map(({ about, way, to, state, tries }) => [
        about,
        way,
        to,
        state,
        tries,
      ]);
      const ways = [...addresses.map((to) => ['email', to]), ['telegram', chatId]];
      const expected = ['raised', 'ended'].flatMap((about) => ways.map((way) => [about, ...way, 'sent', 1]));
      assert.deepEqual(told, expected);
      const events = await get().notices(app.id);
      assert.deepEqual(
        events.map(({ status }) => status),
        [undefined, undefined],
        'no callback was asked for',
      );
      await get().dropRule(rule);
    }));

  test('two nodes at once raise one alert and tell it once; a restart goes on with what is open', async () => {
    const { telegram, world } = get();
    const other = await get().anotherNode();
    const posted = telegram.posted.length;
    const { app, rule } = await get().makeLow(telegramTo);
    await Promise.all([get().app.alerts.round(), other.app.alerts.round(), get().app.alerts.round()]);
    await Promise.all([get().app.alerts.round(), other.app.alerts.round()]);
    assert.equal(telegram.posted.length, posted + 1);
    assert.equal((await get().notices(app.id)).length, 1);
    const later = await get().anotherNode();
    await get().database.clock.travel(15_000);
    assert.equal(await later.app.alerts.round(), 0, 'it stays raised');
    world.balance = { micros: 9_000_000, currency: 'EUR' };
    await get().database.clock.travel(15_000);
    assert.equal(await later.app.alerts.round(), 1);
    assert.equal(telegram.posted.length, posted + 2);
    await get().dropRule(rule);
  });

  test('a node that dies while it posts leaves the message to others', async () => {
    const { telegram } = get();
    const dying = await get().anotherNode();
    const { rule } = await get().makeLow(telegramTo);
    const posted = telegram.posted.length;
    const lost = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    telegram.onPost = () => {
      seen.resolve();
      return lost.promise;
    };
    const work = dying.app.alerts.round();
    await seen.promise;
    telegram.onPost = null;
    await get().round(30);
    assert.equal(telegram.posted.length, posted + 1, 'its lease holds');
    await get().round(31);
    assert.equal(telegram.posted.length, posted + 2);
    assert.deepEqual(
      (await get().messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 2]],
    );
    telegram.answers.push({ status: 401, body: { ok: false } });
    lost.resolve();
    await work;
    assert.deepEqual(
      (await get().messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 2]],
      'it comes too late to change anything',
    );
    await get().dropRule(rule);
  });

  test('what is running judges and posts by itself, and stops', async () => {
    const { telegram } = get();
    const running = await get().anotherNode();
    const posted = telegram.posted.length;
    const { rule } = await get().makeLow(telegramTo);
    running.app.alerts.start();
    await until('the message', () => telegram.posted.length > posted);
    await running.app.alerts.stop();
    assert.equal(telegram.posted.length, posted + 1);
    await get().dropRule(rule);
  });

  test('a test tries every way and answers how each went', () =>
    withRelay(async (_relay, provider_id) => {
      const { telegram } = get();
      const addresses = ['ana@example.net', 'gone@example.net'];
      const { app, rule } = await get().makeLow({ email: { provider_id, addresses }, telegram: telegramTo.telegram });
      telegram.answers.push({ status: 403, body: { ok: false, description: 'Forbidden' } });
      const { results } = bodyOf(await get().ask('POST', `alert-rules/${rule.id}/test`));
      assert.deepEqual(
        results.map(({ way, to, outcome }: Record<string, string>) => [way, to, outcome]),
        [
          ['callback', null, 'queued'],
          ['email', 'ana@example.net', 'accepted'],
          ['email', 'gone@example.net', 'refused'],
          ['telegram', chatId, 'refused'],
        ],
      );
      assert.match(results[2].detail, /550|5\.1\.1/);
      assert.match(results[3].detail, /403/);
      assert.equal((await get().alerts(rule)).length, 0, 'no alert for it');
      const events = await get().managed(app.id);
      assert.deepEqual(
        events.map(({ status, data }) => [status, data?.['action'] ?? data?.['state']]),
        [
          [undefined, 'create alert_rule'],
          [undefined, 'test alert_rule'],
          ['alert', 'test'],
        ],
      );
      await get().dropRule(rule);
    }));

  test('the bot token is in no answer, event or log line, also where the server repeats it', async () => {
    const { telegram, ask, logged } = get();
    const { app, rule } = await get().makeLow(telegramTo);
    telegram.answers.push({ status: 400, body: { ok: false, description: `no method /bot${botToken}/sendMessage` } });
    await get().round();
    const [message] = await get().messagesOf(rule);
    assert.match(message?.last_error ?? '', /no method \/bot•••\/sendMessage/);
    telegram.answers.push({ status: 500, body: { description: botToken } });
    const answers = [
      await ask('POST', `alert-rules/${rule.id}/test`),
      await ask('GET', `alert-rules/${rule.id}`),
      await ask('GET', 'alert-rules'),
      await ask('GET', 'alerts'),
      await ask('PATCH', `alert-rules/${rule.id}`, { notify: telegramTo }),
      await ask('PATCH', `alert-rules/${rule.id}`, {
        notify: { telegram: { bot_token: `${botToken}/`, chat_id: chatId } },
      }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200, 400],
    );
    const events = [...(await get().notices(app.id)), ...(await get().managed(app.id))];
    const secret = botToken.split(':')[1] ?? '';
    assert.ok(!JSON.stringify([answers.map(({ body }) => body), events]).includes(secret));
    assert.match(logged(), /an alert was not told/);
    assert.ok(!logged().includes(secret));
    await get().dropRule(rule);
  });
});
