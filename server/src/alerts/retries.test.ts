/** What does not arrive at once: tried again on the schedule, or given up in words to act on. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bodyOf } from '../testing/application.ts';
import { onEachScene, openMailServer, telegramTo } from './fixture.ts';

onEachScene('messages about alerts that do not arrive', (get) => {
  before(() => get().database.clock.freeze());

  test('a relay that is away is tried again on the schedule, and then given up with the reason', async () => {
    const relay = await openMailServer();
    const provider_id = await get().mailProvider(relay.port);
    await relay.close();
    const { rule } = await get().makeLow({ callback: false, email: { provider_id, addresses: ['ana@example.net'] } });
    await get().round();
    const seen: [string, number][] = [];
    for (const seconds of [0, 59.999, 0.001, 300, 1_800, 7_200, 7_200]) {
      await get().round(seconds);
      const [message] = await get().messagesOf(rule);
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
    assert.match((await get().messagesOf(rule))[0]?.last_error ?? '', /ECONNREFUSED/);
    await get().dropRule(rule);
  });

  test('a deleted provider is a readable reason, and no further try', async () => {
    const provider_id = await get().mailProvider(9);
    const { rule } = await get().makeLow({ callback: false, email: { provider_id, addresses: ['ana@example.net'] } });
    bodyOf(await get().ask('DELETE', `providers/${provider_id}`));
    await get().round();
    const [message] = await get().messagesOf(rule);
    assert.deepEqual(
      [message?.state, message?.last_error],
      ['given_up', `there is no provider ${provider_id} that sends e-mail`],
    );
    await get().dropRule(rule);
  });

  test('Telegram that asks for patience gets it', async () => {
    const { telegram } = get();
    const { rule } = await get().makeLow(telegramTo);
    telegram.answers.push({ status: 429, body: { ok: false, error_code: 429, parameters: { retry_after: 400 } } });
    const posted = telegram.posted.length;
    await get().round();
    await get().round(380);
    assert.equal(telegram.posted.length, posted + 1);
    assert.equal((await get().messagesOf(rule))[0]?.last_error, 'Telegram asks for patience (429)');
    await get().round(25);
    assert.equal(telegram.posted.length, posted + 2);
    assert.deepEqual(
      (await get().messagesOf(rule)).map(({ state, tries, last_error }) => [state, tries, last_error]),
      [['sent', 2, null]],
    );
    await get().dropRule(rule);
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
      const { rule } = await get().makeLow(telegramTo);
      telegram.answers.push({ status, body });
      await get().round();
      const [message] = await get().messagesOf(rule);
      assert.deepEqual([message?.state, message?.tries], ['given_up', 1], String(status));
      assert.match(message?.last_error ?? '', reason);
      await get().dropRule(rule);
    }
  });

  test('an answer that makes no sense, or a fault of Telegram, is tried again', async () => {
    const { telegram } = get();
    const { rule } = await get().makeLow(telegramTo);
    telegram.answers.push({ status: 502, body: '<html>' }, { status: 200, body: 'maybe' });
    await get().round();
    await get().round(60);
    assert.deepEqual(
      (await get().messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['waiting', 2]],
    );
    await get().round(300);
    assert.deepEqual(
      (await get().messagesOf(rule)).map(({ state, tries }) => [state, tries]),
      [['sent', 3]],
    );
    await get().dropRule(rule);
  });
});
