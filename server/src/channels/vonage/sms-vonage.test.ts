/** The SMS adapter against the emulated API: what is sent, what answers mean, feedback, closing. Webhooks: sms-hooks.test.ts. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Upstream } from '../contract.ts';
import type { Refused, SendOutcome } from '../outcome.ts';
import { openSmsApi, type SmsApi, type Treatment } from './sms-api/fixture.ts';
import { smsVonage } from './sms-vonage.ts';

const account = { key: 'abcd1234', secret: 'S3cretS3cretS3cr' };
const to = '+447700900001';
const inTime = (): AbortSignal => AbortSignal.timeout(5_000);

let api: SmsApi;
let ports: TestPorts;
let logged: string[];
let upstream: Upstream;

const settingsOf = (more: object = {}) =>
  smsVonage.settings.parse({
    api_url: `${api.url}/`,
    conversion_api_url: api.url,
    api_key: account.key,
    api_secret: account.secret,
    from: 'Acme',
    ...more,
  });

const outgoing = (more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  applicationId: '42',
  messageId: '2072832692843446272',
  step: 1,
  attempt: 1,
  reference: '2072832692843446272-1-0',
  channel: 'sms',
  to,
  content: { text: '482913 is your code.', language: 'en' },
  code: '482913',
  expiresAtMs: Date.now() + 300_000,
  ...more,
});

async function sendTreated(treatment: Treatment, message = outgoing()): Promise<SendOutcome> {
  api.treat(message.to, treatment);
  return upstream.send(message, inTime());
}

async function open(more: object = {}): Promise<void> {
  await upstream?.close();
  upstream = await smsVonage.open(settingsOf(more), ports);
  ports.serve(upstream);
}

before(async () => {
  api = await openSmsApi(account);
});
after(() => api.close());
beforeEach(async () => {
  logged = [];
  ports = await openTestPorts(createLog('trace', { write: (line: string) => void logged.push(line) }));
  await open();
});
afterEach(async () => {
  await upstream.close();
  await ports.close();
});

const lastForm = (): Record<string, string> => Object.fromEntries(api.submitted.at(-1) ?? []);

test('a message is handed over as Vonage wants it', async () => {
  const outcome = await sendTreated({});
  assert.equal(outcome.kind, 'accepted');
  const { ttl, ...form } = lastForm();
  assert.deepEqual(form, {
    api_key: account.key,
    api_secret: account.secret,
    from: 'Acme',
    to: '447700900001',
    text: '482913 is your code.',
    type: 'text',
    'status-report-req': '1',
    callback: ports.hookUrl('/status'),
    'client-ref': '2072832692843446272-1-0',
  });
  assert.ok(Number(ttl) > 290_000 && Number(ttl) <= 300_000);
});

test('the sender of the route goes before the one in the settings, numbers without a plus', async () => {
  assert.equal((await sendTreated({}, outgoing({ sender: '+447700900999' }))).kind, 'accepted');
  assert.equal(lastForm()['from'], '447700900999');
});

test('a text outside GSM-7 goes as unicode, registered texts carry their ids', async () => {
  const content = { text: '您的验证码是 482913', language: 'zh_CN', dlt: { entityId: '1101', templateId: '1107' } };
  assert.equal((await sendTreated({}, outgoing({ content }))).kind, 'accepted');
  const { type, 'entity-id': entity, 'content-id': template } = lastForm();
  assert.deepEqual([type, entity, template], ['unicode', '1101', '1107']);
});

test('the time to live is what the code still has, within the bounds of Vonage', async () => {
  for (const [leftMs, least, most] of [
    [5_000, 20_000, 20_000],
    [60_000, 55_000, 60_000],
    [30 * 86_400_000, 604_800_000, 604_800_000],
  ] as const) {
    assert.equal((await sendTreated({}, outgoing({ expiresAtMs: Date.now() + leftMs }))).kind, 'accepted');
    const ttl = Number(lastForm()['ttl']);
    assert.ok(ttl >= least && ttl <= most, String(ttl));
  }
});

test('a message whose time is over is refused without a call', async () => {
  const before = api.submitted.length;
  const outcome = await upstream.send(outgoing({ expiresAtMs: Date.now() - 1 }), inTime());
  assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'expired');
  assert.equal(api.submitted.length, before);
});

const refusals = [
  ['1', true, 'throttled'],
  ['2', false, 'config'],
  ['3', false, 'config'],
  ['4', false, 'credentials'],
  ['5', true, 'upstream_error'],
  ['6', false, 'number_invalid'],
  ['7', false, 'opted_out'],
  ['8', false, 'credentials'],
  ['9', false, 'funds'],
  ['10', true, 'throttled'],
  ['11', false, 'credentials'],
  ['12', false, 'config'],
  ['14', false, 'credentials'],
  ['15', false, 'sender_invalid'],
  ['22', false, 'config'],
  ['23', false, 'config'],
  ['29', false, 'config'],
  ['32', false, 'credentials'],
  ['33', false, 'number_invalid'],
] as const;

for (const [status, temporary, reason] of refusals) {
  test(`status ${status} inside HTTP 200 is ${reason}${temporary ? ', for now' : ''}`, async () => {
    const outcome = (await sendTreated({ statuses: [status] })) as Refused;
    assert.deepEqual([outcome.kind, outcome.temporary, outcome.reason], ['refused', temporary, reason]);
    assert.match(outcome.detail, new RegExp(`^Vonage status ${status}: \\w`));
  });
}

test('wrong credentials are told by the API itself, and the detail names the settings', async () => {
  await open({ api_secret: 'somebody-elses-one' });
  const outcome = (await sendTreated({})) as Refused;
  assert.equal(outcome.reason, 'credentials');
  assert.match(outcome.detail, /api_key and api_secret/);
  assert.doesNotMatch(outcome.detail, /somebody/);
});

test('a status nobody has described is temporary, tried elsewhere and counted', async () => {
  const outcome = (await sendTreated({ statuses: ['77'] })) as Refused;
  assert.deepEqual([outcome.temporary, outcome.reason], [true, 'upstream_error']);
  assert.match(logged.join(''), /"upstreamCode":"status:77".*unmapped code/);
});

test("the account's code map goes before ours", async () => {
  await open({
    code_map: {
      'status:77': { reason: 'funds', temporary: false },
      'status:7': { reason: 'geo_denied', temporary: true },
    },
  });
  assert.equal(((await sendTreated({ statuses: ['77'] })) as Refused).reason, 'funds');
  const seven = (await sendTreated({ statuses: ['7'] })) as Refused;
  assert.deepEqual([seven.temporary, seven.reason], [true, 'geo_denied']);
});

const longText = { text: `482913 is your code. ${'x'.repeat(200)}`, language: 'en' };

test('a message in parts is accepted when every part is, and unknown when only some are', async () => {
  const whole = await sendTreated({}, outgoing({ content: longText }));
  assert.ok(whole.kind === 'accepted' && whole.upstreamId.startsWith('parts-'));
  assert.equal(lastForm()['callback'], ports.hookUrl(`/status/2/${whole.upstreamId}`));
  const mixed = await sendTreated({ statuses: ['0', '9'] }, outgoing({ content: longText }));
  assert.equal(mixed.kind, 'unknown');
  const refused = await sendTreated({ statuses: ['9'] }, outgoing({ content: longText }));
  assert.ok(refused.kind === 'refused' && refused.reason === 'funds');
});

const strange: [name: string, reply: NonNullable<Treatment['reply']>, kind: string, reason?: string][] = [
  ['HTTP 500 without a body', { status: 500, body: '' }, 'unknown'],
  ['HTTP 502 with a page', { status: 502, body: '<html>Bad gateway</html>' }, 'unknown'],
  ['HTTP 503 with a report', { status: 503, body: '{"messages":[{"status":"5"}]}' }, 'refused', 'upstream_error'],
  ['HTTP 200 with a page', { status: 200, body: '<html>hello</html>' }, 'unknown'],
  ['HTTP 200 with no entry', { status: 200, body: '{"message-count":"0","messages":[]}' }, 'unknown'],
  ['HTTP 200 without an id', { status: 200, body: '{"messages":[{"status":"0"}]}' }, 'unknown'],
  ['a redirect', { status: 302, body: '', headers: { location: 'https://example.com' } }, 'unknown'],
  ['a connection lost after reading', 'drop', 'unknown'],
  ['HTTP 401', { status: 401, body: '' }, 'refused', 'credentials'],
  ['HTTP 404', { status: 404, body: 'no such page' }, 'refused', 'config'],
  ['HTTP 429', { status: 429, body: '', headers: { 'retry-after': '3' } }, 'refused', 'throttled'],
];

for (const [name, reply, kind, reason] of strange) {
  test(`${name} is ${reason ?? kind}`, async () => {
    const outcome = await sendTreated({ reply });
    assert.equal(outcome.kind, kind);
    if (outcome.kind === 'refused') assert.equal(outcome.reason, reason);
  });
}

test('a throttled account is asked again after the time it names', async () => {
  const outcome = await sendTreated({ reply: { status: 429, body: '', headers: { 'retry-after': '3' } } });
  assert.ok(outcome.kind === 'refused' && outcome.retryAfterMs === 3_000);
});

test('nobody at the address is refused for now, since nothing left', async () => {
  await open({ api_url: 'http://127.0.0.1:9' });
  const outcome = await upstream.send(outgoing(), inTime());
  assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'upstream_error');
});

test('whether the code was used is told by message id, in UTC, with the credentials in the body', async () => {
  api.conversions.length = 0;
  await upstream.feedback?.('0A0000001234567B', true, inTime());
  await upstream.feedback?.('0A0000001234567C', false, inTime());
  await upstream.feedback?.('parts-9b0a7c1e-0000-4000-8000-000000000000', true, inTime());
  assert.deepEqual(
    api.conversions.map((form) => [form.get('message-id'), form.get('delivered')]),
    [
      ['0A0000001234567B', 'true'],
      ['0A0000001234567C', 'false'],
    ],
  );
});

test('an account without the Conversion API is asked once and told to the operator once', async () => {
  const poor = await openSmsApi({ ...account, conversionStatus: 402 });
  await open({ conversion_api_url: poor.url });
  for (let times = 0; times < 3; times++) await upstream.feedback?.('0A0000001234567B', true, inTime());
  assert.equal(poor.conversions.length, 1);
  assert.equal(logged.filter((line) => line.includes('Conversion API is not enabled')).length, 1);
  await poor.close();
});

test('a closed provider hands nothing over', async () => {
  await upstream.close();
  const before = api.submitted.length;
  assert.equal((await upstream.send(outgoing(), inTime())).kind, 'refused');
  assert.equal(api.submitted.length, before);
});

test('neither code nor recipient nor secret is logged or named in an outcome', async () => {
  const outcomes = [
    await sendTreated({ statuses: ['3'] }),
    await sendTreated({ reply: { status: 400, body: '{"type":"x#bad-request"}' } }),
    await sendTreated({ reply: 'drop' }),
  ];
  const text = JSON.stringify(outcomes) + logged.join('');
  for (const hidden of ['482913', '447700900001', account.secret]) assert.ok(!text.includes(hidden));
});
