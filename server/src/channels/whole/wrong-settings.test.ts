import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { certificate } from '../email-smtp/fixture.ts';
import { accountSid, authToken, openTwilio, type Twilio } from '../twilio/fixture.ts';
import { openWhole, type Whole } from './fixture.ts';

let whole: Whole;
let twilio: Twilio;
before(async () => {
  twilio = await openTwilio();
  whole = await openWhole('pglite', []);
});
after(async () => {
  await whole[Symbol.asyncDispose]();
  await twilio.close();
});

let made = 0;
async function tried(changes: object): Promise<{ outcome: string; detail: string }> {
  const settings = {
    api_url: twilio.url,
    account_sid: accountSid,
    auth_token: authToken,
    from: '+15005550006',
    ...changes,
  };
  const id = `tried-${made++}`;
  await whole.provider(id, 'sms-twilio', settings);
  const reply = await whole.box.operator({ path: `/admin/v1/providers/${id}/test`, body: { to: '+6591234567' } });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
}

test('right settings send a test message', async () => {
  assert.equal((await tried({})).outcome, 'accepted');
  assert.match(twilio.last().form.get('Body') ?? '', /test/i);
});

test('a wrong host, port, certificate, key or address each name their remedy', async () => {
  const key = readFileSync(new URL('../email-smtp/test-only-key.pem', import.meta.url));
  const tls = createServer({ key, cert: certificate }, (_, response) => response.end());
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const { port } = tls.address() as AddressInfo;
  const cases: [changes: object, remedy: RegExp][] = [
    [{ api_url: 'https://nowhere.invalid' }, /has no address .*check the host name/],
    [{ api_url: 'http://127.0.0.1:1' }, /refuses connections .*check host and port/],
    [{ api_url: `https://127.0.0.1:${port}` }, /certificate that is not trusted .*check the host name/],
    [{ api_url: 'https://10.1.2.3' }, /may not be called .*OUTBOUND_ALLOW/],
    [{ auth_token: 'w'.repeat(32) }, /20003|401/],
    [{ from: '+15005550099' }, /21606|sender|from/i],
  ];
  for (const [changes, remedy] of cases) {
    const { outcome, detail } = await tried(changes);
    assert.equal(outcome, 'refused', JSON.stringify(changes));
    assert.match(detail, remedy);
  }
  tls.closeAllConnections();
  await new Promise((resolve) => tls.close(resolve));
});

test('no setting that is secret is in any answer or in the log', async () => {
  const answers = [];
  for (const path of [
    'providers',
    'providers/tried-0',
    'providers/tried-0/health',
    'provider-health',
    'adapters',
    'routes',
  ])
    answers.push(JSON.stringify((await whole.box.operator({ path: `/admin/v1/${path}` })).body));
  const told = whole.logged() + answers.join('');
  assert.ok(!told.includes(authToken));
  assert.ok(!told.includes('w'.repeat(32)));
});
