import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Receipt } from '../contract.ts';
import { type SendOutcome, undelivered } from '../outcome.ts';
import { sign } from './emulated-webhook.ts';
import { apiKey, apiKeySecret, authToken, type Bench, openBench, senders } from './fixture.ts';
import { smsTwilio } from './sms-twilio.ts';

const open = (settings?: object, onReceipt?: (receipt: Receipt) => Promise<boolean>): Promise<Bench> =>
  openBench(smsTwilio, settings, onReceipt);

async function withAnswer(reaction: Parameters<Bench['twilio']['on']>[1], settings?: object): Promise<SendOutcome> {
  await using bench = await open(settings);
  bench.twilio.on('+6591234567', reaction);
  return await bench.send();
}

test('a hand-over carries text, sender, remaining life, attempt and a webhook that Twilio repeats', async () => {
  await using bench = await open();
  const outcome = await bench.send();
  const { sid, form } = bench.twilio.last();
  assert.deepEqual(outcome, { kind: 'accepted', upstreamId: sid });
  assert.deepEqual(Object.fromEntries(form), {
    To: '+6591234567',
    From: '+15005550006',
    Body: '482913 is your Acme verification code.',
    StatusCallback: `${bench.ports.hookUrl('/status')}?reference=2072832692843446272-1-0#rc=5&rp=all`,
    ValidityPeriod: '300',
    ProvideFeedback: 'true',
    Attempt: '2',
  });
});

test('requests go by API key where one is set', async () => {
  await using bench = await open({ api_key: apiKey, api_key_secret: apiKeySecret, auth_token: 'for webhooks only' });
  assert.equal((await bench.send()).kind, 'accepted');
});

test('the sender of a route beats the settings, be it a number or a messaging service', async () => {
  await using bench = await open({ from: undefined, messaging_service_sid: senders.services[0] });
  for (const [sender, field] of [
    [undefined, { MessagingServiceSid: senders.services[0] }],
    ['Acme', { From: 'Acme' }],
    [senders.services[0], { MessagingServiceSid: senders.services[0] }],
  ] as const) {
    await bench.send(sender === undefined ? {} : { sender });
    const { form } = bench.twilio.last();
    const given = [...form].filter(([key]) => key === 'From' || key === 'MessagingServiceSid');
    assert.deepEqual(Object.fromEntries(given), field);
  }
});

test('smart encoding and the risk check are asked for as set', async () => {
  await using bench = await open({ smart_encoded: true, risk_check: 'disable' });
  await bench.send();
  const { form } = bench.twilio.last();
  assert.deepEqual([form.get('SmartEncoded'), form.get('RiskCheck')], ['true', 'disable']);
});

test('the validity stays within what Twilio takes', async () => {
  await using bench = await open();
  await bench.send({ expiresAtMs: Date.now() + 86_400_000 });
  assert.equal(bench.twilio.last().form.get('ValidityPeriod'), '36000');
  await bench.send({ expiresAtMs: Date.now() + 900 });
  assert.equal(bench.twilio.last().form.get('ValidityPeriod'), '1');
});

test('what is expired, empty or too long never leaves', async () => {
  await using bench = await open();
  const content = { text: 'x'.repeat(1_600), language: 'en' };
  const refused = [
    await bench.send({ expiresAtMs: Date.now() }),
    await bench.send({ content: { ...content, text: `${content.text}x` } }),
    await bench.send({ content: { ...content, text: '' } }),
  ].map((outcome) => outcome.kind === 'refused' && !outcome.temporary && outcome.reason);
  assert.deepEqual(refused, ['expired', 'content_rejected', 'content_rejected']);
  assert.equal(bench.twilio.held.length, 0);
  assert.equal((await bench.send({ content })).kind, 'accepted');
});

test('wrong credentials are told as such', async () => {
  await using bench = await open({ auth_token: 'wrong' });
  const outcome = await bench.send();
  assert.ok(outcome.kind === 'refused' && outcome.reason === 'credentials' && !outcome.temporary);
  assert.match(outcome.detail, /^Twilio 20003: .*check account_sid/);
});

for (const [code, reason, errorCode, temporary] of [
  [21211, 'number_invalid', 5020, false],
  [21614, 'not_on_channel', 5012, false],
  [21635, 'not_on_channel', 5012, false],
  [21408, 'geo_denied', 5016, false],
  [21610, 'opted_out', 5019, false],
  [21606, 'sender_invalid', 5016, false],
  [21612, 'sender_invalid', 5016, false],
  [21608, 'config', 5016, false],
  [21617, 'content_rejected', 5014, false],
  [21611, 'throttled', 5016, true],
] as const) {
  test(`error ${code} is ${reason}`, async () => {
    const outcome = await withAnswer({ kind: 'error', status: 400, code });
    assert.ok(outcome.kind === 'refused');
    assert.deepEqual([outcome.reason, outcome.errorCode, outcome.temporary], [reason, errorCode, temporary]);
    assert.match(outcome.detail, new RegExp(`^Twilio ${code}: `));
  });
}

test('HTTP 429 is a refusal for now that keeps the wait Twilio asks for', async () => {
  const outcome = await withAnswer({ kind: 'error', status: 429, code: 20429, retryAfter: 3 });
  assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'throttled');
  assert.equal(outcome.retryAfterMs, 3_000);
  assert.equal((await withAnswer({ kind: 'bare', status: 429 })).kind, 'refused');
});

test('a 5xx leaves open whether the message went out, unless it names its error', async () => {
  assert.equal((await withAnswer({ kind: 'bare', status: 503 })).kind, 'unknown');
  assert.equal((await withAnswer({ kind: 'bare', status: 502, body: '<html>Bad gateway</html>' })).kind, 'unknown');
  const named = await withAnswer({ kind: 'error', status: 500, code: 20500 });
  assert.ok(named.kind === 'refused' && named.temporary && named.reason === 'upstream_error');
});

test('an acceptance without an id, a dropped connection and a silent upstream are unknown', async () => {
  assert.equal((await withAnswer({ kind: 'bare', status: 201, body: '{"status":"queued"}' })).kind, 'unknown');
  assert.equal((await withAnswer({ kind: 'drop' })).kind, 'unknown');
});

test('answers that are not of Twilio point at the settings', async () => {
  for (const [status, reason] of [
    [404, 'config'],
    [301, 'config'],
    [403, 'credentials'],
    [418, 'upstream_error'],
  ] as const) {
    const outcome = await withAnswer({ kind: 'bare', status, body: 'null' });
    assert.ok(outcome.kind === 'refused' && outcome.reason === reason, `${status}`);
  }
});

test('an unmapped code is refused for now and counted; a row of the settings decides otherwise', async () => {
  await using bench = await open();
  bench.twilio.on('+6591234567', { kind: 'error', status: 400, code: 29999 });
  const outcome = await bench.send();
  assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'upstream_error');
  assert.match(bench.logged.join(''), /"upstreamCode":29999.*unmapped code/);
  const own = { code_map: { 29999: { reason: 'funds' }, 21211: { reason: 'carrier_filtered', temporary: true } } };
  const funds = await withAnswer({ kind: 'error', status: 400, code: 29999 }, own);
  assert.ok(funds.kind === 'refused' && !funds.temporary && funds.reason === 'funds');
  const filtered = await withAnswer({ kind: 'error', status: 400, code: 21211 }, own);
  assert.ok(filtered.kind === 'refused' && filtered.temporary && filtered.reason === 'carrier_filtered');
});

test('after close nothing is handed over', async () => {
  await using bench = await open();
  await bench.upstream.close();
  assert.equal((await bench.send()).kind, 'refused');
  assert.equal(bench.twilio.held.length, 0);
});

const delivered = { kind: 'delivered' } as const;

for (const [status, errorCode, outcome] of [
  ['delivered', undefined, delivered],
  ['read', undefined, delivered],
  ['undelivered', '30003', undelivered('unreachable', 'Twilio 30003: the handset is off or out of reach', 5018)],
  ['undelivered', '30005', undelivered('number_invalid', 'Twilio 30005: the number is unknown or no longer in use')],
  ['undelivered', '30006', undelivered('not_on_channel', 'Twilio 30006: a landline, or a carrier out of reach', 5012)],
  ['failed', '30450', undelivered('fraud_blocked', 'Twilio 30450: stopped by the protection against SMS pumping')],
  ['failed', undefined, undelivered('upstream_error', 'Twilio reports a failure without a cause')],
  ['failed', 'x', undelivered('upstream_error', 'Twilio reports a failure without a cause')],
] as const) {
  test(`the status ${status} ${errorCode ?? ''} is a receipt with its reference`, async () => {
    await using bench = await open();
    await bench.send();
    const held = bench.twilio.last();
    const fields = { MessageStatus: status, ...(errorCode && { ErrorCode: errorCode }) };
    assert.equal((await bench.twilio.report(held, fields)).status, 204);
    const { sid: upstreamId } = held;
    assert.deepEqual(bench.ports.receipts, [{ upstreamId, reference: '2072832692843446272-1-0', outcome }]);
  });
}

test('statuses on the way have no effect', async () => {
  await using bench = await open();
  await bench.send();
  for (const MessageStatus of ['accepted', 'queued', 'sending', 'sent', 'scheduled', 'canceled', 'of tomorrow', ''])
    assert.equal((await bench.twilio.report(bench.twilio.last(), { MessageStatus })).status, 204);
  assert.deepEqual(bench.ports.receipts, []);
});

test('a receipt that is not taken is answered 503, one the ports fail on too', async () => {
  const answers = [() => false, (): boolean => assert.fail('the ledger is away'), () => true];
  await using bench = await open({}, async () => (answers.shift() ?? (() => true))());
  await bench.send();
  const statuses: number[] = [];
  for (let round = 0; round < 3; round++)
    statuses.push((await bench.twilio.report(bench.twilio.last(), { MessageStatus: 'delivered' })).status);
  assert.deepEqual(statuses, [503, 503, 204]);
});

test('a forged, unsigned or altered status is refused without effect', async () => {
  await using bench = await open();
  await bench.send();
  const held = bench.twilio.last();
  const fields = { MessageStatus: 'delivered' };
  for (const options of [
    { signedWith: 'guessed' },
    { signature: null },
    { signature: '' },
    { signature: sign(authToken, bench.ports.hookUrl('/status'), []) },
    { signedUrl: bench.ports.hookUrl('/inbound') },
  ])
    assert.equal((await bench.twilio.report(held, fields, options)).status, 403);
  assert.deepEqual(bench.ports.receipts, []);
});

test('the token before a rotation is still good for webhooks, the secret of an API key never is', async () => {
  await using bench = await open({
    auth_token: 'new',
    auth_token_previous: authToken,
    api_key: apiKey,
    api_key_secret: apiKeySecret,
  });
  await bench.send();
  const held = bench.twilio.last();
  const statusWith = async (signedWith: string): Promise<number> =>
    (await bench.twilio.report(held, { MessageStatus: 'sent' }, { signedWith })).status;
  assert.deepEqual(
    [await statusWith(authToken), await statusWith('new'), await statusWith(apiKeySecret)],
    [204, 204, 403],
  );
});

test('garbage with a good signature is answered 400 or 404, never taken', async () => {
  await using bench = await open();
  const post = async (path: string, fields: [string, string][]): Promise<number> =>
    (await bench.twilio.webhook(bench.ports.hookUrl(path), fields)).status;
  assert.equal(await post('/status', []), 400);
  assert.equal(await post('/status', [['MessageSid', 'SM1']]), 400);
  assert.equal(await post('/inbound', [['MessageSid', `SM${'0'.repeat(32)}`]]), 400);
  assert.equal(await post('', []), 404);
  assert.equal(await post('/status/', []), 404);
  assert.deepEqual([bench.ports.receipts, bench.ports.uplinks], [[], []]);
});

test('a message from a person is passed on once and answered with nothing to say', async () => {
  await using bench = await open();
  const fields: [string, string][] = [
    ['MessageSid', `SM${'0'.repeat(31)}9`],
    ['From', '+6591234567'],
    ['To', '+15005550006'],
    ['Body', ' STOP '],
    ['NumSegments', '1'],
  ];
  for (let twice = 0; twice < 2; twice++) {
    const answer = await bench.twilio.webhook(bench.ports.hookUrl('/inbound'), fields);
    assert.deepEqual(answer, {
      status: 200,
      type: 'text/xml',
      body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
    });
  }
  assert.deepEqual(bench.ports.uplinks, [
    { upstreamId: `SM${'0'.repeat(31)}9`, from: '+6591234567', to: '+15005550006', body: ' STOP ' },
  ]);
  assert.equal((await bench.twilio.webhook(bench.ports.hookUrl('/inbound'), fields, { signature: null })).status, 403);
});

test('a used code is confirmed to Twilio, an unused one is not', async () => {
  await using bench = await open();
  await bench.send();
  const { sid } = bench.twilio.last();
  await bench.upstream.feedback?.(sid, false, AbortSignal.timeout(5_000));
  assert.deepEqual(bench.twilio.feedback, []);
  await bench.upstream.feedback?.(sid, true, AbortSignal.timeout(5_000));
  assert.deepEqual(bench.twilio.feedback, [{ sid, outcome: 'confirmed' }]);
  await bench.upstream.feedback?.('../../Calls', true, AbortSignal.timeout(5_000));
  await bench.upstream.feedback?.(`SM${'0'.repeat(32)}`, true, AbortSignal.timeout(5_000));
  assert.equal(bench.twilio.feedback.length, 1);
});
