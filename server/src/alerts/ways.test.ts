/** How people are told: by e-mail and Telegram, once, by whatever node, and in the end or with a reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { bodyOf, openApplication, type TestApplication } from '../testing/application.ts';
import { until } from '../testing/until.ts';
import { botToken, chatId, type MailServer, onEachScene, openMailServer, type Rule, telegramTo } from './fixture.ts';

onEachScene('telling people of an alert', (get) => {
  let relays = 0;
  async function openMail(port: number): Promise<string> {
    const id = `mail-${++relays}`;
    const settings = { host: '127.0.0.1', port, security: 'none', from: 'alerts@example.com' };
    bodyOf(await get().ask('POST', 'providers', { id, adapter: 'email-smtp', title: 'Relay', settings }));
    return id;
  }

  async function withRelay(work: (relay: MailServer, provider: string) => Promise<void>): Promise<void> {
    const relay = await openMailServer();
    try {
      await work(relay, await openMail(relay.port));
    } finally {
      await relay.close();
    }
  }

  /** A rule whose balance is too low from the next round on. */
  async function makeLow(notify: object): Promise<{ app: TestApplication; rule: Rule }> {
    const app = await openApplication(get(), { templates: [] });
    get().world.balance = { micros: 1_000_000, currency: 'EUR' };
    return { app, rule: await get().makeRule({ kind: 'balance', application_id: app.id, threshold: 2, notify }) };
  }

  const end = async ({ id }: Rule): Promise<void> => void bodyOf(await get().ask('DELETE', `alert-rules/${id}`));
  const messagesOf = async (rule: Rule) => (await get().alerts(rule)).flatMap(({ messages }) => messages);

  test('each address gets its e-mail and the chat its message, at the beginning and at the end', () =>
    withRelay(async (relay, provider_id) => {
      const { telegram, world } = get();
      const addresses = ['ana@example.net', 'ben@example.net'];
      const posted = telegram.posted.length;
      const { app, rule } = await makeLow({ ...telegramTo, email: { provider_id, addresses } });
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
      const told = (await messagesOf(rule)).map(({ about, way, to, state, tries }) => [about, way, to, state, tries]);
      const ways = [...addresses.map((to) => ['email', to]), ['telegram', chatId]];
      const expected = ['raised', 'ended'].flatMap((about) => ways.map((way) => [about, ...way, 'sent', 1]));
      assert.deepEqual(told, expected);
      const events = await get().notices(app.id);
      assert.deepEqual(
        events.map(({ status }) => status),
        [undefined, undefined],
        'no callback was asked for',
      );
      await end(rule);
    }));

  test('a relay that is away is tried again on the schedule, and then given up with the reason', async () => {
    const relay = await openMailServer();
    const provider_id = await openMail(relay.port);
    await relay.close();
    const { rule } = await makeLow({ callback: false, email: { provider_id, addresses: ['ana@example.net'] } });
    await get().round();
    const seen: [string, number][] = [];
    for (const seconds of [0, 58, 60, 300, 1_800, 7_200, 7_200]) {
      await get().round(seconds);
      const [message] = await messagesOf(rule);
      seen.push([message?.state ?? '', message?.tries ?? 0]);
    }
    assert.deepEqual(seen, [
      ['waiting', 1],
      ['waiting', 1],
      ['waiting', 2],
      ['waiting', 3],
      ['waiting', 4],
      ['given_up', 5],
      ['given_up', 5],
    ]);
    assert.match((await messagesOf(rule))[0]?.last_error ?? '', /ECONNREFUSED/);
    await end(rule);
  });

  test('a deleted provider is a readable reason, and no further try', async () => {
    const provider_id = await openMail(9);
    const { rule } = await makeLow({ callback: false, email: { provider_id, addresses: ['ana@example.net'] } });
    bodyOf(await get().ask('DELETE', `providers/${provider_id}`));
    await get().round();
    const [message] = await messagesOf(rule);
    assert.deepEqual(
      [message?.state, message?.last_error],
      ['given_up', `there is no provider ${provider_id} that sends e-mail`],
    );
    await end(rule);
  });

  test('Telegram that asks for patience gets it', async () => {
    const { telegram } = get();
    const { rule } = await makeLow(telegramTo);
    telegram.answers.push({ status: 429, body: { ok: false, error_code: 429, parameters: { retry_after: 400 } } });
    const posted = telegram.posted.length;
    await get().round();
    await get().round(380);
    assert.equal(telegram.posted.length, posted + 1);
    assert.equal((await messagesOf(rule))[0]?.last_error, 'Telegram asks for patience (429)');
    await get().round(25);
    assert.equal(telegram.posted.length, posted + 2);
    assert.deepEqual(
      (await messagesOf(rule)).map(({ state, tries, last_error }) => [state, tries, last_error]),
      [['sent', 2, null]],
    );
    await end(rule);
  });

  test('what Telegram will never take is given up at once, in words to act on', async () => {
    const { telegram } = get();
    const table: [number, object | string, RegExp][] = [
      [401, { ok: false, description: 'Unauthorized' }, /^Telegram does not know the bot token \(401\)/],
      [404, { ok: false, description: 'Not Found' }, /^Telegram does not know the bot token \(404\)/],
      [
        403,
        { ok: false, description: 'Forbidden: bot was blocked by the user' },
        /^the bot may not write to this chat \(403\): Forbidden: bot was blocked/,
      ],
      [
        400,
        { ok: false, description: 'Bad Request: chat not found' },
        /^Telegram refuses the message \(400\): Bad Request: chat not found$/,
      ],
      [400, { ok: false, parameters: { migrate_to_chat_id: -100777 } }, /its chat_id is now -100777$/],
      [302, '', /^Telegram answered 302$/],
    ];
    for (const [status, body, reason] of table) {
      const { rule } = await makeLow(telegramTo);
      telegram.answers.push({ status, body });
      await get().round();
      const [message] = await messagesOf(rule);
      assert.deepEqual([message?.state, message?.tries], ['given_up', 1], String(status));
      assert.match(message?.last_error ?? '', reason);
      await end(rule);
    }
  });

  test('an answer that makes no sense, or a fault of Telegram, is tried again', async () => {
    const { telegram } = get();
    const { rule } = await makeLow(telegramTo);
    telegram.answers.push({ status: 502, body: '<html>' }, { status: 200, body: 'maybe' });
    await get().round();
    await get().round(60);
    assert.deepEqual(
      (await messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['waiting', 2]],
    );
    await get().round(300);
    assert.deepEqual(
      (await messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 3]],
    );
    await end(rule);
  });

  test('two nodes at once raise one alert and tell it once; a restart goes on with what is open', async () => {
    const { telegram, world } = get();
    const other = await get().anotherNode();
    const posted = telegram.posted.length;
    const { app, rule } = await makeLow(telegramTo);
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
    await end(rule);
  });

  test('a node that dies while it posts leaves the message to others', async () => {
    const { telegram } = get();
    const dying = await get().anotherNode();
    const { rule } = await makeLow(telegramTo);
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
      (await messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 2]],
    );
    telegram.answers.push({ status: 401, body: { ok: false } });
    lost.resolve();
    await work;
    assert.deepEqual(
      (await messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 2]],
      'it comes too late to change anything',
    );
    await end(rule);
  });

  test('what is running judges and posts by itself, and stops', async () => {
    const { telegram } = get();
    const running = await get().anotherNode();
    const posted = telegram.posted.length;
    const { rule } = await makeLow(telegramTo);
    running.app.alerts.start();
    await until('the message', () => telegram.posted.length > posted);
    await running.app.alerts.stop();
    assert.equal(telegram.posted.length, posted + 1);
    await end(rule);
  });

  test('a test tries every way and answers how each went', () =>
    withRelay(async (_relay, provider_id) => {
      const { telegram } = get();
      const addresses = ['ana@example.net', 'gone@example.net'];
      const { app, rule } = await makeLow({ email: { provider_id, addresses }, telegram: telegramTo.telegram });
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
      await end(rule);
    }));

  test('the bot token is in no answer, event or log line, also where the server repeats it', async () => {
    const { telegram, ask, logged } = get();
    const { app, rule } = await makeLow(telegramTo);
    telegram.answers.push({ status: 400, body: { ok: false, description: `no method /bot${botToken}/sendMessage` } });
    await get().round();
    const [message] = await messagesOf(rule);
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
    await end(rule);
  });
});
