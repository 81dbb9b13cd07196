/** Calls from ringing to their end, with everything that can go wrong between: keys, machines, forged and repeated webhooks. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Receipt, Upstream } from '../contract.ts';
import { callHook, type HookCall } from './fixture.ts';
import {
  openVoiceApi,
  type Person,
  type PhoneCall,
  signedHook,
  type VoiceAccount,
  type VoiceApi,
} from './voice-api/fixture.ts';
import { voiceVonage } from './voice-vonage.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account: VoiceAccount = {
  applicationId: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
  publicKey: keys.publicKey,
  apiKey: 'abcd1234',
  signatureSecret: 'signature-secret-one',
};
const to = '+447700900001';

let api: VoiceApi;
let ports: TestPorts;
let upstream: Upstream;
/** What the platform answers to receipts; true when empty. */
let answers: (() => boolean)[];
let receipts: Receipt[];

const settings = () => ({
  api_url: api.url,
  application_id: account.applicationId,
  private_key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  from: '+447700900999',
  api_key: account.apiKey,
  signature_secret: account.signatureSecret,
});

async function open(more: object = {}): Promise<void> {
  await upstream?.close();
  upstream = await voiceVonage.open(voiceVonage.settings.parse({ ...settings(), ...more }), ports);
  ports.serve(upstream);
}

before(async () => {
  api = await openVoiceApi(account);
});
after(() => api.close());
beforeEach(async () => {
  delete account.signing;
  answers = [];
  receipts = [];
  ports = await openTestPorts(createLog('silent'), async (receipt) => {
    receipts.push(receipt);
    return (answers.shift() ?? (() => true))();
  });
  await open();
});
afterEach(async () => {
  await upstream.close();
  await ports.close();
});

const messageId = '2072832692843446272';

async function place(person: Person, content = { text: '482913 is your code.', language: 'en' }): Promise<PhoneCall> {
  api.be(to, person);
  const message: OutgoingMessage = {
    applicationId: '42',
    messageId,
    step: 1,
    attempt: 1,
    reference: `${messageId}-1-0`,
    channel: 'voice',
    to,
    content,
    code: '482913',
    expiresAtMs: Date.now() + 300_000,
  };
  ports.sent.set(message.messageId, message);
  const outcome = await upstream.send(message, AbortSignal.timeout(5_000));
  assert.equal(outcome.kind, 'accepted');
  return api.placed.at(-1) ?? assert.fail('no call');
}

async function call(person: Person, content?: { text: string; language: string }): Promise<PhoneCall> {
  const placed = await place(person, content);
  await api.run(ports.hookUrl());
  return placed;
}

const kinds = () => receipts.map(({ outcome }) => (outcome.kind === 'delivered' ? outcome.kind : outcome.reason));
const post = async (hook: HookCall, by: VoiceAccount = account): Promise<number> =>
  (await callHook(signedHook(hook, by))).status;
const answerOf = ({ request }: PhoneCall): string => String(request['answer_url']);
const eventOf = ({ request }: PhoneCall): string => String(request['event_url']);
const webhook = (url: string, body: unknown): HookCall => ({ method: 'POST', url, body: JSON.stringify(body) });

test('whoever presses the key hears the code, and only then it is delivered', async () => {
  const { uuid, heard, faults } = await call({});
  assert.deepEqual(faults, []);
  assert.deepEqual(heard[0], { text: 'Press 1 to hear your code.', language: 'en-US' });
  assert.match(heard[1]?.text ?? '', /^4, 8, 2, 9, 1, 3 is your code\.\s+Once again: 4, 8, 2, 9, 1, 3/);
  assert.deepEqual(receipts, [{ upstreamId: uuid, reference: `${messageId}-1-0`, outcome: { kind: 'delivered' } }]);
});

test('a call speaks the language of the text as far as Vonage does', async () => {
  const chinese = await call({}, { text: '您的验证码是 482913。', language: 'zh_CN' });
  assert.deepEqual([chinese.faults, chinese.heard.map(({ language }) => language)], [[], ['cmn-CN', 'cmn-CN']]);
  const brazilian = await call({}, { text: '482913 é o seu código.', language: 'pt' });
  assert.deepEqual([brazilian.faults, brazilian.heard.map(({ language }) => language)], [[], ['en-US', 'pt-BR']]);
  const nobody = await call({}, { text: '482913 <&> tlhIngan Hol', language: 'tlh' });
  assert.deepEqual([nobody.faults, nobody.heard.map(({ language }) => language)], [[], ['en-US', 'en-US']]);
});

const endings: [person: Person, reason: string, heard: number][] = [
  [{ key: null }, 'unreachable', 1],
  [{ key: '5' }, 'unreachable', 1],
  [{ hangsUp: true }, 'unreachable', 1],
  [{ machine: true }, 'unreachable', 0],
  [{ ends: 'busy' }, 'unreachable', 0],
  [{ ends: 'unanswered' }, 'unreachable', 0],
  [{ ends: 'timeout' }, 'unreachable', 0],
  [{ ends: 'rejected' }, 'unreachable', 0],
  [{ ends: 'failed' }, 'upstream_error', 0],
  [{ ends: 'cancelled' }, 'expired', 0],
];

for (const [person, reason, heard] of endings) {
  test(`${JSON.stringify(person)}: the code is not told, and the call is undelivered once, for ${reason}`, async () => {
    const placed = await call(person);
    assert.equal(placed.heard.length, heard);
    assert.deepEqual([kinds(), receipts[0]?.upstreamId], [[reason], placed.uuid]);
  });
}

test('webhooks that all come twice tell the code once and report the same end', async () => {
  const told = await call({ twice: true });
  assert.deepEqual([told.heard.length, kinds()], [2, ['delivered']]);
  receipts.length = 0;
  await call({ twice: true, hangsUp: true });
  assert.deepEqual(new Set(kinds()), new Set(['unreachable']));
});

test('a code whose delivery could not be noted is told when Vonage asks again, and then no more', async () => {
  answers = [() => false, () => assert.fail('the ledger is away'), () => true];
  const placed = await call({});
  assert.equal(placed.heard.length, 1);
  await api.run(ports.hookUrl());
  assert.equal(placed.heard.length, 1);
  await api.run(ports.hookUrl());
  assert.deepEqual([placed.heard.length, kinds()], [2, ['delivered', 'delivered', 'delivered']]);
});

test('an end that is not taken is reported again by whoever hears of it again', async () => {
  answers = [() => false, () => assert.fail('the ledger is away'), () => true];
  const placed = await call({ hangsUp: true });
  for (let round = 0; round < 4; round++) await api.run(ports.hookUrl());
  assert.deepEqual(
    placed.calls.slice(-3).map(({ status }) => status),
    [503, 503, 204],
  );
  assert.deepEqual(kinds(), ['unreachable', 'unreachable', 'unreachable']);
});

test('after the call was over without the code, nobody gets the code', async () => {
  const placed = await place({ key: null });
  await api.run(ports.hookUrl());
  const digits = placed.calls.find(({ hook }) => hook.url.includes('/digits/'))?.hook.url ?? '';
  assert.equal(await post(webhook(digits, { uuid: placed.uuid, dtmf: { digits: '1' } })), 403);
  assert.deepEqual(kinds(), ['unreachable']);
});

test('a machine that is noticed after the key was pressed changes nothing', async () => {
  const placed = await call({});
  assert.equal(await post(webhook(eventOf(placed), { call_uuid: placed.uuid, status: 'machine' })), 204);
  assert.deepEqual(kinds(), ['delivered']);
});

test('a prompt and a code are handed out once', async () => {
  const placed = await call({});
  const digits = placed.calls.find(({ hook }) => hook.url.includes('/digits/'))?.hook.url ?? '';
  assert.equal(await post(webhook(answerOf(placed), { uuid: placed.uuid })), 403);
  assert.equal(await post(webhook(digits, { uuid: placed.uuid, dtmf: { digits: '1' } })), 403);
  assert.deepEqual(kinds(), ['delivered']);
});

test('a message that ended before anybody answered is not told: the call is hung up', async () => {
  const placed = await place({});
  ports.sent.clear();
  await api.run(ports.hookUrl());
  assert.deepEqual([placed.heard, placed.faults, kinds()], [[], [], ['unreachable']]);
});

test('a message that ended between prompt and key is not told', async () => {
  const placed = await place({});
  const { body } = await callHook(signedHook(webhook(answerOf(placed), { uuid: placed.uuid }), account));
  ports.sent.clear();
  const digits = JSON.parse(body)[1].eventUrl[0];
  const answer = await callHook(signedHook(webhook(digits, { uuid: placed.uuid, dtmf: { digits: '1' } }), account));
  assert.deepEqual([answer.status, answer.body, receipts], [200, '[]', []]);
});

test('a ticket is good for its own use only, whole, and on this provider only', async () => {
  const placed = await place({});
  const ticket = answerOf(placed).split('/').at(-1) ?? '';
  const tell = (path: string) =>
    post(webhook(ports.hookUrl(path), { uuid: placed.uuid, dtmf: { digits: '1' }, status: 'busy' }));
  for (const path of [
    `/digits/${ticket}`,
    `/event/${ticket}`,
    `/answer/${ticket}x`,
    `/answer/x${ticket}`,
    '/answer/a.b',
  ]) {
    assert.equal(await tell(path), 403, path);
  }
  for (const path of ['', '/answer', '/answer/', `/elsewhere/${ticket}`]) assert.equal(await tell(path), 404, path);
  assert.deepEqual(receipts, []);
});

const late = Math.floor(Date.now() / 1000) - 301;
const forgeries: [name: string, signing: NonNullable<VoiceAccount['signing']>, status: number][] = [
  ['nothing', 'none', 503],
  ['another secret', { secret: 'guessed' }, 401],
  ['another account', { claims: { api_key: 'ffff0000' } }, 401],
  ['no account', { claims: { api_key: undefined } }, 401],
  ['a token six minutes old', { claims: { iat: late - 60 } }, 401],
  ['a token of the future', { claims: { iat: late + 700 } }, 401],
  ['a token without a time', { claims: { iat: undefined } }, 401],
  ['a token of another body', { claims: { payload_hash: '0'.repeat(64) } }, 401],
  ['a token of no body', { claims: { payload_hash: undefined } }, 401],
  ['no algorithm', { header: { alg: 'none' } }, 401],
  ['another algorithm', { header: { alg: 'HS512' } }, 401],
  ['the algorithm of key pairs', { header: { alg: 'RS256' } }, 401],
];

for (const [name, signing, status] of forgeries) {
  test(`a webhook signed with ${name} has no effect`, async () => {
    const placed = await place({});
    const forger = { ...account, signing };
    assert.equal(await post(webhook(eventOf(placed), { uuid: placed.uuid, status: 'busy' }), forger), status);
    assert.equal(await post(webhook(answerOf(placed), { uuid: placed.uuid }), forger), status);
    assert.deepEqual(receipts, []);
    await api.run(ports.hookUrl());
    assert.deepEqual(kinds(), ['delivered']);
  });
}

test('both secrets hold while the secret is being changed', async () => {
  await open({ signature_secret: 'the-next-secret', signature_secret_previous: account.signatureSecret });
  await call({});
  assert.deepEqual(kinds(), ['delivered']);
});

test('without a signature secret the tickets are the proof; where signatures are not required they are checked all the same', async () => {
  const { signature_secret: _, api_key: __, ...unsigned } = settings();
  await upstream.close();
  upstream = await voiceVonage.open(voiceVonage.settings.parse(unsigned), ports);
  ports.serve(upstream);
  account.signing = 'none';
  await call({});
  await open({ require_signature: false });
  await call({});
  assert.deepEqual(kinds(), ['delivered', 'delivered']);
  account.signing = { secret: 'guessed' };
  const refused = await call({});
  assert.ok(refused.calls.every(({ status }) => status === 401));
  assert.equal(receipts.length, 2);
});

test('webhooks by GET are signed over their query', async () => {
  const placed = await place({});
  const url = `${eventOf(placed)}?${new URLSearchParams({ status: 'busy', uuid: placed.uuid, to: '1=2&3' })}`;
  assert.equal(await post({ method: 'GET', url }), 204);
  const { authorization = '' } = signedHook({ method: 'GET', url }, account).headers ?? {};
  const changed = url.replace('busy', 'failed');
  assert.equal((await callHook({ method: 'GET', url: changed, headers: { authorization } })).status, 401);
  assert.deepEqual(kinds(), ['unreachable']);
});

test('events on the way, faults and unknown ones are answered without effect', async () => {
  const placed = await place({});
  for (const body of [
    { uuid: placed.uuid, status: 'ringing' },
    { uuid: placed.uuid, status: 'toString' },
    { call_uuid: placed.uuid, status: 'human' },
    { reason: 'Syntax error in NCCO.', conversation_uuid: 'CON-1' },
    {},
  ]) {
    assert.equal(await post(webhook(eventOf(placed), body)), 204);
  }
  assert.deepEqual(receipts, []);
});

test('garbage is refused and never thrown', async () => {
  const placed = await place({});
  const addresses = [answerOf(placed), eventOf(placed)];
  for (const url of addresses) {
    for (const body of ['{', '[]', 'null', '"x"', ''])
      assert.equal(await post({ method: 'POST', url, body }), 400, body);
  }
  assert.equal(await post(webhook(eventOf(placed), { status: 'busy', uuid: { $ne: 1 } })), 400);
  await open({ require_signature: false });
  const { hook } = upstream;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.string(), fc.constantFrom(...addresses), async (bytes, authorization, url) => {
      const path = new URL(url).pathname.slice(new URL(ports.hookUrl()).pathname.length);
      const body = Buffer.from(bytes);
      const answer = await hook?.({
        method: 'POST',
        path,
        url,
        query: new URLSearchParams(),
        headers: { authorization },
        body,
      });
      assert.ok(answer && [400, 401].includes(answer.status), String(answer?.status));
    }),
  );
});
