/** The voice adapter against the emulated API: what is asked for, what answers mean. The call itself: voice-hooks.test.ts. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Upstream } from '../contract.ts';
import type { SendOutcome } from '../outcome.ts';
import { json, type Reply } from './fixture.ts';
import { openVoiceApi, type VoiceApi } from './voice-api/fixture.ts';
import { voiceVonage } from './voice-vonage.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = {
  applicationId: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
  publicKey: keys.publicKey,
  apiKey: 'abcd1234',
  signatureSecret: 'signature-secret-one',
};
const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const to = '+447700900001';
const inTime = (): AbortSignal => AbortSignal.timeout(5_000);

let api: VoiceApi;
let ports: TestPorts;
let logged: string[];
let upstream: Upstream;

const settingsOf = (more: object = {}) => ({
  api_url: api.url,
  application_id: account.applicationId,
  private_key: pem,
  from: '+447700900999',
  api_key: account.apiKey,
  signature_secret: account.signatureSecret,
  ...more,
});

const outgoing = (more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  applicationId: '42',
  messageId: '2072832692843446272',
  step: 1,
  attempt: 1,
  reference: '2072832692843446272-1-0',
  channel: 'voice',
  to,
  content: { text: '482913 is your code.', language: 'en' },
  code: '482913',
  expiresAtMs: Date.now() + 300_000,
  ...more,
});

async function open(more: object = {}): Promise<void> {
  await upstream?.close();
  upstream = await voiceVonage.open(voiceVonage.settings.parse(settingsOf(more)), ports);
  ports.serve(upstream);
}

const sendTo = (reply: Reply): Promise<SendOutcome> => {
  api.be(to, { reply });
  return upstream.send(outgoing(), inTime());
};

before(async () => {
  api = await openVoiceApi(account);
});
after(() => api.close());
beforeEach(async () => {
  api.be(to, {});
  logged = [];
  ports = await openTestPorts(createLog('trace', { write: (line: string) => void logged.push(line) }));
  await open();
});
afterEach(async () => {
  await upstream.close();
  await ports.close();
});

test('a call is asked for as Vonage wants it, known by its uuid, and the request does not hold the code', async () => {
  const outcome = await upstream.send(outgoing(), inTime());
  const call = api.placed.at(-1);
  assert.deepEqual(outcome, { kind: 'accepted', upstreamId: call?.uuid });
  const { answer_url: answer, event_url: event, ...request } = call?.request ?? {};
  assert.deepEqual(request, {
    to: [{ type: 'phone', number: '447700900001' }],
    from: { type: 'phone', number: '447700900999' },
    answer_method: 'POST',
    event_method: 'POST',
    machine_detection: 'hangup',
    ringing_timer: 30,
    length_timer: 120,
  });
  assert.ok(String(answer).startsWith(`${ports.hookUrl('/answer')}/`));
  assert.ok(String(event).startsWith(`${ports.hookUrl('/event')}/`));
  const decoded = Buffer.from(new URL(String(answer)).pathname.split('/').at(-1)?.split('.')[0] ?? '', 'base64url');
  assert.ok(!api.asked.at(-1)?.includes('482913') && !decoded.includes('482913'));
});

test('the caller of the route goes before the one in the settings; a name cannot call', async () => {
  await upstream.send(outgoing({ sender: '+447700900998' }), inTime());
  assert.deepEqual(api.placed.at(-1)?.request['from'], { type: 'phone', number: '447700900998' });
  const outcome = await upstream.send(outgoing({ sender: 'Acme' }), inTime());
  assert.ok(outcome.kind === 'refused' && outcome.reason === 'sender_invalid');
});

test('a message whose time is over, and one too long to be spoken, are refused without a call', async () => {
  const before = api.placed.length;
  const late = await upstream.send(outgoing({ expiresAtMs: Date.now() }), inTime());
  assert.ok(late.kind === 'refused' && !late.temporary && late.reason === 'expired');
  const long = await upstream.send(
    outgoing({ content: { text: `482913 ${'x'.repeat(1500)}`, language: 'en' } }),
    inTime(),
  );
  assert.ok(long.kind === 'refused' && long.reason === 'template_invalid');
  assert.equal(api.placed.length, before);
});

test('a key of another application is refused as credentials', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  await open({ private_key: other.export({ type: 'pkcs8', format: 'pem' }).toString() });
  const outcome = await upstream.send(outgoing(), inTime());
  assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'credentials');
});

test('a key is taken in both PEM forms and with its line ends written out', async () => {
  const old = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const private_key of [old, pem.replaceAll('\n', '\\n')]) {
    await open({ private_key });
    assert.equal((await upstream.send(outgoing(), inTime())).kind, 'accepted');
  }
});

const answers: [name: string, reply: Reply, kind: string, reason?: string][] = [
  ['HTTP 400 with a problem', json(400, { type: 'BAD_REQUEST', error_title: 'Bad Request' }), 'refused', 'config'],
  ['HTTP 401', json(401, { type: 'UNAUTHORIZED' }), 'refused', 'credentials'],
  [
    'HTTP 403 for want of money',
    json(403, { type: 'https://developer.nexmo.com/api-errors#low-balance' }),
    'refused',
    'funds',
  ],
  [
    'HTTP 403 of a suspended account',
    json(403, { type: 'https://developer.nexmo.com/api-errors#account-suspended' }),
    'refused',
    'credentials',
  ],
  ['HTTP 404', { status: 404, body: '' }, 'refused', 'config'],
  ['HTTP 429', { status: 429, body: '', headers: { 'retry-after': '2' } }, 'refused', 'throttled'],
  ['HTTP 500 without a body', { status: 500, body: '' }, 'unknown'],
  ['HTTP 503 with a page', { status: 503, body: '<html></html>' }, 'unknown'],
  ['HTTP 201 without a uuid', json(201, { status: 'started' }), 'unknown'],
  ['HTTP 201 with a page', { status: 201, body: 'hello' }, 'unknown'],
  ['a connection lost after reading', 'drop', 'unknown'],
];

for (const [name, reply, kind, reason] of answers) {
  test(`${name} is ${reason ?? kind}`, async () => {
    const outcome = await sendTo(reply);
    assert.equal(outcome.kind, kind);
    if (outcome.kind !== 'refused') return;
    assert.equal(outcome.reason, reason);
    assert.equal(outcome.temporary, reason === 'throttled');
    if (reason === 'throttled') assert.equal(outcome.retryAfterMs, 2_000);
  });
}

test("the account's code map goes before ours", async () => {
  await open({ code_map: { 'http:bad-request': { reason: 'geo_denied', temporary: false } } });
  const outcome = await sendTo(json(400, { type: 'BAD_REQUEST' }));
  assert.ok(outcome.kind === 'refused' && outcome.reason === 'geo_denied');
});

test('neither key nor code nor recipient is logged or named in an outcome', async () => {
  const outcomes = [await sendTo(json(400, { type: 'BAD_REQUEST' })), await sendTo('drop')];
  const text = JSON.stringify(outcomes) + logged.join('');
  for (const hidden of ['482913', '447700900001', 'PRIVATE', account.signatureSecret])
    assert.ok(!text.includes(hidden));
});
