import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from '../platform/sql.ts';
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

onEachApp('which sends join a living verification (contract §5.6)', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      policy: { resend_policy: { mode: 'compat', ...free }, target_attempts: 100 },
      templates: [
        { template_id: 'reuse', resend: { mode: 'reuse' } },
        { template_id: 'grace', resend: { mode: 'rotate_with_grace' } },
      ],
    });
  });
  const by = (id: string, purpose?: string) => ({ template: { id }, ...(purpose && { purpose }) });
  const changeCode = async (id: string, mode: string, type: number): Promise<void> => {
    const verify_code_config = { ...loginTemplate.verify_code_config, verify_code_type: type };
    const body = { ...loginTemplate, template_id: id, resend: { mode }, verify_code_config };
    bodyOf(await app.call({ path: `/v1/template-configs/${id}`, method: 'PUT', body }));
  };

  for (const template of ['reuse', 'grace'])
    for (const earlier of ['login', undefined])
      test(`${template}: a code for another purpose than the living one (${earlier ?? 'none'}) is one of its own and supersedes that`, async () => {
        const to = newNumber();
        const first = await app.sendCode(to, by(template, earlier));
        const second = await app.sendCode(to, by(template, 'transaction'));
        assert.notEqual(second.code, first.code);
        assert.equal((await app.story(second.messageId)).purpose, 'transaction');
        assertRefused(await app.verify(second.messageId, second.code, { purpose: 'login' }), 3003, 'purpose_mismatch');
        assertRefused(await app.verify(first.messageId, second.code), 3003, 'superseded');
        const right = bodyOf(await app.verify(second.messageId, second.code, { purpose: 'transaction' }));
        assert.deepEqual([right.verified, right.purpose], [true, 'transaction']);
      });

  for (const template of ['reuse', 'grace'])
    test(`${template}: a code for the same purpose joins`, async () => {
      const to = newNumber();
      const first = await app.sendCode(to, by(template, 'login'));
      const second = await app.sendCode(to, by(template, 'login'));
      assert.equal(bodyOf(await app.verify(first.messageId, wrongFor(first.code))).attempts_remaining, 4);
      const right = bodyOf(await app.verify(first.messageId, second.code, { purpose: 'login' }));
      assert.deepEqual([right.verified, right.purpose], [true, 'login']);
    });

  test('grace: once the template draws other codes, the next code is one of its own and is right as it was sent', async () => {
    await app.addTemplate({ template_id: 'drawn', resend: { mode: 'rotate_with_grace' } });
    // Drawn evenly, so that some have a capital letter.
    const tries = 8;
    for (const type of [7, 1]) {
      const targets = Array.from({ length: tries }, newNumber);
      const earlier = [];
      for (const to of targets) earlier.push(await app.sendCode(to, by('drawn')));
      await changeCode('drawn', 'rotate_with_grace', type);
      for (const [i, to] of targets.entries()) {
        const { messageId, code } = await app.sendCode(to, by('drawn'));
        assertRefused(await app.verify(earlier[i]?.messageId ?? '', code), 3003, 'superseded');
        assert.equal(bodyOf(await app.verify(messageId, code)).verified, true, code);
      }
    }
  });

  test('reuse: the code stays as it is, whatever codes the template draws meanwhile', async () => {
    await app.addTemplate({ template_id: 'kept', resend: { mode: 'reuse' } });
    const to = newNumber();
    const first = await app.sendCode(to, by('kept'));
    await changeCode('kept', 'reuse', 7);
    const second = await app.sendCode(to, by('kept'));
    assert.equal(second.code, first.code);
    assert.equal(bodyOf(await app.verify(first.messageId, second.code)).verified, true);
  });

  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };

  test('reuse: every id of the verification is sent again on demand, with its code and expiry, and has ordinary receipts', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('reuse'));
    const second = await app.sendCode(to, by('reuse'));
    await travel(2);
    for (const { messageId } of [first, second])
      assert.deepEqual(await app.statuses(messageId), [
        'plan(sms)',
        'target_valid(sms)',
        'sent(sms)',
        'delivered(sms)',
      ]);
    const again = bodyOf(await app.act(first.messageId, 'resend'));
    assert.deepEqual([again.message_id, again.expires_at], [first.messageId, first.expiresAt]);
    const [newest] = await app.inbox(to);
    assert.deepEqual([newest?.message_id, newest?.code], [first.messageId, first.code]);
    assert.equal(bodyOf(await app.verify(second.messageId, first.code)).verified, true);
    assertRefused(await app.act(first.messageId, 'resend'), 3003, 'already_verified');
  });

  test('grace: an older id is sent again with a new code', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('grace'));
    const second = await app.sendCode(to, by('grace'));
    assert.equal(bodyOf(await app.act(first.messageId, 'resend')).message_id, first.messageId);
    const third = await app.codeAt(to, first.messageId);
    assert.notEqual(third, first.code);
    assert.equal(bodyOf(await app.verify(second.messageId, first.code)).attempts_remaining, 4);
    assert.equal(bodyOf(await app.verify(second.messageId, third)).verified, true);
  });

  test('an older id that is sent again leaves the lock to the code that lives longest', async () => {
    await app.addTemplate({ template_id: 'turned', resend: { mode: 'rotate_with_grace' } });
    const to = newNumber();
    const first = await app.sendCode(to, by('turned'));
    await travel(200);
    const second = await app.sendCode(to, by('turned'));
    await changeCode('turned', 'compat', 1);
    bodyOf(await app.act(first.messageId, 'resend'));
    await travel(150);
    assertRefused(await app.send(to, by('turned')), 3004, 'code_still_valid');
    assert.equal(bodyOf(await app.verify(second.messageId, second.code)).verified, true);
  });

  test('an older message that was sent again goes on by its chain until the next send', async () => {
    const to = newNumber();
    await app.addTemplate({ template_id: 'chain', send_channel_strategy: 'whatsapp|sms', resend: { mode: 'reuse' } });
    await app.script(to, { whatsapp: { receipt: 'none' }, sms: { receipt: 'none' } });
    const first = await app.sendCode(to, by('chain'));
    const channelsOfFirst = async () =>
      (await app.statuses(first.messageId)).filter((status) => status.startsWith('sent')).join(' ');
    await app.sendCode(to, by('chain'));
    assertRefused(await app.act(first.messageId, 'next-channel'), 3003, 'no_further_channel');
    bodyOf(await app.act(first.messageId, 'resend'));
    await get().settle();
    await travel(21);
    assert.equal(await channelsOfFirst(), 'sent(whatsapp) sent(whatsapp) sent(sms)');
    bodyOf(await app.act(first.messageId, 'resend'));
    await get().settle();
    await app.sendCode(to, by('chain'));
    await travel(21);
    assert.equal(await channelsOfFirst(), 'sent(whatsapp) sent(whatsapp) sent(sms) sent(whatsapp)');
  });

  test('what supersedes a code ends all its messages and erases it, also of those whose own time is over', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, by('grace', 'login'));
    await travel(200);
    const second = await app.sendCode(to, by('grace', 'login'));
    await travel(150);
    await app.sendCode(to, by('grace', 'transaction'));
    for (const { messageId } of [first, second]) {
      assert.equal((await app.story(messageId)).verification.state, 'superseded');
      assertRefused(await app.act(messageId, 'resend'), 3003, 'superseded');
      const [row] = await get().database.db.query<{ ended: string; content: Buffer | null }>(
        sql`select ended, content from deliveries where message_id = ${messageId}`,
      );
      assert.deepEqual(row, { ended: 'superseded', content: null });
    }
  });

  test('a code of the caller supersedes the one that lives', async () => {
    await app.addTemplate({ template_id: 'rotate', resend: { mode: 'rotate' } });
    for (const id of ['rotate', 'reuse', 'grace']) {
      const to = newNumber();
      const first = await app.sendCode(to, by(id));
      bodyOf(await app.call({ path: '/v1/codes', body: { to, code: '048213', template: { id } } }));
      assertRefused(await app.verify(first.messageId, first.code), 3003, 'superseded');
      assertRefused(await app.act(first.messageId, 'resend'), 3003, 'superseded');
      const last = await app.sendCode(to, by(id));
      assert.equal(bodyOf(await app.verify(last.messageId, last.code)).verified, true);
    }
  });
});
