/** The table under "Send again" of docs/site/channels.md says what each mode of `resend_policy` does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { resendModes } from '../policy.ts';
import { onEachApp } from '../testing/app.ts';
import {
  assertRefused,
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  wrongFor,
} from '../testing/application.ts';

const page = readFileSync(new URL('../../../docs/site/channels.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)`[^|]* \| ([^|]+) \| ([^|]+) \| [^|]+ \|$/gm)].map(
  ([, mode = '', send = '', resend = '']) => ({ mode, send, resend }),
);

onEachApp('the page that tells the resend policies', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      templates: resendModes.map((mode) => ({ template_id: mode, resend: { mode } })),
    });
  });
  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };
  const told = (isSame: boolean): string => (isSame ? 'same' : 'new');

  test('names every mode', () =>
    assert.deepEqual(
      rows.map(({ mode }) => mode),
      resendModes,
    ));

  for (const { mode, send, resend } of rows) {
    test(`says what a second send and a resend do under ${mode}`, async () => {
      const to = newNumber();
      const first = await app.sendCode(to, { template: { id: mode } });
      await travel(31);
      const again = bodyOf(await app.act(first.messageId, 'resend'));
      const code = await app.codeAt(to, first.messageId);
      const expiry = told(again.expires_at === first.expiresAt);
      assert.equal(resend, `${told(code === first.code)} code, ${expiry} expiry`);
      await travel(31);
      const reply = await app.send(to, { template: { id: mode } });
      if (reply.status !== 200) {
        assertRefused(reply, 3004, 'code_still_valid');
        assert.equal(send, 'refused with [3004](/docs/errors/3004)');
        return;
      }
      const { message_id: id, expires_at: expiresAt } = reply.body;
      await get().settle();
      const renewed = told((await app.codeAt(to, id)) === code);
      assert.equal(
        send,
        `${told(id === first.messageId)} id, ${renewed} code, ${told(expiresAt === again.expires_at)} expiry`,
      );
    });
  }

  test('under compat too many wrong codes stop sends and resends until the code would have expired', async () => {
    assert.match(page, /After too many wrong codes it\s+is not: until the time the code would have expired/);
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to, { template: { id: 'compat' } });
    for (let i = 0; i < 5; i++) bodyOf(await app.verify(messageId, wrongFor(code)));
    await travel(31);
    assertRefused(await app.send(to, { template: { id: 'compat' } }), 3004, 'code_still_valid');
    assertRefused(await app.act(messageId, 'resend'), 3003, 'too_many_attempts');
    await travel(269);
    assert.equal((await app.send(to, { template: { id: 'compat' } })).status, 200);
  });
});
