import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import {
  assertRefused,
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  wrongFor,
} from '../testing/application.ts';

onEachApp('the resend lock and the limits per target (contract §5.6)', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      policy: { resend_policy: { mode: 'compat', resend_after: 0, max_sends: 1000 } },
      templates: [
        {},
        { template_id: 'signup' },
        { template_id: 'rotate', resend: { mode: 'rotate' } },
        { template_id: 'reuse', resend: { mode: 'reuse' } },
        { template_id: 'grace', resend: { mode: 'rotate_with_grace' } },
        { template_id: 'chain', send_channel_strategy: 'whatsapp|sms|voice', resend: { mode: 'reuse' } },
      ],
    });
  });
  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };
  const by = (id: string) => ({ template: { id } });
  const verified = async (messageId: string, code: string): Promise<boolean> =>
    bodyOf(await app.verify(messageId, code)).verified;

  test('the lock is of one template and one target', async () => {
    const to = newNumber();
    await app.sendCode(to);
    assert.equal(bodyOf(await app.send(to, by('signup'))).send_channel, 'sms');
    assert.equal(bodyOf(await app.send(newNumber())).send_channel, 'sms');
    const stranger = await openApplication(get());
    assert.equal(bodyOf(await stranger.send(to)).send_channel, 'sms');
  });

  test('the lock ends with success, cancel, failure and an address proved invalid; it stays after exhausted attempts', async () => {
    const success = newNumber();
    const one = await app.sendCode(success);
    assert.ok(await verified(one.messageId, one.code));
    assert.equal((await app.send(success)).status, 200);

    const cancelled = newNumber();
    bodyOf(await app.act((await app.sendCode(cancelled)).messageId, 'cancel'));
    assert.equal((await app.send(cancelled)).status, 200);

    for (const [errorCode, state] of [
      [5012, 'failed'],
      [5020, 'invalid'],
    ] as const) {
      const to = newNumber();
      await app.script(to, { sms: { receipt: 'undelivered', receipt_error_code: errorCode } });
      const failing = await app.sendCode(to);
      assertRefused(await app.send(to), 3004, 'code_still_valid');
      await travel(1);
      assert.equal((await app.story(failing.messageId)).state, state);
      const next = await app.sendCode(to);
      assertRefused(await app.verify(failing.messageId, failing.code), 3003, 'superseded');
      assert.ok(await verified(next.messageId, next.code));
    }

    const exhausted = newNumber();
    const spent = await app.sendCode(exhausted);
    for (let i = 0; i < 5; i++) bodyOf(await app.verify(spent.messageId, wrongFor(spent.code)));
    assertRefused(await app.send(exhausted), 3004, 'code_still_valid');
    await travel(300);
    assert.equal((await app.send(exhausted)).status, 200);
  });

  test('a message found invalid at acceptance holds no lock, and the next send supersedes its code', async () => {
    // Possible by its length, in no range of the plan.
    const to = '+6511112003';
    for (const mode of ['compat', 'reuse', 'rotate_with_grace']) {
      const strict = await openApplication(get(), {
        policy: { number_check: 'strict', resend_policy: { mode, resend_after: 30 } },
        templates: [{ send_channel_strategy: 'sms|email' }],
      });
      const first = bodyOf(await strict.send(to));
      const { state } = await strict.story(first.message_id);
      assert.equal(state, 'invalid');
      const second = await strict.sendCode(to, { alternate_to: { email: 'ana@example.com' } });
      assertRefused(await strict.verify(first.message_id, '000000'), 3003, 'superseded');
      // With a step left the lock stands.
      const third = await strict.send(to);
      assertRefused(third, 3004, mode === 'compat' ? 'code_still_valid' : 'resend_too_soon');
      assert.equal((await strict.story(second.messageId)).verification.state, 'pending');
    }
  });

  test('cancelling any message of a shared verification ends all of them and the lock', async () => {
    const gap = await openApplication(get(), { policy: { resend_policy: { mode: 'reuse', resend_after: 10 } } });
    const to = newNumber();
    const first = await gap.sendCode(to);
    await travel(10);
    const second = await gap.sendCode(to);
    bodyOf(await gap.act(first.messageId, 'cancel'));
    assertRefused(await gap.verify(second.messageId, second.code), 3003, 'cancelled');
    const third = await gap.sendCode(to);
    assert.equal(bodyOf(await gap.verify(third.messageId, third.code)).verified, true);
  });

  test('one lock holds /v1/messages, /v1/codes and code templates of /v1/custom-messages, for spellings of one number', async () => {
    const to = newNumber();
    const spelled = `${to.slice(0, 3)} ${to.slice(3, 7)}-${to.slice(7)}`;
    const code = { path: '/v1/codes', body: { to: spelled, code: '048213', template: { id: 'login' } } };
    const custom = { path: '/v1/custom-messages', body: { to, template: { id: 'login', params: { code: '1' } } } };
    const first = bodyOf(await app.call(code));
    for (const reply of [await app.call(code), await app.call(custom), await app.send(to)]) {
      assertRefused(reply, 3004, 'code_still_valid');
      assert.equal(reply.body.details.message_id, first.message_id);
    }
    assert.equal((await app.inbox(to))[0]?.code, '048213');
    bodyOf(await app.act(first.message_id, 'cancel'));
    bodyOf(await app.call(custom));
    assertRefused(await app.call(code), 3004, 'code_still_valid');
    // Other modes leave callers' codes without that lock.
    const loose = { ...code, body: { ...code.body, template: { id: 'rotate' } } };
    bodyOf(await app.call(loose));
    bodyOf(await app.call(loose));
  });

  test('of simultaneous sends to one target one wins under compat; under the others each gets an id and the newest code holds', async () => {
    const results = await Promise.all(
      Array.from({ length: 25 }, (_, i) => app.send('+6598700001', i % 2 ? {} : by('login'))),
    );
    assert.equal(results.filter(({ status }) => status === 200).length, 1);
    for (const reply of results) if (reply.status !== 200) assertRefused(reply, 3004, 'code_still_valid');
    for (const template of ['rotate', 'reuse', 'grace']) {
      const to = newNumber();
      const replies = await Promise.all(Array.from({ length: 5 }, () => app.send(to, by(template))));
      const ids = replies.map((reply) => String(bodyOf(reply).message_id));
      assert.equal(new Set(ids).size, 5);
      const right = [];
      for (const { message_id: id, code } of await app.inbox(to)) {
        const reply = await app.verify(id, code);
        if (reply.body.verified) right.push(id);
      }
      assert.equal(right.length, 1, template);
    }
  });

  test('a second send cancels the waiting steps of the older message', async () => {
    const to = newNumber();
    await app.script(to, { whatsapp: { receipt: 'none' } });
    const first = await app.sendCode(to, by('chain'));
    const second = await app.sendCode(to, by('chain'));
    await travel(21);
    assert.deepEqual(await app.statuses(first.messageId), [
      'plan(whatsapp)',
      'target_valid(whatsapp)',
      'sent(whatsapp)',
    ]);
    assert.deepEqual((await app.statuses(second.messageId)).at(-1), 'sent(sms)');
    const steps = (await app.story(first.messageId)).steps.map(({ state }: { state: string }) => state);
    assert.deepEqual(steps, ['sent', 'cancelled', 'cancelled']);
    const note = (await app.story(first.messageId)).timeline.find(
      (entry: { cause: string }) => entry.cause === 'fallback_cancelled',
    );
    assert.deepEqual([note.step, note.channel], [2, 'sms']);
  });

  test('resend_after is the gap between sends while the code lives; max_sends counts sends, resends and next-channel, not fallback', async () => {
    const strict = await openApplication(get(), {
      policy: { resend_policy: { mode: 'reuse', resend_after: 30, max_sends: 4, window_seconds: 3600 } },
      templates: [{ send_channel_strategy: 'whatsapp|sms|voice' }, { template_id: 'signup', resend: { max_sends: 6 } }],
    });
    const to = newNumber();
    await strict.script(to, { whatsapp: { receipt: 'undelivered' }, sms: { receipt: 'none' } });
    const first = await strict.sendCode(to);
    await travel(12);
    const early = await get().expectNothingHappened(() => strict.send(to));
    assertRefused(early, 3004, 'resend_too_soon');
    assert.equal(early.body.message, 'resend too soon');
    assert.equal(early.body.details.retry_after, 18);
    assertRefused(await strict.act(first.messageId, 'resend'), 3004, 'resend_too_soon');
    assert.equal((await strict.statuses(first.messageId)).at(-1), 'sent(sms)');
    assert.equal(bodyOf(await strict.act(first.messageId, 'next-channel')).send_channel, 'voice');
    await travel(30);
    assert.equal(bodyOf(await strict.act(first.messageId, 'resend')).attempt, 4);
    await travel(30);
    bodyOf(await strict.send(to));
    await travel(30);
    const full = await get().expectNothingHappened(() => strict.send(to));
    assertRefused(full, 3004, 'target_send_limit');
    assert.equal(full.body.message, 'too many sends to this target');
    assert.equal(full.body.details.retry_after, 3600 - 12 - 30 - 30 - 30);
    // The template's own rule over the same count: two more.
    bodyOf(await strict.send(to, by('signup')));
    await travel(30);
    bodyOf(await strict.send(to, by('signup')));
    await travel(30);
    assertRefused(await strict.send(to, by('signup')), 3004, 'target_send_limit');
    await travel(3600 - 162);
    bodyOf(await strict.send(to, by('signup')));
  });

  test('under compat a resend keeps the gap too, and next-channel does not', async () => {
    const strict = await openApplication(get(), { templates: [{ send_channel_strategy: 'whatsapp|sms' }] });
    const to = newNumber();
    await strict.script(to, { whatsapp: { receipt: 'none' } });
    const { messageId } = await strict.sendCode(to);
    assertRefused(await strict.act(messageId, 'resend'), 3004, 'resend_too_soon');
    assert.equal(bodyOf(await strict.act(messageId, 'next-channel')).send_channel, 'sms');
    await travel(30);
    assert.equal(bodyOf(await strict.act(messageId, 'resend')).attempt, 3);
  });
});
