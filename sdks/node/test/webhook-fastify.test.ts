// The plugin inside a real Fastify: what is answered, what the handler gets, and that the rest of the application is left alone.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { type FastifyOptions, type WebhookEvent, WebhookVerifier } from '../src/index.ts';
import { cases } from './support/cases.ts';

const [standard] = cases.signatures.standard;
assert.ok(standard);
const { signing_secret: signingSecret } = standard;
// Spaces that a parser and a serializer would lose, and the signature with them.
const delivered = '{ "total": 1, "rows": [{"message_id":"1","status":{"message_status":"delivered"}}] }';

function signed(body: string): Record<string, string> {
  const key = Buffer.from(signingSecret.slice(6), 'base64');
  const mac = createHmac('sha256', key).update(`evt_1.1783036800.${body}`).digest('base64');
  return { 'webhook-id': 'evt_1', 'webhook-timestamp': '1783036800', 'webhook-signature': `v1,${mac}` };
}

interface SetUp extends FastifyOptions {
  handler?: (events: WebhookEvent[]) => unknown;
  prefix?: string;
  /** What the application has of its own. */
  before?: (app: FastifyInstance) => void;
}

async function application(t: TestContext, { handler, prefix = '/hooks', before, ...options }: SetUp = {}) {
  const handled: WebhookEvent[] = [];
  const errors: unknown[] = [];
  const app = fastify();
  t.after(() => app.close());
  before?.(app);
  const hooks = new WebhookVerifier({ signingSecret });
  const handle = handler ?? ((events: WebhookEvent[]) => handled.push(...events));
  await app.register(hooks.fastify(handle, { onError: (error) => errors.push(error), ...options }), { prefix });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const post = async (body: string, headers: Record<string, string> = signed(body), path = prefix) => {
    const response = await fetch(url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, text: await response.text() };
  };
  return { post, handled, errors };
}

describe('the Fastify plugin', () => {
  test('hands on the events of a body signed as it came, and answers 200', async (t) => {
    const { post, handled, errors } = await application(t);
    assert.deepEqual(await post(delivered), { status: 200, text: '' });
    assert.deepEqual(
      handled.map(({ kind }) => kind),
      ['message_status'],
    );
    assert.deepEqual(errors, []);
  });

  test('answers 401 to a changed body, a wrong signature and none', async (t) => {
    const { post, handled } = await application(t);
    for (const [body, headers] of [
      [delivered.replace('"1"', '"2"'), signed(delivered)],
      [delivered, signed('{}')],
      [delivered, {}],
    ] as const)
      assert.equal((await post(body, headers)).status, 401);
    assert.deepEqual(handled, []);
  });

  test('answers a probe without the handler, with a body and without', async (t) => {
    const { post, handled } = await application(t, { handler: () => assert.fail('nothing to handle') });
    for (const probe of ['{}', '']) assert.equal((await post(probe)).status, 200);
    assert.deepEqual(handled, []);
  });

  test('takes any content type', async (t) => {
    const { post, handled } = await application(t);
    for (const type of ['application/json; charset=utf-8', 'text/plain', 'application/octet-stream'])
      assert.equal((await post(delivered, { ...signed(delivered), 'content-type': type })).status, 200, type);
    assert.equal(handled.length, 3);
  });

  test('answers 500 without details when the handler fails, so that the events come again; 200 with ackOnError', async (t) => {
    const handler = () => Promise.reject(new Error('database away'));
    const failing = await application(t, { handler });
    assert.deepEqual(await failing.post(delivered), { status: 500, text: '' });
    assert.match(String(failing.errors[0]), /database away/);
    const patient = await application(t, { handler, ackOnError: true });
    assert.equal((await patient.post(delivered)).status, 200);
    assert.equal(patient.errors.length, 1);
  });

  test('answers 400 to what is not JSON and 413 to more than a mebibyte', async (t) => {
    const { post } = await application(t);
    assert.equal((await post('{"total":')).status, 400);
    assert.equal((await post('x'.repeat(1024 * 1024 + 1))).status, 413);
  });

  test('leaves the parsers and routes of the application as they are', async (t) => {
    const { post, handled } = await application(t, {
      path: '/otp',
      before: (app) => {
        app.addContentTypeParser('application/x-own', { parseAs: 'string' }, (_request, _body, done) =>
          done(null, 'own'),
        );
        app.post('/echo', ({ body }) => ({ parsed: body }));
      },
    });
    assert.equal((await post(delivered, signed(delivered), '/hooks/otp')).status, 200);
    assert.equal(handled.length, 1);
    assert.equal((await post('{ "a": 1 }', {}, '/echo')).text, '{"parsed":{"a":1}}');
    assert.equal((await post('x', { 'content-type': 'application/x-own' }, '/echo')).text, '{"parsed":"own"}');
    assert.equal((await post(delivered, signed(delivered), '/hooks')).status, 404);
  });
});
