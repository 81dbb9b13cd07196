import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import {
  assertRefused,
  bodyOf,
  loginTemplate,
  newNumber,
  openApplication,
  type TestApplication,
  wrongFor,
} from '../testing/application.ts';

const free = { resend_after: 0, max_sends: 1000 };
const own = { template_type: 2, template_custom_config: { custom_sub_type: 'authentication' } };
const greeting = {
  sms_config: {
    ...own,
    template_custom_config: { ...own.template_custom_config, custom_content: 'Hi {{name}}: {{code}}, {{ttl}} min' },
  },
};

onEachApp('resend policies (contract §5.6)', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      policy: {
        resend_policy: { mode: 'compat', ...free },
        target_attempts: 100,
        allow_overrides: ['ttl_seconds', 'code_length'],
      },
      templates: [
        {},
        { template_id: 'rotate', ...greeting, resend: { mode: 'rotate' } },
        { template_id: 'reuse', resend: { mode: 'reuse' } },
        { template_id: 'grace', ...greeting, resend: { mode: 'rotate_with_grace' } },
        { template_id: 'grace1', resend: { mode: 'rotate_with_grace', n: 1 } },
        { template_id: 'grace3', resend: { mode: 'rotate_with_grace', n: 3 } },
      ],
    });
  });
  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };
  const by = (id: string, params = {}) => ({ template: { id, params } });
  const verified = async (messageId: string, code: string): Promise<boolean> =>
    bodyOf(await app.verify(messageId, code)).verified;
  const refusedFor = async (messageId: string, code: string): Promise<string> => {
    const reply = await app.verify(messageId, code);
    assert.equal(reply.status, 400, JSON.stringify(reply.body));
    return reply.body.reason;
  };

  test('compat: a second send is refused while the code lives, says how long and which message, and has no effect', async () => {
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to);
    await travel(88);
    const reply = await get().expectNothingHappened(() => app.send(to));
    assertRefused(reply, 3004, 'code_still_valid');
    assert.equal(reply.body.message, 'a code for this template and target is still valid');
    assert.deepEqual(reply.body.details, { retry_after: 212, message_id: messageId });
    assert.equal(reply.headers['retry-after'], '212');
    assert.ok(await verified(messageId, code));
    const next = await app.sendCode(to);
    await travel(300);
    const last = await app.sendCode(to);
    assert.equal(new Set([messageId, next.messageId, last.messageId]).size, 3);
    assert.equal(await refusedFor(next.messageId, next.code), 'expired');
    assert.equal((await app.statuses(next.messageId)).at(-1), 'verified_timeout(sms, 3003)');
    assert.ok(await verified(last.messageId, last.code));
  });

  test('compat: a resend keeps id, code and expiry and shares the attempts', async () => {
    const to = newNumber();
    const { messageId, code, expiresAt } = await app.sendCode(to);
    bodyOf(await app.verify(messageId, wrongFor(code)));
    await travel(40);
    const again = bodyOf(await app.act(messageId, 'resend'));
    assert.deepEqual(again, { message_id: messageId, send_channel: 'sms', attempt: 2, expires_at: expiresAt });
    const codes = (await app.inbox(to)).map((message) => message.code);
    assert.deepEqual(codes, [code, code]);
    assert.equal(bodyOf(await app.verify(messageId, wrongFor(code))).attempts_remaining, 3);
    assert.equal((await app.send(to)).body.details.retry_after, 260);
    assert.ok(await verified(messageId, code));
    assertRefused(await app.act(messageId, 'resend'), 3003, 'already_verified');
  });

  test('rotate: a second send makes a new id and code and supersedes the old one', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('rotate'));
    bodyOf(await app.verify(first.messageId, wrongFor(first.code)));
    await travel(10);
    const second = await app.sendCode(to, by('rotate'));
    assert.notEqual(second.messageId, first.messageId);
    assert.equal(Date.parse(second.expiresAt) - Date.parse(first.expiresAt), 10_000);
    assert.equal(await refusedFor(first.messageId, second.code), 'superseded');
    assertRefused(await app.act(first.messageId, 'resend'), 3003, 'superseded');
    assertRefused(await app.act(first.messageId, 'cancel'), 3003, 'superseded');
    // A new verification: all attempts again.
    assert.equal(bodyOf(await app.verify(second.messageId, wrongFor(second.code))).attempts_remaining, 4);
    assert.ok(await verified(second.messageId, second.code));
    const { timeline } = await app.story(first.messageId);
    assert.deepEqual(timeline.filter((entry: { cause: string }) => entry.cause === 'superseded').length, 1);
  });

  test('rotate: a resend keeps the id and the used attempts, makes a new code with a whole life and renders the params again', async () => {
    const to = newNumber();
    const more = { template: { id: 'rotate', params: { name: 'Ana' } }, ttl_seconds: 120, code_length: 8 };
    const { messageId, code } = await app.sendCode(to, more);
    bodyOf(await app.verify(messageId, wrongFor(code)));
    await travel(100);
    const again = bodyOf(await app.act(messageId, 'resend'));
    assert.equal(Date.parse(again.expires_at), get().database.clock.now() + 120_000);
    const [newest] = await app.inbox(to);
    assert.equal(newest?.text, `Hi Ana: ${newest?.code}, 2 min`);
    assert.equal(newest?.code.length, 8);
    assert.notEqual(newest?.code, code);
    assert.equal((await app.story(messageId)).expires_at, again.expires_at);
    assert.equal(bodyOf(await app.verify(messageId, code)).attempts_remaining, 3);
    await travel(119);
    assert.ok(await verified(messageId, newest?.code ?? ''));
  });

  test('reuse: a second send has a new id, the same code and the same expiry; the code verifies once under any id', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('reuse'));
    await travel(50);
    const second = await app.sendCode(to, by('reuse'));
    assert.notEqual(second.messageId, first.messageId);
    assert.deepEqual([second.code, second.expiresAt], [first.code, first.expiresAt]);
    assert.match((await app.inbox(to))[0]?.text ?? '', /in 4 min/);
    assert.equal(bodyOf(await app.verify(first.messageId, wrongFor(first.code))).attempts_remaining, 4);
    assert.equal(bodyOf(await app.verify(second.messageId, wrongFor(first.code))).attempts_remaining, 3);
    const again = bodyOf(await app.act(second.messageId, 'resend'));
    assert.deepEqual([again.message_id, again.expires_at], [second.messageId, first.expiresAt]);
    assert.equal((await app.inbox(to))[0]?.code, first.code);
    assert.ok(await verified(first.messageId, first.code));
    assert.equal(await refusedFor(second.messageId, first.code), 'already_verified');
    for (const { messageId } of [first, second])
      assert.equal((await app.story(messageId)).verification.state, 'verified');
  });

  test('a success under an older id is reported once, under that id, with its next sequence number and channel', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('reuse'));
    await travel(2);
    const second = await app.sendCode(to, by('reuse'));
    await travel(2);
    assert.ok(await verified(first.messageId, first.code));
    const { timeline } = await app.story(first.messageId);
    const rows = timeline.filter((entry: { event: string | null }) => entry.event !== null);
    assert.deepEqual(
      rows.map(({ event, sequence, step, channel }: Record<string, unknown>) => [event, sequence, step, channel]),
      [
        ['plan', 1, null, 'sms'],
        ['target_valid', 2, null, 'sms'],
        ['sent', 3, 1, 'sms'],
        ['delivered', 4, 1, 'sms'],
        ['verified', 5, 1, 'sms'],
      ],
    );
    assert.ok(!(await app.statuses(second.messageId)).some((status) => status.startsWith('verified')));
  });

  test('a shared budget used up under an older id closes all of them, is reported once, and no later send joins it', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('reuse'));
    const second = await app.sendCode(to, by('reuse'));
    for (const id of [first.messageId, second.messageId, second.messageId, first.messageId, first.messageId])
      bodyOf(await app.verify(id, wrongFor(first.code)));
    assert.equal(await refusedFor(second.messageId, first.code), 'too_many_attempts');
    const reported = [...(await app.statuses(first.messageId)), ...(await app.statuses(second.messageId))];
    assert.deepEqual(
      reported.filter((status) => status.startsWith('verified')),
      ['verified_failed(sms, 3003)'],
    );
    assertRefused(await app.act(second.messageId, 'resend'), 3003, 'too_many_attempts');
    const third = await app.sendCode(to, by('reuse'));
    assert.ok(await verified(third.messageId, third.code));
  });

  for (const [template, n] of [
    ['grace1', 1],
    ['grace', 2],
    ['grace3', 3],
  ] as const) {
    test(`rotate_with_grace(${n}): the last ${n} codes verify under any id, older ones do not`, async () => {
      const to = newNumber();
      const sends = [];
      for (let i = 0; i < 4; i++) {
        sends.push(await app.sendCode(to, by(template)));
        await travel(5);
      }
      assert.equal(new Set(sends.map(({ messageId }) => messageId)).size, 4);
      const [oldest] = sends;
      const dead = sends[3 - n];
      const alive = sends[4 - n];
      assert.ok(oldest && dead && alive);
      assert.equal(bodyOf(await app.verify(sends[3]?.messageId ?? '', dead.code)).attempts_remaining, 4);
      assert.ok(await verified(oldest.messageId, alive.code));
      for (const { messageId, code } of sends) assert.equal(await refusedFor(messageId, code), 'already_verified');
    });
  }

  test('rotate_with_grace: each code dies at its own expiry, also an older one that outlives the newest', async () => {
    const to = newNumber();
    const long = await app.sendCode(to, by('grace'));
    const short = await app.sendCode(to, { ...by('grace'), ttl_seconds: 30 });
    assert.equal(Date.parse(short.expiresAt), get().database.clock.now() + 30_000);
    await travel(30);
    assert.equal(bodyOf(await app.verify(short.messageId, short.code)).attempts_remaining, 4);
    assert.ok(await verified(short.messageId, long.code));
    const first = await app.sendCode(to, by('grace'));
    await travel(200);
    const second = await app.sendCode(to, by('grace'));
    await travel(100);
    assert.equal(bodyOf(await app.verify(first.messageId, first.code)).attempts_remaining, 4);
    assert.ok(await verified(first.messageId, second.code));
  });

  test('rotate_with_grace: a resend keeps the id, adds a code with a whole life, and later sends still join it', async () => {
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to, by('grace', { name: 'Bo' }));
    bodyOf(await app.verify(messageId, wrongFor(code)));
    await travel(250);
    const again = bodyOf(await app.act(messageId, 'resend'));
    assert.deepEqual(
      [again.message_id, Date.parse(again.expires_at)],
      [messageId, get().database.clock.now() + 300_000],
    );
    const renewed = await app.codeAt(to, messageId);
    assert.notEqual(renewed, code);
    assert.match((await app.inbox(to))[0]?.text ?? '', /^Hi Bo: /);
    // Past the first code's time, within the second one's.
    await travel(60);
    const third = await app.sendCode(to, by('grace'));
    assert.equal(bodyOf(await app.verify(third.messageId, code)).attempts_remaining, 3);
    assert.ok(await verified(third.messageId, renewed));
  });

  test('verified_timeout of a verification comes once, under its newest id', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('grace'));
    await travel(100);
    const second = await app.sendCode(to, by('grace'));
    await travel(300);
    const timeouts = async ({ messageId }: { messageId: string }) =>
      (await app.statuses(messageId)).filter((status) => status === 'verified_timeout(sms, 3003)').length;
    assert.deepEqual([await timeouts(first), await timeouts(second)], [0, 1]);
  });

  test('a new send right after an expiry does not swallow the old message’s verified_timeout', async () => {
    for (const template of ['login', 'rotate', 'reuse']) {
      const to = newNumber();
      const { messageId } = await app.sendCode(to, by(template));
      await travel(2);
      await get().database.clock.travel(298_000);
      bodyOf(await app.send(to, by(template)));
      await get().settle();
      assert.equal((await app.statuses(messageId)).at(-1), 'verified_timeout(sms, 3003)', template);
    }
  });

  test('the template’s policy wins over the application’s, a policy changed meanwhile keeps the code of a message sent before', async () => {
    const changing = await openApplication(get(), {
      policy: { resend_policy: free },
      templates: [greeting, { template_id: 'signup', resend: { mode: 'compat' } }],
    });
    const to = newNumber();
    const old = await changing.sendCode(to, by('login', { name: 'Cy' }));
    await changing.changePolicy({ resend_policy: { mode: 'rotate' } });
    const again = bodyOf(await changing.act(old.messageId, 'resend'));
    assert.equal(again.expires_at, old.expiresAt);
    assert.match((await changing.inbox(to))[0]?.text ?? '', new RegExp(`^Hi Cy: ${old.code}`));
    await changing.sendCode(to, by('login'));
    assertRefused(await changing.verify(old.messageId, old.code), 3003, 'superseded');
    await changing.sendCode(to, by('signup'));
    assertRefused(await changing.send(to, by('signup')), 3004, 'code_still_valid');
  });

  test('a message outlives its template: a resend says the same again', async () => {
    await app.addTemplate({ template_id: 'gone', ...greeting, resend: { mode: 'rotate' } });
    const to = newNumber();
    const { messageId, code, expiresAt } = await app.sendCode(to, by('gone', { name: 'Di' }));
    bodyOf(await app.call({ path: '/v1/template-configs/gone', method: 'DELETE' }));
    const again = bodyOf(await app.act(messageId, 'resend'));
    assert.equal(again.expires_at, expiresAt);
    assert.match((await app.inbox(to))[0]?.text ?? '', new RegExp(`^Hi Di: ${code}`));
    assert.ok(await verified(messageId, code));
    assert.equal((await app.send(to, by('gone'))).body.code, 4001);
  });

  test('a resend with a new code survives a template whose channels were changed meanwhile', async () => {
    const body = { template_id: 'moved', send_channel_strategy: 'whatsapp|sms', resend: { mode: 'rotate' } };
    await app.addTemplate(body);
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to, by('moved'));
    const update = { ...loginTemplate, ...body, send_channel_strategy: 'sms' };
    bodyOf(await app.call({ path: '/v1/template-configs/moved', method: 'PUT', body: update }));
    assert.equal(bodyOf(await app.act(messageId, 'resend')).send_channel, 'whatsapp');
    const renewed = await app.codeAt(to, messageId);
    assert.notEqual(renewed, code);
    assert.ok(await verified(messageId, renewed));
  });
});
