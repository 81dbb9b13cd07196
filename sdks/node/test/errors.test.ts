// What a refused request tells the caller, and that it tells nothing secret, whatever the server sent.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { EngagelabError, OTPClient } from '../src/index.ts';
import { cases } from './support/cases.ts';
import { type Reply, startServer } from './support/server.ts';

const key = 'dk_private';
const secret = 'p+ss/w0rd';
const token = btoa(`${key}:${secret}`);

async function errorOf(t: TestContext, reply: Reply, call?: (client: OTPClient) => Promise<unknown>) {
  const server = await startServer(t, [reply]);
  const client = new OTPClient(key, secret, { baseUrl: server.url });
  const error = await (call ?? ((otp: OTPClient) => otp.balance()))(client).then(
    () => assert.fail('the call should have been refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof EngagelabError && error instanceof Error);
  return error;
}

function assertHides(error: Error, ...values: string[]): void {
  const shown = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error) + String(error.stack);
  for (const value of values) assert.ok(!shown.includes(value), `${value} in ${shown}`);
}

describe('categories', () => {
  for (const { code, status, category, retryable } of cases.errors) {
    test(`${code} at HTTP ${status} is ${category}${retryable ? ', retryable' : ''}`, async (t) => {
      const error = await errorOf(t, { status, body: { code, message: 'why' } });
      assert.deepEqual({ ...error }, { code, httpStatus: status, retryable, category });
      assert.equal(error.message, 'why');
      assert.equal(error.name, 'EngagelabError');
    });
  }
});

describe('answers that are not the platform’s', () => {
  const strange: [string, Reply, object][] = [
    ['an HTML page', { status: 404, text: '<h1>nginx</h1>' }, { code: 0, retryable: false, category: 'unknown' }],
    ['an empty body', { status: 500, text: '' }, { code: 0, retryable: true, category: 'transient' }],
    ['a JSON array', { status: 400, text: '[1]' }, { code: 0, retryable: false, category: 'unknown' }],
    ['JSON null', { status: 503, text: 'null' }, { code: 0, retryable: true, category: 'transient' }],
    ['a code as text', { status: 400, text: '{"code":"5001"}' }, { code: 0, retryable: false, category: 'unknown' }],
    ['success without JSON', { status: 200, text: 'OK' }, { code: 0, retryable: false, reason: 'invalid_reply' }],
    ['success without a body', { status: 204, text: '' }, { code: 0, retryable: false, reason: 'invalid_reply' }],
  ];
  for (const [name, reply, expected] of strange) {
    test(name, async (t) => {
      const error = await errorOf(t, reply);
      assert.deepEqual({ ...error, ...expected }, { ...error });
      assert.equal(error.httpStatus, reply.status);
      if (reply.text) assertHides(error, reply.text);
    });
  }
});

describe('what comes in headers', () => {
  test('the request id, where the body has none', async (t) => {
    const error = await errorOf(t, { status: 502, headers: { 'x-request-id': 'req_7' }, text: '' });
    assert.equal(error.requestId, 'req_7');
  });

  test('Retry-After in seconds', async (t) => {
    assert.equal((await errorOf(t, { status: 429, headers: { 'retry-after': '7' } })).retryAfter, 7);
  });

  test('Retry-After as a date', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 6, 3) });
    const headers = { 'retry-after': 'Fri, 03 Jul 2026 00:01:30 GMT' };
    assert.equal((await errorOf(t, { status: 503, headers })).retryAfter, 90);
  });

  test('Retry-After that says nothing is left out, the body then counts', async (t) => {
    const error = await errorOf(t, {
      status: 400,
      headers: { 'retry-after': 'soon' },
      body: { details: { retry_after: 3 } },
    });
    assert.equal(error.retryAfter, 3);
  });
});

describe('secrets', () => {
  test('credentials that a gateway echoes are taken out', async (t) => {
    const message = `bad header Basic ${token} for ${key} with ${secret}`;
    const error = await errorOf(t, { status: 401, body: { code: 2001, message, details: { seen: [token, { key }] } } });
    assertHides(error, token, key, secret);
    assert.match(error.message, /^bad header Basic \[redacted\]/);
  });

  test('a credential as short as a word does not blur messages', async (t) => {
    const server = await startServer(t, [{ status: 400, body: { code: 3002, message: 'a key is required' } }]);
    await assert.rejects(new OTPClient('a', 'key', { baseUrl: server.url }).balance(), {
      message: 'a key is required',
    });
  });

  const code = '482913';
  const calls: [string, (client: OTPClient) => Promise<unknown>][] = [
    ['verify', (otp) => otp.verify('2072832482913466759', ` ${code} `)],
    ['sendCode', (otp) => otp.sendCode('+6598120044', code, 't')],
    ['sendCustom', (otp) => otp.sendCustom('+6598120044', 't', { code })],
  ];
  for (const [name, call] of calls) {
    test(`the code given to ${name} is taken out, ids that contain its digits stay`, async (t) => {
      const ids = { message_id: '2072832482913466759', before: `207283248291${code}`, after: `${code}207283248291` };
      const details = { ...ids, fields: [{ value: code }] };
      const error = await errorOf(t, { status: 400, body: { code: 3002, message: `code ${code}: no`, details } }, call);
      assertHides(error, `"${code}"`, ` ${code}`);
      assert.deepEqual(error.details, { ...ids, fields: [{ value: '[redacted]' }] });
      assert.equal(error.message, 'code [redacted]: no');
    });
  }

  test('the secret of a sandbox webhook is taken out', async (t) => {
    const call = (otp: OTPClient) => otp.sandbox.setWebhook({ url: 'http://h', username: 'u', secret: 'hook-s3cret' });
    assertHides(await errorOf(t, { status: 400, body: { message: 'secret: hook-s3cret' } }, call), 'hook-s3cret');
  });
});
