/** Receipts and inbound messages: signatures, meanings, parts, repeats, garbage. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Receipt, Upstream } from '../contract.ts';
import { callHook } from './fixture.ts';
import { openSmsApi, type ReceiptFields, type SmsApi, signed } from './sms-api/fixture.ts';
import { smsVonage } from './sms-vonage.ts';

const signing = { secret: 'signature-secret-one', method: 'sha256' } as const;
const account = { key: 'abcd1234', secret: 'S3cretS3cretS3cr', signing };
const to = '+447700900001';

let api: SmsApi;
let ports: TestPorts;
let logged: string[];
let upstream: Upstream;
/** What the platform answers to receipts; true when empty. */
let answers: (() => boolean)[];
let receipts: Receipt[];

const required = { api_key: account.key, api_secret: account.secret, from: 'Acme' };
const secured = { signature_secret: signing.secret, signature_method: signing.method };

async function open(more: object): Promise<void> {
  await upstream?.close();
  upstream = await smsVonage.open(smsVonage.settings.parse({ ...required, api_url: api.url, ...more }), ports);
  ports.serve(upstream);
}

before(async () => {
  api = await openSmsApi(account);
});
after(() => api.close());
beforeEach(async () => {
  logged = [];
  answers = [];
  receipts = [];
  api.owed.length = 0;
  ports = await openTestPorts(
    createLog('trace', { write: (line: string) => void logged.push(line) }),
    async (receipt) => {
      receipts.push(receipt);
      return (answers.shift() ?? (() => true))();
    },
  );
  await open(secured);
});
afterEach(async () => {
  await upstream.close();
  await ports.close();
});

async function sendWith(text: string, receiptFields: ReceiptFields[]): Promise<string> {
  api.treat(to, { receipts: receiptFields });
  const message: OutgoingMessage = {
    applicationId: '42',
    messageId: '2072832692843446272',
    step: 1,
    attempt: 1,
    reference: '2072832692843446272-1-0',
    channel: 'sms',
    to,
    content: { text, language: 'en' },
    code: '482913',
    expiresAtMs: Date.now() + 300_000,
  };
  const outcome = await upstream.send(message, AbortSignal.timeout(5_000));
  return outcome.kind === 'accepted' ? outcome.upstreamId : assert.fail(JSON.stringify(outcome));
}

const short = '482913 is your code.';
const long = `${short} ${'x'.repeat(320)}`;
const fields = { messageId: '0A0000001234567B', status: 'delivered', 'err-code': '0', msisdn: '447700900001' };
const status = (): string => ports.hookUrl('/status');

for (const by of ['GET', 'form', 'json'] as const) {
  for (const method of ['md5hash', 'md5', 'sha1', 'sha256', 'sha512'] as const) {
    test(`a receipt by ${by}, signed with ${method}, is taken; one that was changed on the way is not`, async () => {
      await open({ ...secured, signature_method: method });
      const right = signed({ ...fields, 'client-ref': '2072832692843446272-1-0' }, { ...signing, method });
      const unsigned = await openSmsApi({ key: account.key, secret: account.secret });
      assert.equal((await unsigned.tell(status(), right, by)).status, 204);
      assert.equal((await unsigned.tell(status(), { ...right, messageId: '0A0000001234567C' }, by)).status, 401);
      assert.deepEqual(receipts, [
        { upstreamId: '0A0000001234567B', reference: '2072832692843446272-1-0', outcome: { kind: 'delivered' } },
      ]);
      await unsigned.close();
    });
  }
}

test('unsigned, forged and stale receipts are refused without effect', async () => {
  const old = String(Math.floor(Date.now() / 1000) - 301);
  const forged = [
    fields,
    { ...fields, sig: '' },
    signed(fields, { ...signing, secret: 'guessed' }),
    signed(fields, { ...signing, method: 'md5' }),
    signed({ ...fields, timestamp: old }, signing),
    signed({ ...fields, timestamp: 'never' }, signing),
  ];
  for (const one of forged) {
    const answer = await callHook({ method: 'GET', url: `${status()}?${new URLSearchParams(one)}` });
    assert.equal(answer.status, 401);
  }
  assert.deepEqual(receipts, []);
});

test('both secrets hold while the secret is being changed', async () => {
  await open({ ...secured, signature_secret: 'the-next-secret', signature_secret_previous: signing.secret });
  assert.equal((await api.tell(status(), fields)).status, 204);
  assert.equal(receipts.length, 1);
});

test('without a signature secret the address alone is the proof', async () => {
  await open({});
  const answer = await callHook({ method: 'GET', url: `${status()}?${new URLSearchParams(fields)}` });
  assert.equal(answer.status, 204);
  assert.equal(receipts.length, 1);
});

test('signatures that are not required are checked all the same where they are', async () => {
  await open({ ...secured, require_signature: false });
  const tell = async (one: Record<string, string>) =>
    (await callHook({ method: 'GET', url: `${status()}?${new URLSearchParams(one)}` })).status;
  assert.equal(await tell(fields), 204);
  assert.equal(await tell(signed(fields, signing)), 204);
  assert.equal(await tell({ ...signed(fields, signing), status: 'failed' }), 401);
});

test('an address that is merely looked at answers', async () => {
  assert.equal((await callHook({ method: 'GET', url: ports.hookUrl('/inbound') })).status, 200);
});

const meanings: [receipt: ReceiptFields, reason: string | null, errorCode?: number][] = [
  [{ status: 'delivered' }, 'delivered'],
  [{ status: 'accepted' }, null],
  [{ status: 'buffered' }, null],
  [{ status: 'unknown' }, null],
  [{ status: 'something new', 'err-code': '6' }, null],
  [{ status: 'expired' }, 'expired', 5012],
  [{ status: 'failed' }, 'upstream_error', 5001],
  [{ status: 'undelivered' }, 'upstream_error', 5001],
  [{ status: 'rejected' }, 'carrier_filtered', 5015],
  [{ status: 'delivered', 'err-code': '6' }, 'carrier_filtered', 5015],
  [{ status: 'failed', 'err-code': '1' }, 'upstream_error', 5001],
  [{ status: 'failed', 'err-code': '2' }, 'unreachable', 5018],
  [{ status: 'failed', 'err-code': '3' }, 'number_invalid', 5020],
  [{ status: 'failed', 'err-code': '4' }, 'opted_out', 5019],
  [{ status: 'failed', 'err-code': '5' }, 'unreachable', 5012],
  [{ status: 'rejected', 'err-code': '6' }, 'carrier_filtered', 5015],
  [{ status: 'failed', 'err-code': '7' }, 'unreachable', 5012],
  [{ status: 'failed', 'err-code': '8' }, 'unreachable', 5012],
  [{ status: 'failed', 'err-code': '9' }, 'opted_out', 5019],
  [{ status: 'failed', 'err-code': '10' }, 'content_rejected', 5014],
  [{ status: 'failed', 'err-code': '11' }, 'unreachable', 5012],
  [{ status: 'expired', 'err-code': '12' }, 'unreachable', 5012],
  [{ status: 'failed', 'err-code': '13' }, 'carrier_filtered', 5015],
  [{ status: 'failed', 'err-code': '14' }, 'carrier_filtered', 5015],
  [{ status: 'failed', 'err-code': '15' }, 'unreachable', 5018],
  [{ status: 'failed', 'err-code': '99' }, 'upstream_error', 5001],
  [{ status: 'failed', 'err-code': '099' }, 'upstream_error', 5001],
  [{ status: 'expired', 'err-code': '4711' }, 'expired', 5012],
];

for (const [receipt, reason, errorCode] of meanings) {
  const name = Object.values(receipt).join(' with err-code ');
  test(`${name} is ${reason ?? 'no news'}`, async () => {
    const id = await sendWith(short, [receipt]);
    assert.deepEqual(await api.report(), [204]);
    if (reason === null) return assert.deepEqual(receipts, []);
    const outcome = receipts[0]?.outcome;
    assert.equal(receipts[0]?.upstreamId, id);
    if (outcome?.kind === 'delivered') assert.equal(reason, 'delivered');
    else assert.deepEqual([outcome?.reason, outcome?.errorCode], [reason, errorCode]);
  });
}

test("an err-code nobody has described is counted, and the account's map goes before ours", async () => {
  await sendWith(short, [{ status: 'failed', 'err-code': '4711' }]);
  await api.report();
  assert.match(logged.join(''), /"upstreamCode":"err-code:4711".*unmapped code/);
  await open({ ...secured, code_map: { 'err-code:4711': { reason: 'opted_out', temporary: false } } });
  await sendWith(short, [{ status: 'failed', 'err-code': '4711' }]);
  await api.report();
  assert.deepEqual(
    receipts.map(({ outcome }) => outcome.kind === 'undelivered' && outcome.reason),
    ['upstream_error', 'opted_out'],
  );
});

test('a receipt that is not taken gets a 503 and is taken when it comes again', async () => {
  answers = [() => false, () => assert.fail('the ledger is away'), () => true];
  const id = await sendWith(short, [{ status: 'delivered' }]);
  assert.deepEqual(
    [await api.report(), await api.report(), await api.report(), await api.report()],
    [[503], [503], [204], []],
  );
  assert.deepEqual(
    receipts.map(({ upstreamId }) => upstreamId),
    [id, id, id],
  );
});

test('receipts out of order are passed on as they come', async () => {
  const id = await sendWith(short, [{ status: 'delivered' }, { status: 'buffered' }, { status: 'accepted' }]);
  api.owed.reverse();
  assert.deepEqual(await api.report(), [204, 204, 204]);
  assert.deepEqual(
    receipts.map(({ upstreamId, outcome }) => [upstreamId, outcome.kind]),
    [[id, 'delivered']],
  );
});

test('a message in parts is delivered with its last part, in any order, repeats and untaken reports included', async () => {
  answers = [() => false, () => true];
  const id = await sendWith(long, [{ status: 'accepted' }, { status: 'delivered' }]);
  assert.equal(api.owed.length, 6);
  // The first part is delivered three times before the others are heard of.
  const [first] = api.owed.filter((one) => one.fields['status'] === 'delivered');
  assert.ok(first);
  for (let times = 0; times < 2; times++) assert.equal((await api.tell(first.url, first.fields)).status, 204);
  assert.equal(receipts.length, 0);
  api.owed.reverse();
  assert.deepEqual((await api.report()).sort(), [204, 204, 204, 204, 204, 503]);
  assert.deepEqual(await api.report(), [204]);
  assert.deepEqual(
    receipts.map((one) => one.upstreamId),
    [id, id],
  );
  assert.deepEqual(receipts[1]?.outcome, { kind: 'delivered' });
  assert.equal(receipts[1]?.reference, '2072832692843446272-1-0');
});

test('one failed part makes the message undelivered, and it is never delivered afterwards', async () => {
  const id = await sendWith(long, [{ status: 'delivered' }]);
  const [first] = api.owed;
  if (first) first.fields = { ...first.fields, status: 'failed', 'err-code': '3' };
  assert.deepEqual(await api.report(), [204, 204, 204]);
  assert.deepEqual(
    receipts.map((one) => [one.upstreamId, one.outcome.kind]),
    [[id, 'undelivered']],
  );
});

test('what a person writes is passed on once, with numbers in international form', async () => {
  const inbound = {
    msisdn: '447700900001',
    to: '447700900002',
    messageId: '0B01',
    text: 'STOP a&b=c',
    type: 'text',
    keyword: 'STOP',
  };
  for (const by of ['GET', 'form', 'json'] as const) {
    assert.equal((await api.tell(ports.hookUrl('/inbound'), inbound, by)).status, 204);
  }
  assert.deepEqual(ports.uplinks, [
    { upstreamId: '0B01', from: '+447700900001', to: '+447700900002', body: 'STOP a&b=c' },
  ]);
  await api.tell(ports.hookUrl('/inbound'), { ...inbound, to: '74455', messageId: '0B02' });
  assert.equal(ports.uplinks[1]?.to, '74455');
});

test('unsigned, malformed and binary inbound messages have no effect', async () => {
  const inbound = { msisdn: '447700900001', to: '447700900002', messageId: '0B01', text: 'hello', type: 'text' };
  const unsigned = `${ports.hookUrl('/inbound')}?${new URLSearchParams(inbound)}`;
  assert.equal((await callHook({ method: 'GET', url: unsigned })).status, 401);
  const { text: _, ...binary } = { ...inbound, type: 'binary', data: '00' };
  assert.equal((await api.tell(ports.hookUrl('/inbound'), binary)).status, 204);
  assert.equal((await api.tell(ports.hookUrl('/inbound'), { ...inbound, msisdn: 'nobody' })).status, 400);
  assert.deepEqual(ports.uplinks, []);
});

test('an address of ours that there is not is not found', async () => {
  for (const path of ['/elsewhere', '/status/2', '/status/2/parts-x', '']) {
    assert.equal((await api.tell(ports.hookUrl(path), fields)).status, 404);
  }
});

test('garbage is refused and never thrown', async () => {
  await open({});
  const headers = { 'content-type': 'application/json' };
  for (const body of ['{', '[]', '"x"', 'null', '{"messageId":{}}', '{"messageId":["0A"]}', '{}']) {
    const { status: answered } = await callHook({ method: 'POST', url: status(), headers, body });
    assert.equal(answered, 400, body);
  }
  const { hook } = upstream;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.string(), fc.constantFrom('GET', 'POST'), async (body, query, method) => {
      const request = {
        method,
        path: '/status',
        url: status(),
        query: new URLSearchParams(query),
        headers,
        body: Buffer.from(body),
      };
      const answer = await hook?.(request as Parameters<NonNullable<Upstream['hook']>>[0]);
      assert.ok(answer && [200, 204, 400].includes(answer.status));
    }),
  );
});
