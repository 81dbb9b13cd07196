/** The figure through the whole app: shown, and held under a ceiling. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';

const sms = (verify_code_len = 6, more: object = {}) => ({
  send_channel_strategy: 'sms',
  verify_code_config: { verify_code_type: 1, verify_code_len, verify_code_ttl: 5 },
  sms_config: { template_type: 1, template_default_config: {} },
  ...more,
});

onEachApp('the ceiling on guessing', (get) => {
  const read = async (id: string) =>
    (await get().operator({ path: `/admin/v1/applications/${id}/guess-probability` })).body;
  const patch = (id: string, body: object, method: 'PATCH' | 'PUT' = 'PATCH'): Promise<TestReply> =>
    get().operator({ method, path: `/admin/v1/applications/${id}/policy`, body });
  const save = (credential: string, template_id: string, body: object): Promise<TestReply> =>
    get().call({ path: '/v1/template-configs', body: { template_id, ...body }, credential });

  function isRefused(reply: TestReply, probability: number): void {
    const { status, body } = reply;
    const message = `guess probability ${probability} exceeds the ceiling`;
    assert.deepEqual([status, body.code, body.message, body.reason], [400, 3003, message, 'guess_ceiling_exceeded']);
  }

  test('the figure follows the policy and the revisions that serve', async () => {
    const { id, credential } = await get().makeApplication({ policy: { template_review: 'manual' } });
    assert.deepEqual(await read(id), { application_id: id, guess_ceiling: null, templates: [], worst: null });
    await save(credential, 'login', sms());
    assert.deepEqual((await read(id)).templates, [], 'nothing serves before its review');
    const review = { path: `/admin/v1/applications/${id}/templates/login/review`, body: { approved: true } };
    await get().operator(review);
    const worst = { guesses_per_day: 240, probability_per_day: 0.00024, one_in: 4166 };
    const login = { template_id: 'login', revision: 1, ...worst, valid_codes: 1, code_space: 1_000_000 };
    assert.deepEqual(await read(id), { application_id: id, guess_ceiling: null, templates: [login], worst });
    const resend_policy = { mode: 'rotate_with_grace', n: 3 };
    await patch(id, { resend_policy, target_attempts: 20, allow_overrides: ['code_length'] });
    assert.equal((await read(id)).worst.probability_per_day, 0.144);
    const unknown = await get().operator({ path: '/admin/v1/applications/1/guess-probability' });
    assert.deepEqual([unknown.status, unknown.body.code], [404, 4001]);
  });

  test('a policy that would exceed the ceiling is refused and changes nothing', async () => {
    const { operator, expectNothingHappened, makeApplication } = get();
    const { id, credential } = await makeApplication({ policy: { template_review: 'auto' } });
    await save(credential, 'login', sms());
    const refused = async (body: object, probability: number, method?: 'PUT'): Promise<void> =>
      isRefused(await expectNothingHappened(() => patch(id, body, method)), probability);
    await refused({ guess_ceiling: 0.0002 }, 0.00024);
    assert.equal((await patch(id, { guess_ceiling: 0.00024 })).status, 200, 'the very figure passes');
    await refused({ target_attempts: 11 }, 0.000264);
    await refused({ allow_overrides: ['code_length'] }, 0.024);
    await refused({ resend_policy: { mode: 'rotate_with_grace' } }, 0.00048);
    await refused({ template_review: 'auto', guess_ceiling: 0.0001 }, 0.00024, 'PUT');
    assert.equal((await patch(id, { target_attempts: 5 })).status, 200);
    const { policy } = (await operator({ path: `/admin/v1/applications/${id}` })).body;
    assert.deepEqual([policy.guess_ceiling, policy.target_attempts], [0.00024, 5]);
    assert.equal((await patch(id, { target_attempts: 100, guess_ceiling: null })).status, 200);
    for (const guess_ceiling of [-0.1, 1.5, '0.1']) assert.equal((await patch(id, { guess_ceiling })).body.code, 3002);
  });

  test('a template that would exceed it is refused, also before its review', async () => {
    const { expectNothingHappened, makeApplication, call } = get();
    for (const template_review of ['auto', 'manual']) {
      const policy = { template_review, guess_ceiling: 0.0003 };
      const { id, credential } = await makeApplication({ policy });
      isRefused(await expectNothingHappened(() => save(credential, 'short', sms(4))), 0.024);
      assert.equal((await save(credential, 'login', sms())).status, 200);
      const update = { method: 'PUT', path: '/v1/template-configs/login', credential } as const;
      isRefused(await expectNothingHappened(() => call({ ...update, body: sms(5) })), 0.0024);
      const grace = sms(6, { resend: { mode: 'rotate_with_grace', n: 2 } });
      const reply = await expectNothingHappened(() => call({ ...update, body: grace }));
      assert.equal(reply.body.reason, 'guess_ceiling_exceeded');
      assert.equal((await call({ ...update, body: sms(7) })).status, 200);
      assert.equal((await patch(id, { allow_overrides: ['code_length'] })).body.reason, 'guess_ceiling_exceeded');
    }
  });

  test('a review that brings an easier revision back is refused', async () => {
    const { operator, call, makeApplication, expectNothingHappened } = get();
    const { id, credential } = await makeApplication({ policy: { template_review: 'auto' } });
    await save(credential, 'short', sms(4));
    await call({ method: 'PUT', path: '/v1/template-configs/short', body: sms(), credential });
    assert.equal((await patch(id, { guess_ceiling: 0.001 })).status, 200);
    const path = `/admin/v1/applications/${id}/templates/short/review`;
    isRefused(await expectNothingHappened(() => operator({ path, body: { approved: false } })), 0.024);
  });

  test('what stands above it already may stay or get better, but not worse', async () => {
    const { id, credential } = await get().makeApplication({ policy: { template_review: 'auto' } });
    await save(credential, 'login', sms());
    // As a new version of the platform with other defaults could leave it.
    await get().database.db.query(
      sql`update applications set policy = policy || '{"guess_ceiling": 0.0001}' where id = ${id}`,
    );
    assert.equal((await save(credential, 'longer', sms(8))).status, 200);
    assert.equal((await patch(id, { target_attempts: 8 })).status, 200);
    isRefused(await patch(id, { target_attempts: 9 }), 0.000216);
    isRefused(await patch(id, { guess_ceiling: 0.00009 }), 0.000192);
    assert.equal((await patch(id, { target_attempts: 4 })).status, 200);
  });

  test('simultaneous changes never leave it exceeded', async () => {
    const { id, credential } = await get().makeApplication({ policy: { template_review: 'auto' } });
    await save(credential, 'login', sms());
    for (let round = 0; round < 5; round++) {
      await patch(id, { template_review: 'auto' }, 'PUT');
      const replies = await Promise.all([
        patch(id, { guess_ceiling: 0.00024 }),
        patch(id, { target_attempts: 11 }),
        save(credential, `more_${round}`, sms(6, { resend: { mode: 'rotate_with_grace', n: 2 } })),
        patch(id, { allow_overrides: ['code_length'] }),
      ]);
      const { guess_ceiling, worst } = await read(id);
      assert.ok(worst.probability_per_day <= (guess_ceiling ?? 1), JSON.stringify({ guess_ceiling, worst }));
      assert.ok(
        replies.some(({ status }) => status === 400),
        'they do not fit together',
      );
      await get().call({ method: 'DELETE', path: `/v1/template-configs/more_${round}`, credential });
    }
  });
});
