/** The operator's hand on alert rules: made, changed, listed, deleted; what is refused, by which field; the ledger tells who did it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bodyOf, openApplication, type TestApplication } from '../testing/application.ts';
import { botToken, chatId, onEachScene, telegramTo } from './fixture.ts';

onEachScene('alert rules by the operator', (get) => {
  let app: TestApplication;
  before(async () => {
    app = await openApplication(get(), { templates: [] });
    const settings = { host: '127.0.0.1', port: 9, security: 'none', from: 'alerts@example.com' };
    const sms = { api_key: 'abcd1234', api_secret: 'secret', from: 'Acme', api_url: 'https://127.0.0.1' };
    bodyOf(await get().ask('POST', 'providers', { id: 'relay', adapter: 'email-smtp', title: 'Relay', settings }));
    bodyOf(await get().ask('POST', 'providers', { id: 'carrier', adapter: 'sms-vonage', title: 'SMS', settings: sms }));
  });

  const low = () => ({ kind: 'balance', application_id: app.id, threshold: 2, notify: { callback: true } });
  const email = (addresses: string[], provider_id = 'relay') => ({ email: { provider_id, addresses } });
  const five = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.net`);

  test('a rule is made with the defaults of its kind, and read back without its secrets', async () => {
    const made = await get().makeRule({ ...low(), notify: { ...email(five), telegram: telegramTo.telegram } });
    const { id, created_at, updated_at, ...rest } = made;
    assert.ok(id && created_at && updated_at);
    assert.deepEqual(rest, {
      application_id: app.id,
      kind: 'balance',
      threshold: 2,
      clear_threshold: null,
      factor: null,
      min_samples: 0,
      quiet_minutes: 0,
      enabled: true,
      notify: {
        callback: true,
        email: { provider_id: 'relay', addresses: five },
        telegram: { bot_token: 'set', chat_id: chatId },
      },
      raised: false,
      value: null,
      judged_at: null,
    });
    assert.deepEqual(bodyOf(await get().ask('GET', `alert-rules/${id}`)), made);
    const rate = await get().makeRule({ ...low(), kind: 'delivery_rate' });
    assert.deepEqual([rate['min_samples'], rate['quiet_minutes']], [50, 60]);
    const circuit = await get().makeRule({ kind: 'provider_circuit', notify: email(five) });
    assert.deepEqual(
      [circuit['application_id'], circuit['notify']],
      [null, { callback: false, ...email(five), telegram: null }],
    );
  });

  test('what cannot be is refused by its field, and nothing happens', async () => {
    const table: [object, string][] = [
      [{ ...low(), notify: email([...five, 'f@example.net']) }, 'notify.email.addresses: must have at most 5 entries'],
      [{ ...low(), notify: email([]) }, 'notify.email.addresses: must have at least 1 entry'],
      [{ ...low(), notify: email(['ana']) }, 'notify.email.addresses[0]: must be an e-mail address'],
      [
        { ...low(), notify: email(['ana@example.net\r\nBcc: all@example.net']) },
        'notify.email.addresses[0]: must be an e-mail address',
      ],
      [
        { ...low(), notify: email(five, 'nobody') },
        'notify.email.provider_id: must be the id of a provider that sends e-mail',
      ],
      [
        { ...low(), notify: email(five, 'carrier') },
        'notify.email.provider_id: must be the id of a provider that sends e-mail',
      ],
      [{ ...low(), notify: { telegram: { chat_id: chatId } } }, 'notify.telegram.bot_token: required'],
      [
        { ...low(), notify: { telegram: { chat_id: chatId, bot_token: 'set' } } },
        'notify.telegram.bot_token: required',
      ],
      [
        { ...low(), notify: { telegram: { chat_id: chatId, bot_token: '1:x/../y' } } },
        'notify.telegram.bot_token: must be the token BotFather gave',
      ],
      [
        { ...low(), notify: { telegram: { bot_token: botToken, chat_id: 'ana' } } },
        'notify.telegram.chat_id: must be the number of a chat, or the @name of a channel',
      ],
      [{ ...low(), notify: { callback: false } }, 'notify: names no way to tell anybody'],
      [{ ...low(), application_id: null }, 'application_id: required'],
      [{ ...low(), threshold: undefined }, 'threshold: required'],
      [
        { ...low(), kind: 'provider_circuit', threshold: undefined },
        'application_id: a provider serves the whole installation: leave it out',
      ],
      [
        { kind: 'provider_circuit', notify: { callback: true } },
        'notify.callback: an alert of the whole installation is called back to nobody',
      ],
      [{ ...low(), kind: 'verification_rate', quiet_minutes: 5 }, 'quiet_minutes: must be at least 60 for this kind'],
    ];
    for (const [body, message] of table) {
      const reply = await get().expectNothingHappened(() => get().ask('POST', 'alert-rules', body));
      assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 3002, message], JSON.stringify(body));
    }
    const unknown = await get().expectNothingHappened(() =>
      get().ask('POST', 'alert-rules', { ...low(), application_id: '7' }),
    );
    assert.deepEqual([unknown.status, unknown.body.code, unknown.body.message], [404, 4001, 'application not found']);
  });

  test('a change leaves what is not given, keeps the token, and null takes away or goes back', async () => {
    const { telegram } = get();
    const { id } = await get().makeRule({
      ...low(),
      clear_threshold: 3,
      notify: { ...email(five), telegram: telegramTo.telegram },
    });
    const change = async (body: object) => bodyOf(await get().ask('PATCH', `alert-rules/${id}`, body));
    const changed = await change({
      threshold: 1,
      notify: { telegram: { chat_id: '@channel', bot_token: 'set' }, email: null },
    });
    assert.deepEqual([changed.threshold, changed.clear_threshold], [1, 3]);
    assert.deepEqual(changed.notify, {
      callback: true,
      email: null,
      telegram: { bot_token: 'set', chat_id: '@channel' },
    });
    bodyOf(await get().ask('POST', `alert-rules/${id}/test`));
    assert.deepEqual([telegram.posted.at(-1)?.token, telegram.posted.at(-1)?.chat_id], [botToken, '@channel']);
    assert.equal((await change({ clear_threshold: null, enabled: false })).clear_threshold, null);
    for (const [body, field] of [
      [{ threshold: null }, 'threshold'],
      [{ factor: 3 }, 'factor'],
      [{ notify: { callback: false, telegram: null } }, 'notify'],
      [{ notify: email(five, 'carrier') }, 'notify.email.provider_id'],
    ] as const) {
      const { status, body: fault } = await get().expectNothingHappened(() =>
        get().ask('PATCH', `alert-rules/${id}`, body),
      );
      assert.deepEqual([status, fault.details.fields[0].field], [400, field]);
    }
  });

  test('a rule that is not enabled raises nothing; enabled again it does', async () => {
    get().world.balance = { micros: 1, currency: 'USD' };
    const rule = await get().makeRule({ ...low(), enabled: false });
    const alerts = () => get().alerts(rule);
    await get().round();
    assert.deepEqual(await alerts(), []);
    await get().ask('PATCH', `alert-rules/${rule.id}`, { enabled: true });
    await get().app.alerts.round();
    assert.equal((await alerts()).length, 1);
    assert.equal(bodyOf(await get().ask('GET', `alert-rules/${rule.id}`)).raised, true);
    await get().ask('DELETE', `alert-rules/${rule.id}`);
  });

  test('deleting a rule ends its alerts without a word, drops what was not posted, and keeps the history', async () => {
    const { telegram, world } = get();
    const other = await openApplication(get(), { templates: [] });
    world.balance = { micros: 1, currency: 'USD' };
    const rule = await get().makeRule({ ...low(), application_id: other.id, notify: telegramTo });
    telegram.answers.push({ status: 500 });
    await get().round();
    const posted = telegram.posted.length;
    const path = `alert-rules/${rule.id}`;
    assert.deepEqual(bodyOf(await get().ask('DELETE', path)), { id: rule.id, deleted: true });
    await get().round(120);
    assert.equal(telegram.posted.length, posted);
    const [alert, ...more] = await get().alerts(rule);
    assert.deepEqual([alert?.state, alert?.['ended_value'], more], ['ended', null, []]);
    const [message] = alert?.messages ?? [];
    assert.deepEqual([message?.state, message?.last_error], ['given_up', 'the rule was deleted']);
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const { status, body } = await get().ask(method, path, method === 'PATCH' ? {} : undefined);
      assert.deepEqual([status, body.code], [404, 4001], method);
    }
    const actions = (await get().managed(other.id)).map(({ status, data }) => [
      status,
      data?.['action'],
      data?.['operator'],
    ]);
    const operator = { ip_address: '127.0.0.1' };
    assert.deepEqual(actions, [
      [undefined, 'create alert_rule', operator],
      [undefined, 'delete alert_rule', operator],
    ]);
  });

  test('lists are newest first, whole over their pages, and filtered', async () => {
    const { id } = await openApplication(get(), { templates: [] });
    get().world.balance = { micros: 1, currency: 'USD' };
    const rules: string[] = [];
    for (let i = 0; i < 3; i++) rules.unshift((await get().makeRule({ ...low(), application_id: id })).id);
    await get().round();
    const pages = async (path: string, name: string): Promise<Record<string, unknown>[]> => {
      const rows: Record<string, unknown>[] = [];
      for (let cursor = ''; ; ) {
        const page = bodyOf(await get().ask('GET', `${path}&limit=2${cursor && `&cursor=${cursor}`}`));
        rows.push(...page[name]);
        if (page.next_cursor === null) return rows;
        cursor = page.next_cursor;
      }
    };
    const listed = await pages(`alert-rules?application_id=${id}`, 'alert_rules');
    assert.deepEqual(
      listed.map((rule) => rule['id']),
      rules,
    );
    const count = async (filter: string): Promise<number> =>
      (await pages(`alerts?application_id=${id}${filter}`, 'alerts')).length;
    const [first] = rules;
    const filters = [
      '',
      '&state=raised',
      '&state=ended',
      '&kind=balance',
      '&kind=delivery_rate',
      `&rule_id=${first}`,
      '&rule_id=x',
    ];
    assert.deepEqual(await Promise.all(filters.map(count)), [3, 3, 0, 3, 0, 1, 0]);
    assert.equal((await get().ask('GET', 'alerts?cursor=x')).status, 400);
    for (const rule of rules) await get().ask('DELETE', `alert-rules/${rule}`);
    assert.deepEqual(await Promise.all(filters.map(count)), [3, 0, 3, 3, 0, 1, 0]);
  });
});
