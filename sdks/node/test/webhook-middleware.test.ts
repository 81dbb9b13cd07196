// The middleware behind a real server, mounted as Express would: what is answered, when the handler runs, and with what.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { type MiddlewareOptions, type WebhookEvent, WebhookVerifier } from '../src/index.ts';
import { cases } from './support/cases.ts';
import { listen } from './support/server.ts';

const hooks = { username: 'acme', secret: 'hook-secret' };
const [standard] = cases.signatures.standard;
assert.ok(standard);
const { signing_secret: signingSecret } = standard;
const delivered = JSON.stringify({ total: 1, rows: [{ message_id: '1', status: { message_status: 'delivered' } }] });

function callbackId(secret = hooks.secret): string {
  const mac = createHmac('sha256', secret).update(`1783036800n0nce${hooks.username}`).digest('hex');
  return `timestamp=1783036800;nonce=n0nce;username=${hooks.username};signature=${mac}`;
}

function standardHeaders(body: string): Record<string, string> {
  const key = Buffer.from(signingSecret.slice(6), 'base64');
  const mac = createHmac('sha256', key).update(`evt_1.1783036800.${body}`).digest('base64');
  return { 'webhook-id': 'evt_1', 'webhook-timestamp': '1783036800', 'webhook-signature': `v1,${mac}` };
}

interface SetUp extends MiddlewareOptions {
  verifier?: WebhookVerifier;
  handler?: (events: WebhookEvent[]) => unknown;
  /** What stands before the middleware, such as a body parser. */
  before?: (request: IncomingMessage & { body?: unknown; rawBody?: unknown }, bytes: Buffer) => void;
}

/** Starts a receiver; returns what posts to it, the events it handled, and the errors it reported. */
async function receiver(t: TestContext, { verifier, handler, before, ...options }: SetUp = {}) {
  const handled: WebhookEvent[] = [];
  const errors: unknown[] = [];
  const middleware = (verifier ?? new WebhookVerifier(hooks)).middleware(
    handler ?? ((events) => handled.push(...events)),
    { onError: (error) => errors.push(error), ...options },
  );
  const url = await listen(t, (request, response) => {
    if (!before) return middleware(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      before(request, Buffer.concat(chunks));
      // One turn later, as a parser in front would, when the stream has ended for good.
      setImmediate(() => middleware(request, response, () => assert.fail('next is not for us')));
    });
  });
  const post = async (body: string, headers: Record<string, string> = { 'x-callback-id': callbackId() }) => {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, text: await response.text() };
  };
  return { post, handled, errors };
}

describe('who is believed', () => {
  test('a signed callback reaches the handler and is answered 200', async (t) => {
    const { post, handled } = await receiver(t);
    assert.equal((await post(delivered)).status, 200);
    assert.deepEqual(
      handled.map(({ kind }) => kind),
      ['message_status'],
    );
  });

  test('a wrong signature is answered 401 and reaches nobody', async (t) => {
    const { post, handled, errors } = await receiver(t);
    assert.equal((await post(delivered, { 'x-callback-id': callbackId('other') })).status, 401);
    assert.equal((await post(delivered, {})).status, 401);
    assert.equal((await post('{}', {})).status, 401);
    assert.deepEqual([handled, errors], [[], []]);
  });

  test('with a signing secret a changed body is answered 401', async (t) => {
    const { post, handled } = await receiver(t, { verifier: new WebhookVerifier({ ...hooks, signingSecret }) });
    const headers = { 'x-callback-id': callbackId(), ...standardHeaders(delivered) };
    assert.equal((await post(delivered, headers)).status, 200);
    assert.equal((await post(delivered.replace('"1"', '"2"'), headers)).status, 401);
    assert.equal((await post(delivered)).status, 401);
    assert.equal(handled.length, 1);
  });

  test('a signing secret alone is enough for an endpoint without username', async (t) => {
    const { post } = await receiver(t, { verifier: new WebhookVerifier({ signingSecret }) });
    assert.equal((await post(delivered, standardHeaders(delivered))).status, 200);
    assert.equal((await post(delivered, {})).status, 401);
  });
});

describe('how the body arrives', () => {
  const forms: [string, NonNullable<SetUp['before']>][] = [
    ['parsed', (request, bytes) => Object.assign(request, { body: JSON.parse(bytes.toString()) })],
    ['as bytes', (request, bytes) => Object.assign(request, { body: bytes })],
    ['as text', (request, bytes) => Object.assign(request, { body: bytes.toString() })],
    ['as kept raw bytes', (request, bytes) => Object.assign(request, { body: {}, rawBody: bytes })],
  ];
  for (const [name, before] of forms) {
    test(name, async (t) => {
      const { post, handled } = await receiver(t, { before });
      assert.equal((await post(delivered)).status, 200);
      assert.equal(handled.length, 1);
    });
  }

  test('parsed, although a signing secret asks for raw bytes: 500 with the remedy, never unchecked', async (t) => {
    const before: SetUp['before'] = (request, bytes) => Object.assign(request, { body: JSON.parse(bytes.toString()) });
    const verifier = new WebhookVerifier({ ...hooks, signingSecret });
    const { post, handled, errors } = await receiver(t, { verifier, before, ackOnError: true });
    const headers = { 'x-callback-id': callbackId(), ...standardHeaders(delivered) };
    assert.equal((await post(delivered, headers)).status, 500);
    assert.match(String(errors[0]), /before express\.json\(\)/);
    assert.deepEqual(handled, []);
  });

  test('read by somebody and thrown away: 500, not taken for a probe', async (t) => {
    const { post, errors } = await receiver(t, { before: () => undefined });
    assert.equal((await post(delivered)).status, 500);
    assert.match(String(errors[0]), /was read before/);
  });

  test('not JSON: 400', async (t) => {
    const { post } = await receiver(t);
    assert.equal((await post('{"total":')).status, 400);
  });

  test('larger than a mebibyte: 413', async (t) => {
    const { post } = await receiver(t);
    assert.equal((await post('x'.repeat(1024 * 1024 + 1))).status, 413);
  });
});

describe('what is answered', () => {
  for (const probe of ['{}', '']) {
    test(`the probe ${JSON.stringify(probe)}: 200, without the handler`, async (t) => {
      const { post, handled } = await receiver(t, { handler: () => assert.fail('nothing to handle') });
      assert.equal((await post(probe)).status, 200);
      assert.deepEqual(handled, []);
    });
  }

  test('200 only after the handler has finished', async (t) => {
    const order: string[] = [];
    const handler = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('handled');
    };
    const { post } = await receiver(t, { handler });
    await post(delivered).then(() => order.push('answered'));
    assert.deepEqual(order, ['handled', 'answered']);
  });

  for (const [name, handler] of [
    ['throws', () => assert.fail('database away')],
    ['rejects', () => Promise.reject(new Error('database away'))],
  ] as const) {
    test(`a handler that ${name}: 500 without details, so that the events come again`, async (t) => {
      const { post, errors } = await receiver(t, { handler });
      assert.deepEqual(await post(delivered), { status: 500, text: '' });
      assert.match(String(errors[0]), /database away/);
    });

    test(`a handler that ${name}, with ackOnError: 200, and the error is still reported`, async (t) => {
      const { post, errors } = await receiver(t, { handler, ackOnError: true });
      assert.equal((await post(delivered)).status, 200);
      assert.equal(errors.length, 1);
    });
  }
});
