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

const minuteMs = 60_000;

onEachApp('checking codes (contract §6)', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      policy: { resend_policy: { mode: 'compat', resend_after: 0, max_sends: 1000 } },
      templates: [{}, { template_id: 'free', resend: { mode: 'rotate' } }, { template_id: 'signup' }],
    });
  });
  const travel = (ms: number) => get().database.clock.travel(ms);
  const other = (templateId: string) => ({ template: { id: templateId } });

  test('the right code answers exactly the contract’s body, the second time already verified', async () => {
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to);
    const right = bodyOf(await app.verify(messageId, code));
    assert.deepEqual(right, { message_id: messageId, verify_code: code, verified: true, to });
    assertRefused(await app.verify(messageId, code), 3003, 'already_verified');
    assertRefused(await app.verify(messageId, wrongFor(code)), 3003, 'already_verified');
    assert.equal((await app.story(messageId)).verification.state, 'verified');
  });

  test('a wrong code costs one attempt and says how many are left; the last one closes the code and is reported once', async () => {
    const { messageId, code } = await app.sendCode(newNumber());
    const wrong = wrongFor(code);
    for (const left of [4, 3, 2, 1, 0]) {
      const body = bodyOf(await app.verify(messageId, wrong));
      assert.deepEqual(body, { message_id: messageId, verify_code: wrong, verified: false, attempts_remaining: left });
    }
    const refused = await app.verify(messageId, code);
    assertRefused(refused, 3003, 'too_many_attempts');
    assert.equal(refused.body.message, 'too many attempts');
    assertRefused(await app.verify(messageId, wrong), 3003, 'too_many_attempts');
    const statuses = await app.statuses(messageId);
    assert.deepEqual(
      statuses.filter((status) => status.startsWith('verified')),
      ['verified_failed(sms, 3003)'],
    );
    const { verification } = await app.story(messageId);
    assert.deepEqual(verification, { state: 'exhausted', attempts: 5, attempts_remaining: 0, verified_at: null });
    assert.ok(!JSON.stringify(refused.body).includes(code));
  });

  test('a code dies at its expiry to the millisecond and is reported under its id', async () => {
    const to = newNumber();
    const first = await app.sendCode(to);
    const second = await app.sendCode(newNumber());
    assert.equal(Date.parse(first.expiresAt), get().database.clock.now() + 5 * minuteMs);
    await travel(5 * minuteMs - 1);
    assert.equal(bodyOf(await app.verify(second.messageId, second.code)).verified, true);
    await travel(1);
    assertRefused(await app.verify(first.messageId, first.code), 3003, 'expired');
    await get().settle();
    assertRefused(await app.verify(first.messageId, first.code), 3003, 'expired');
    assert.deepEqual((await app.statuses(first.messageId)).at(-1), 'verified_timeout(sms, 3003)');
    assert.ok(!(await app.statuses(second.messageId)).includes('verified_timeout(sms, 3003)'));
    assert.equal((await app.sendCode(to)).code.length, 6);
  });

  test('unknown ids, ids of another application and texts that are no id answer message not found', async () => {
    const { messageId, code } = await app.sendCode(newNumber());
    const strangers = [messageId.replace(/^./, '1'), '1', '0', 'abc', '99999999999999999999'];
    for (const id of strangers) {
      const reply = await app.verify(id, code);
      assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 4001, 'message not found'], id);
    }
    const foreign = await get().verify(messageId, code);
    assert.deepEqual([foreign.status, foreign.body.code], [400, 4001]);
    assert.equal(bodyOf(await app.verify(messageId, code)).verified, true);
  });

  test('codes that the platform did not make are not checked', async () => {
    const own = await app.call({ path: '/v1/codes', body: { to: newNumber(), code: '048213', ...other('login') } });
    const custom = await app.call({
      path: '/v1/custom-messages',
      body: { to: newNumber(), template: { id: 'login', params: { code: '048213' } } },
    });
    for (const sent of [own, custom]) {
      const reply = await app.verify(bodyOf(sent).message_id, '048213', { purpose: 'login' });
      assertRefused(reply, 3003, 'not_platform_code');
    }
  });

  test('a purpose that differs is refused before the state and costs nothing; one that fits is answered back', async () => {
    const to = newNumber();
    const withPurpose = await app.sendCode(to, { purpose: 'login' });
    const without = await app.sendCode(newNumber());
    assertRefused(
      await app.verify(withPurpose.messageId, wrongFor(withPurpose.code), { purpose: 'signup' }),
      3003,
      'purpose_mismatch',
    );
    assertRefused(await app.verify(without.messageId, without.code, { purpose: 'login' }), 3003, 'purpose_mismatch');
    assert.equal((await app.story(withPurpose.messageId)).verification.attempts, 0);
    const right = bodyOf(await app.verify(withPurpose.messageId, withPurpose.code, { purpose: 'login' }));
    assert.deepEqual([right.verified, right.to, right.purpose], [true, to, 'login']);
    assertRefused(
      await app.verify(withPurpose.messageId, withPurpose.code, { purpose: 'x' }),
      3003,
      'purpose_mismatch',
    );
    assert.equal('purpose' in bodyOf(await app.verify(without.messageId, without.code)), false);
  });

  test('cancelled and superseded codes say so, also after their time', async () => {
    const cancelled = await app.sendCode(newNumber());
    bodyOf(await app.act(cancelled.messageId, 'cancel'));
    const to = newNumber();
    const old = await app.sendCode(to, other('free'));
    const fresh = await app.sendCode(to, other('free'));
    const refusals = async () => {
      assertRefused(await app.verify(cancelled.messageId, cancelled.code), 3003, 'cancelled');
      const superseded = await app.verify(old.messageId, old.code);
      assertRefused(superseded, 3003, 'superseded');
      assert.equal(superseded.body.message, 'superseded by a newer code');
    };
    await refusals();
    assert.equal(bodyOf(await app.verify(fresh.messageId, fresh.code)).verified, true);
    await travel(6 * minuteMs);
    await get().settle();
    await refusals();
  });

  test('ten wrong codes per target and hour count over codes, templates and resends; the smaller rest is told', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, other('free'));
    for (const left of [4, 3, 2, 1]) assert.equal(await wrongOf(first), left);
    const second = await app.sendCode(to, other('signup'));
    for (const left of [4, 3, 2]) assert.equal(await wrongOf(second), left);
    const third = await app.sendCode(to, other('free'));
    assert.equal((await app.story(third.messageId)).verification.attempts_remaining, 3);
    const fourth = await app.sendCode(to);
    for (const left of [2, 1, 0]) assert.equal(await wrongOf(third), left);
    assert.equal((await app.story(third.messageId)).verification.state, 'exhausted');
    // The budget of the target is empty: others answer the same, though they are pending; nothing more is sent.
    assertRefused(await app.verify(fourth.messageId, fourth.code), 3003, 'too_many_attempts');
    assertRefused(await app.verify(second.messageId, second.code), 3003, 'too_many_attempts');
    assert.equal((await app.story(fourth.messageId)).verification.state, 'pending');
    const locked = await get().expectNothingHappened(() => app.send(to, other('free')));
    assertRefused(locked, 3004, 'target_locked');
    assert.equal(locked.body.message, 'too many wrong codes for this target');
    assert.equal(locked.headers['retry-after'], '3600');
    assert.equal(locked.body.details.retry_after, 3600);
    assertRefused(await app.act(fourth.messageId, 'resend'), 3004, 'target_locked');
    assertRefused(await app.act(fourth.messageId, 'next-channel'), 3004, 'target_locked');
    await travel(60 * minuteMs);
    assert.equal(bodyOf(await app.send(to, other('free'))).send_channel, 'sms');
  });

  async function wrongOf({ messageId, code }: { messageId: string; code: string }): Promise<number> {
    return bodyOf(await app.verify(messageId, wrongFor(code))).attempts_remaining;
  }

  test('a success clears the wrong codes of the target; the lock of a target comes after the state of a code', async () => {
    const to = newNumber();
    const first = await app.sendCode(to, other('free'));
    for (let i = 0; i < 4; i++) await wrongOf(first);
    assert.equal(bodyOf(await app.verify(first.messageId, first.code)).verified, true);
    const second = await app.sendCode(to, other('free'));
    assert.equal(await wrongOf(second), 4);
    const cancelled = await app.sendCode(to, other('signup'));
    for (const left of [3, 2, 1, 0]) assert.equal(await wrongOf(second), left);
    bodyOf(await app.act(cancelled.messageId, 'cancel'));
    const third = await app.sendCode(to, other('free'));
    for (const left of [4, 3, 2, 1, 0]) assert.equal(await wrongOf(third), left);
    assertRefused(await app.verify(first.messageId, first.code), 3003, 'already_verified');
    assertRefused(await app.verify(cancelled.messageId, cancelled.code), 3003, 'cancelled');
  });

  test('attempts follow the policy at the send', async () => {
    const strict = await openApplication(get(), { policy: { max_attempts: 2, target_attempts: 3 } });
    const { messageId, code } = await strict.sendCode(newNumber());
    assert.equal(bodyOf(await strict.verify(messageId, wrongFor(code))).attempts_remaining, 1);
    await strict.changePolicy({ max_attempts: 10 });
    assert.equal(bodyOf(await strict.verify(messageId, wrongFor(code))).attempts_remaining, 0);
    assertRefused(await strict.verify(messageId, code), 3003, 'too_many_attempts');
  });

  test('a code may be typed with white space around it; what is no text is refused and costs nothing', async () => {
    const { messageId, code } = await app.sendCode(newNumber());
    for (const bad of [Number(code), '', 'x'.repeat(65), null, ['1'], `4\u0000${code}`]) {
      const reply = await app.verify(messageId, bad as string);
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(bad));
    }
    const mixed = bodyOf(await app.verify(messageId, `\u2003${code.slice(0, 3)} ${code.slice(3)}`));
    assert.deepEqual([mixed.verified, mixed.attempts_remaining], [false, 4]);
    const typed = ` \t${code}\u00a0\r\n`;
    const right = bodyOf(await app.verify(messageId, typed));
    assert.deepEqual([right.verified, right.verify_code, 'code' in right], [true, typed, false]);
  });
});

const vectors = ['482913', 'ab3d', 'AB3D', 'aB3d'];
onEachApp(
  'letter case and length of codes (contract §16)',
  (get) => {
    const configOf = (type: number, length: number) => ({
      verify_code_config: { verify_code_type: type, verify_code_len: length, verify_code_ttl: 5 },
    });
    let app: TestApplication;
    before(async () => {
      app = await openApplication(get(), {
        policy: { allow_overrides: ['ttl_seconds', 'code_length'] },
        templates: [
          {},
          { template_id: 'lower', ...configOf(3, 4) },
          { template_id: 'upper', ...configOf(5, 4) },
          { template_id: 'both', ...configOf(7, 4) },
        ],
      });
    });

    const check = async (templateId: string, typed: string): Promise<boolean> => {
      const { messageId } = await app.sendCode(newNumber(), { template: { id: templateId } });
      return bodyOf(await app.verify(messageId, typed)).verified;
    };

    test('case is folded unless the code type mixes lower and upper case; white space inside counts', async () => {
      assert.deepEqual(
        await Promise.all([check('login', ' 482913 '), check('login', '48291'), check('login', '482 913')]),
        [true, false, false],
      );
      assert.deepEqual([await check('lower', 'AB3D'), await check('upper', 'ab3d')], [true, true]);
      assert.deepEqual([await check('both', 'ab3d'), await check('both', 'aB3d')], [false, true]);
    });

    test('ttl_seconds and code_length hold where the policy allows them and are refused where not', async () => {
      const { clock } = get().database;
      await clock.freeze();
      const long = await app.sendCode(newNumber(), { code_length: 10, ttl_seconds: 30 });
      assert.equal(long.code.length, 10);
      assert.equal(Date.parse(long.expiresAt), clock.now() + 30_000);
      await clock.travel(30_000);
      assertRefused(await app.verify(long.messageId, long.code), 3003, 'expired');
      const plain = await openApplication(get(), { policy: { allow_overrides: ['code_length'] } });
      const to = newNumber();
      const reply = await get().expectNothingHappened(() => plain.send(to, { ttl_seconds: 60 }));
      assertRefused(reply, 3003, 'override_not_allowed');
      assert.equal(reply.body.message, 'override not allowed: ttl_seconds');
      assert.equal((await plain.sendCode(to, { code_length: 4 })).code.length, 4);
      for (const bad of [{ ttl_seconds: 29 }, { ttl_seconds: 86_401 }, { code_length: 3 }, { code_length: 11 }])
        assert.equal((await app.send(newNumber(), bad)).body.code, 3002);
    });

    test('the text shows whole minutes of an overridden life, at least one', async () => {
      const texts = [];
      for (const ttl_seconds of [30, 119, 120]) {
        const to = newNumber();
        await app.sendCode(to, { ttl_seconds });
        texts.push(/in (\d+) min/.exec((await app.inbox(to))[0]?.text ?? '')?.[1]);
      }
      assert.deepEqual(texts, ['1', '1', '2']);
    });
  },
  // Codes of the type's alphabet and length, among them those of the test vectors.
  {
    drawCode: (type, length) =>
      vectors[type === 7 ? 3 : type === 5 ? 2 : type === 3 ? 1 : 0]?.padEnd(length, '7').slice(0, length) ?? '',
  },
);
