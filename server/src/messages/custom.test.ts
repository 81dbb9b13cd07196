import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { assertRefused, bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';

const text = (content: string, kind = 'utility') => ({
  template_type: 2,
  template_custom_config: { custom_sub_type: kind, custom_content: content },
});

onEachApp('custom messages, other addresses, countries and profiles (contract §5.3, §5.4, §12)', (get) => {
  let app: TestApplication;
  before(async () => {
    app = await openApplication(get(), {
      templates: [
        {},
        {
          template_id: 'note',
          verify_code_config: undefined,
          sms_config: text('Order {{order}} of {{brand_name}}, {{missing}}'),
        },
        { template_id: 'sale', verify_code_config: undefined, sms_config: text('Sale!', 'marketing') },
        { template_id: 'mixed', send_channel_strategy: 'sms|email' },
        { template_id: 'mail', send_channel_strategy: 'email' },
      ],
    });
  });
  const custom = (to: unknown, template: Record<string, unknown>, more = {}) =>
    app.call({ path: '/v1/custom-messages', body: { to, template, ...more } });
  const refusedSend = (...args: Parameters<typeof app.send>) => get().expectNothingHappened(() => app.send(...args));

  test('one recipient: a plain answer; presets are filled, what has no value stays', async () => {
    const to = newNumber();
    const body = bodyOf(await custom(to, { id: 'note', params: { order: 'A-17', brand_name: 'Evil' } }));
    assert.deepEqual(Object.keys(body), ['message_id', 'send_channel']);
    assert.equal((await app.inbox(to))[0]?.text, 'Order A-17 of Acme, {{missing}}');
  });

  test('many recipients: one id each in request order, duplicates once, a failing one disturbs nobody', async () => {
    const [ana, bo] = [newNumber(), newNumber()];
    const spelled = `${ana.slice(0, 3)} ${ana.slice(3)}`;
    const body = bodyOf(await custom(['not-a-number', ana, 'x@', bo, spelled], { id: 'note', params: { order: '1' } }));
    assert.equal(body.message_id, body.messages[1].message_id);
    assert.equal(body.send_channel, 'sms');
    assert.deepEqual(
      body.messages.map((row: Record<string, unknown>) => [row['to'], row['code'] ?? row['send_channel']]),
      [
        ['not-a-number', 5011],
        [ana, 'sms'],
        ['x@', 3002],
        [bo, 'sms'],
      ],
    );
    const key = { 'idempotency-key': body.message_id };
    const request = {
      path: '/v1/custom-messages',
      body: { to: [bo, 'bad', ana], template: { id: 'sale' } },
      headers: key,
    };
    const first = await app.call(request);
    assert.deepEqual(
      bodyOf(first).messages.map((row: { to: string }) => row.to),
      [bo, 'bad', ana],
    );
    assert.deepEqual(bodyOf(await get().expectNothingHappened(() => app.call(request))), first.body);
  });

  test('each of a list is judged for itself, under an Idempotency-Key as without, and what is refused is kept once', async () => {
    const judge = async (headers: Record<string, string>) => {
      const [fresh, locked, blocked, last] = [newNumber(), newNumber(), newNumber(), newNumber()];
      const template = { id: 'mixed', params: { code: '77' } };
      bodyOf(await custom(locked, template));
      const block = { kind: 'block', reason: 'test', application_id: app.id, type: 'number', value: blocked };
      bodyOf(await get().operator({ path: '/admin/v1/lists', body: block }));
      const to = [last, `${newNumber()}0000000`, blocked, locked, 'dee@example.com', fresh];
      const body = { to, template, alternate_to: { email: 'eve@example.com' } };
      const reply = await app.call({ path: '/v1/custom-messages', body, headers });
      await get().app.refusals.flush();
      const kept = async (one: string) =>
        bodyOf(await app.call({ path: `/v1/refusals?to=${encodeURIComponent(one)}` })).refusals.length;
      const rows: { to: string; send_channel?: string; code?: number; reason?: string }[] = bodyOf(reply).messages;
      return Promise.all(rows.map(async (row) => [row.send_channel ?? row.code, row.reason, await kept(row.to)]));
    };
    const judged = await judge({});
    assert.deepEqual(judged, [
      ['sms', undefined, 0],
      [5011, undefined, 1],
      ['email', undefined, 0],
      [3004, 'code_still_valid', 1],
      [3002, undefined, 0],
      ['sms', undefined, 0],
    ]);
    assert.deepEqual(await judge({ 'idempotency-key': 'judged' }), judged);
  });

  test('if all fail the first error is the reply, with the list', async () => {
    const reply = await get().expectNothingHappened(() => custom(['nope', 'a@b'], { id: 'note' }));
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 5011, 'Invalid phone number']);
    assert.deepEqual(
      reply.body.messages.map((row: { code: number }) => row.code),
      [5011, 3002],
    );
    const to = newNumber();
    bodyOf(await custom([to], { id: 'login', params: { code: '1' } }));
    const locked = await custom([to, 'nope'], { id: 'login', params: { code: '1' } });
    assertRefused(locked, 3004, 'code_still_valid');
    assert.ok(Number(locked.headers['retry-after']) > 290);
    assert.equal(locked.body.messages.length, 2);
  });

  test('values make no text of many times its size, for one recipient or many', async () => {
    const custom_content = '{{a}}'.repeat(300);
    const sms_config = { template_type: 2, template_custom_config: { custom_sub_type: 'utility', custom_content } };
    await app.addTemplate({ template_id: 'grows', sms_config });
    const of = (a: string) => ({ id: 'grows', params: { a } });
    const { status, body } = await get().expectNothingHappened(() =>
      custom([newNumber(), newNumber()], of('x'.repeat(1_024))),
    );
    assert.deepEqual([status, body.code], [400, 5014]);
    assert.equal((await custom(newNumber(), of('xyz'))).status, 200);
    const many = Array.from({ length: 45 }, newNumber);
    const reply = bodyOf(await custom(many, of('x')));
    assert.deepEqual(
      reply.messages.map(({ to }: { to: string }) => to),
      many,
      'in their order',
    );
  });

  test('a code template needs params.code in form, another template does not', async () => {
    const missing = await get().expectNothingHappened(() => custom(newNumber(), { id: 'login' }));
    assertRefused(missing, 3003, 'code_required');
    assert.equal(missing.body.message, 'params.code is required');
    assert.equal((await custom(newNumber(), { id: 'login', params: { code: 'a_b' } })).body.code, 3002);
    const echo = await custom(newNumber(), { id: 'login', params: { code: '77' } }, { custom_args: { x: '77' } });
    assert.equal(echo.body.code, 3002);
    assert.equal((await custom(newNumber(), { id: 'nothing' })).body.code, 4001);
    for (const path of ['/v1/messages', '/v1/codes']) {
      const body = { to: newNumber(), code: '1', template: { id: 'note' } };
      assertRefused(await app.call({ path, body }), 3003, 'not_code_template');
    }
    // No lock without a code.
    const to = newNumber();
    for (let i = 0; i < 3; i++) bodyOf(await custom(to, { id: 'sale' }));
  });

  test('alternate_to serves the steps that do not fit `to`; without it they are skipped and told in the timeline alone', async () => {
    const to = newNumber();
    const plain = bodyOf(await app.send(to, { template: { id: 'mixed' } }));
    const story = await app.story(plain.message_id);
    assert.equal(story.steps[1].state, 'skipped');
    const skip = story.timeline.find(({ cause }: { cause: string }) => cause === 'step_skipped');
    assert.deepEqual(
      [skip.event, skip.channel, skip.text],
      [null, 'email', 'E-mail was skipped: there is no address for it.'],
    );
    const mail = bodyOf(await app.send('bo@Example.com', { template: { id: 'mixed' } }));
    assert.equal(mail.send_channel, 'email');
    assert.equal((await app.story(mail.message_id)).to, 'bo@example.com');
    const other = newNumber();
    await app.script(other, { sms: { hand_over: 'refuse' } });
    const both = bodyOf(
      await app.send(other, { template: { id: 'mixed' }, alternate_to: { email: 'cy@example.com' } }),
    );
    await get().settle();
    const rows = await app.statuses(both.message_id);
    assert.deepEqual(rows.slice(2), ['sent_failed(sms, 5012, P)', 'sent(email)']);
    assert.equal((await app.inbox('cy@example.com')).length, 1);
    const none = await refusedSend(to, { template: { id: 'mail' } });
    assertRefused(none, 3003, 'no_usable_channel');
    assert.equal(none.body.message, 'no usable channel: email: no_address');
    assert.equal((await refusedSend(to, { alternate_to: { phone: newNumber() } })).body.code, 3002);
    assert.equal(
      (await refusedSend('a@example.com', { template: { id: 'mixed' }, alternate_to: { phone: '12' } })).body.code,
      5011,
    );
  });

  test('in a list only the recipients of that kind are refused an alternate_to of their own kind', async () => {
    const to = newNumber();
    const template = { id: 'mixed', params: { code: '1' } };
    const body = bodyOf(
      await custom([to, 'dee@example.com'], template, { alternate_to: { email: 'eve@example.com' } }),
    );
    assert.deepEqual(
      body.messages.map((row: Record<string, unknown>) => row['code'] ?? 200),
      [200, 3002],
    );
    assert.equal(
      (await custom('dee@example.com', template, { alternate_to: { email: 'eve@example.com' } })).body.code,
      3002,
    );
  });

  test('live providers without a route: every step is named', async () => {
    const live = await openApplication(get(), {
      network: 'live',
      templates: [{ send_channel_strategy: 'whatsapp|email' }],
    });
    const reply = await get().expectNothingHappened(() => live.send(newNumber()));
    assertRefused(reply, 3003, 'no_usable_channel');
    assert.equal(reply.body.message, 'no usable channel: whatsapp: no_route; email: no_address');
  });

  test('countries: allow list, deny list, and China only with its permission', async () => {
    const send = async (countries: unknown, to: string, china_permission = true) => {
      await app.changePolicy({ countries, china_permission });
      return app.send(to);
    };
    const singapore = newNumber();
    const china = '+8613812345678';
    const refusal = await send({ mode: 'deny', list: ['SG'] }, singapore);
    assertRefused(refusal, 3003, 'country_not_enabled');
    assert.equal(refusal.body.message, 'destination country SG not enabled');
    assertRefused(await send({ mode: 'allow', list: ['US'] }, singapore), 3003, 'country_not_enabled');
    assert.equal((await send({ mode: 'allow', list: ['SG'] }, singapore)).status, 200);
    const blocked = await send({ mode: 'all', list: [] }, china, false);
    assert.deepEqual(
      [blocked.status, blocked.body.code, blocked.body.message],
      [400, 5017, 'no permission to send to China'],
    );
    assert.equal((await send({ mode: 'allow', list: ['SG'] }, china, false)).body.code, 5017);
    assert.equal((await send({ mode: 'all', list: [] }, china)).status, 200);
  });

  test('profile nist-800-63b refuses short codes, long lives and e-mail for login at send; in a chain the e-mail step is skipped', async () => {
    const nist = await openApplication(get(), {
      policy: { allow_overrides: ['ttl_seconds', 'code_length'] },
      templates: [
        { template_id: 'chain', send_channel_strategy: 'email|sms' },
        { template_id: 'mail', send_channel_strategy: 'email' },
        { template_id: 'short', verify_code_config: { verify_code_type: 1, verify_code_len: 5, verify_code_ttl: 5 } },
        {},
      ],
    });
    await nist.changePolicy({ profile: 'nist-800-63b' });
    const by = (id: string, more = {}) => ({ template: { id }, ...more });
    const refuse = async (to: string, more: Record<string, unknown>, message: RegExp) => {
      const reply = await get().expectNothingHappened(() => nist.send(to, more));
      assertRefused(reply, 3003, 'profile');
      assert.match(reply.body.message, /^profile nist-800-63b: /);
      assert.match(reply.body.message, message);
    };
    await refuse(newNumber(), by('short'), /6 characters/);
    await refuse(newNumber(), by('login', { code_length: 4 }), /6 characters/);
    await refuse(newNumber(), by('login', { ttl_seconds: 601 }), /10 minutes/);
    await refuse('ana@example.com', by('mail'), /e-mail/);
    await refuse('ana@example.com', by('mail', { purpose: 'login' }), /e-mail/);
    const own = { to: newNumber(), code: '12345', template: { id: 'login' } };
    assertRefused(await nist.call({ path: '/v1/codes', body: own }), 3003, 'profile');
    assert.equal(bodyOf(await nist.send('ana@example.com', by('mail', { purpose: 'signup' }))).send_channel, 'email');
    assert.equal(
      bodyOf(await nist.send(newNumber(), by('login', { code_length: 6, ttl_seconds: 600 }))).send_channel,
      'sms',
    );
    const chained = bodyOf(await nist.send(newNumber(), by('chain', { alternate_to: { email: 'bo@example.com' } })));
    assert.equal(chained.send_channel, 'sms');
    const skip = (await nist.story(chained.message_id)).timeline.find(
      ({ cause }: { cause: string }) => cause === 'step_skipped',
    );
    assert.equal(skip.text, 'E-mail was skipped: the security profile does not allow it.');
    assert.equal((await nist.inbox('bo@example.com')).length, 0);
  });
});

let drawn = 0;
onEachApp(
  'a platform code and custom_args',
  (get) => {
    test('a callback never carries the code: one that equals a value of custom_args is drawn again', async () => {
      const app = await openApplication(get());
      drawn = 0;
      const { code } = await app.sendCode(newNumber(), { custom_args: { a: '100000', b: '100001' } });
      assert.equal(code, '100002');
      const known = await get().expectNothingHappened(() => app.send('+10000000005', { custom_args: { x: '123456' } }));
      assert.deepEqual([known.status, known.body.code], [400, 3002]);
      assert.match(known.body.message, /custom_args: must not contain the code/);
    });

    test('one of a living code is refused where the code is used again', async () => {
      const app = await openApplication(get(), {
        policy: { resend_policy: { mode: 'reuse', resend_after: 0, max_sends: 5 } },
      });
      const to = newNumber();
      const { code } = await app.sendCode(to);
      const again = await get().expectNothingHappened(() => app.send(to, { custom_args: { x: code } }));
      assert.deepEqual([again.status, again.body.code], [400, 3002]);
    });
  },
  { drawCode: () => String(100_000 + drawn++) },
);
