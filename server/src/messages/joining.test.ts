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
});
