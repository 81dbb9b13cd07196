// When a request is repeated, how long the pause is, and that all tries are one request to the server. Nobody sleeps here.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { OTPClient } from '../src/index.ts';
import { type Reply, startServer } from './support/server.ts';

const failed: Reply = { status: 500, body: { code: 1000, message: 'internal error' } };
const sent: Reply = { body: { message_id: '1', send_channel: 'sms' } };
const pair = ['+6598120044', 'signin_demo'] as const;

async function setUp(t: TestContext, replies: Reply[], maxRetries: number, random = 0.5) {
  const server = await startServer(t, replies);
  const pauses: number[] = [];
  const client = new OTPClient('k', 's', {
    baseUrl: server.url,
    maxRetries,
    random: () => random,
    sleep: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
  return { client, pauses, requests: server.requests };
}

describe('pauses', () => {
  test('double from 500 ms up to 8 s, each multiplied by the jitter', async (t) => {
    const { client, pauses } = await setUp(t, [...Array<Reply>(6).fill(failed), sent], 6);
    await client.send(...pair);
    assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 4000]);
  });

  test('may be nothing at all: the jitter is full', async (t) => {
    const { client, pauses } = await setUp(t, [failed, sent], 1, 0);
    await client.send(...pair);
    assert.deepEqual(pauses, [0]);
  });

  test('follow Retry-After where it is given, beyond the 8 s too', async (t) => {
    const throttled = {
      status: 429,
      headers: { 'retry-after': '12' },
      body: { code: 3004, message: 'too many requests' },
    };
    const { client, pauses } = await setUp(t, [throttled, sent], 1);
    await client.send(...pair);
    assert.deepEqual(pauses, [12_000]);
  });

  test('of hours are not made: the error comes at once and names the time', async (t) => {
    const quota = { status: 429, headers: { 'retry-after': '7200' }, body: { code: 3004, message: 'quota exceeded' } };
    const { client, pauses, requests } = await setUp(t, [quota], 3);
    await assert.rejects(client.send(...pair), { code: 3004, retryAfter: 7200, retryable: true });
    assert.deepEqual([pauses, requests.length], [[], 1]);
  });
});

describe('how often', () => {
  test('maxRetries more times, then the last error comes', async (t) => {
    const last = { status: 503, body: { code: 5016, message: 'internal sending error' } };
    const { client, requests } = await setUp(t, [failed, failed, last], 2);
    await assert.rejects(client.send(...pair), { code: 5016, httpStatus: 503 });
    assert.equal(requests.length, 3);
  });

  test('reads and template updates are repeated too', async (t) => {
    const { client, requests } = await setUp(t, [failed, { body: [] }, failed, { body: {} }], 1);
    await client.templates.list();
    await client.templates.update('t', { send_channel_strategy: 'sms' });
    assert.deepEqual(
      requests.map(({ method, headers }) => [method, headers['idempotency-key']]),
      [
        ['GET', undefined],
        ['GET', undefined],
        ['PUT', undefined],
        ['PUT', undefined],
      ],
    );
  });

  test('a business error is never repeated', async (t) => {
    const { client, requests } = await setUp(t, [{ status: 400, body: { code: 3003, message: 'expired' } }], 5);
    await assert.rejects(client.verify('1', '482913'), { code: 3003, retryable: false });
    assert.equal(requests.length, 1);
  });
});

describe('Idempotency-Key', () => {
  test('tries of one call share a key, two calls never do', async (t) => {
    const { client, requests } = await setUp(t, [failed, sent, sent], 1);
    await client.send(...pair);
    await client.send(...pair);
    const [first, second, third] = requests.map(({ headers }) => headers['idempotency-key']);
    assert.match(String(first), /^[0-9a-f]{32}$/);
    assert.equal(second, first);
    assert.notEqual(third, first);
  });

  test('the key of the caller is used instead', async (t) => {
    const { client, requests } = await setUp(t, [failed, sent], 1);
    await client.send(...pair, {}, 'en', { idempotencyKey: 'order 17' });
    assert.deepEqual(
      requests.map(({ headers }) => headers['idempotency-key']),
      ['order 17', 'order 17'],
    );
  });

  for (const idempotencyKey of ['', 'ü', 'a\nb', 'x'.repeat(256)]) {
    test(`the key ${JSON.stringify(idempotencyKey.slice(0, 8))} is refused before anything is sent`, async (t) => {
      const { client, requests } = await setUp(t, [sent], 0);
      await assert.rejects(client.send(...pair, {}, 'en', { idempotencyKey }), TypeError);
      assert.equal(requests.length, 0);
    });
  }

  const running = {
    status: 409,
    headers: { 'retry-after': '1' },
    body: { code: 3002, message: 'request in progress' },
  };

  test('a try that meets its own predecessor still running waits for the result', async (t) => {
    const { client, pauses } = await setUp(t, [{ hang_up: true }, running, sent], 2);
    assert.equal((await client.send(...pair)).message_id, '1');
    assert.deepEqual(pauses, [250, 1000]);
  });

  test('a first try that meets somebody else’s is refused', async (t) => {
    const { client } = await setUp(t, [running], 2);
    await assert.rejects(client.send(...pair, {}, 'en', { idempotencyKey: 'shared' }), { httpStatus: 409 });
  });
});
