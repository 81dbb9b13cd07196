/** The order of checks, the error form and the headers of contract §2 and §3. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { ApiError, refuse } from '../errors.ts';
import { DatabaseUnavailable } from '../platform/db.ts';
import { raw } from '../platform/sql.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { expired, good, type OpenDoor, openDoor, operatorToken, sendOnly, slow } from '../testing/open-door.ts';
import { defineOperation } from './operation.ts';

const body = z.object({
  to: z.string().min(1),
  template: z.object({ id: z.string().min(4), params: z.record(z.string(), z.string()).default({}) }),
});
const output = z.object({ message_id: z.string(), ip: z.string().optional() });
const shape = { tag: 'Sending', auth: 'key', permission: 'send', output, errors: [], summary: 'x' } as const;
const secret = 'sekret-482913';

const operations = [
  defineOperation(
    { ...shape, id: 'send', method: 'POST', path: '/v1/messages', input: { body } },
    ({ ip, body: { to } }) => {
      if (to === 'refused') throw refuse('code_still_valid', '', { retryAfter: 211.2, details: { message_id: '7' } });
      if (to === 'extra') throw new ApiError(5011, undefined, { extra: { messages: [] }, cause: new Error(secret) });
      if (to === 'down') throw new DatabaseUnavailable(new Error(secret));
      if (to === 'bug') throw new TypeError(secret);
      if (to === 'undeclared') return { message_id: 7 } as never;
      return { message_id: '1', ip };
    },
  ),
  defineOperation(
    {
      ...shape,
      id: 'list',
      method: 'GET',
      path: '/v1/messages',
      input: { query: z.object({ limit: z.coerce.number().int().min(1) }) },
    },
    () => ({ message_id: '1' }),
  ),
  defineOperation(
    { ...shape, id: 'verify', method: 'POST', path: '/v1/verifications', permission: 'verify', input: { body } },
    () => ({ message_id: '1' }),
  ),
  defineOperation(
    {
      ...shape,
      id: 'cancel',
      method: 'POST',
      path: '/v1/messages/{message_id}/cancel',
      input: { params: z.object({ message_id: z.string().max(64) }) },
    },
    ({ params: { message_id } }) => ({ message_id }),
  ),
  defineOperation(
    {
      ...shape,
      id: 'resend',
      method: 'POST',
      path: '/v1/messages/{message_id}/resend',
      bodyOptional: true,
      input: { body: z.object({ channel: z.string().default('start') }) },
    },
    ({ body: { channel } }) => ({ message_id: channel }),
  ),
  defineOperation(
    {
      id: 'admin',
      method: 'POST',
      path: '/admin/v1/things',
      tag: 'Operator',
      auth: 'operator',
      summary: 'x',
      input: { body: z.object({ name: z.string() }) },
      output: z.object({ name: z.string() }),
      errors: [4001],
    },
    ({ body: { name } }) => ({ name }),
  ),
];

const valid = { to: '+6598120044', template: { id: 'signin_demo' } };
const json = { 'content-type': 'application/json' };

describe('the front door', () => {
  let database: TestDatabase;
  let open: OpenDoor;
  const quotaGone = new Set<string>();
  before(async () => {
    database = await openTestDatabase('pglite');
    open = openDoor(database, {
      operations,
      checks: { database: async () => void (await database.db.query(raw('select 1'))) },
      quota: ({ keyId }) => {
        if (quotaGone.has(keyId)) throw new ApiError(3004, 'quota exceeded', { status: 429, retryAfter: 60 });
      },
    });
  });
  after(async () => {
    await open.door.close();
    await database.close();
  });

  interface Ask {
    method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD';
    path?: string;
    auth?: string | undefined;
    headers?: Record<string, string>;
    body?: string | Buffer | object;
  }
  async function ask({ method = 'POST', path = '/v1/messages', headers = json, body: sent = valid, ...rest }: Ask) {
    const authorization = 'auth' in rest ? rest.auth : good;
    const payload =
      method === 'GET' || method === 'HEAD'
        ? undefined
        : typeof sent === 'string' || Buffer.isBuffer(sent)
          ? sent
          : JSON.stringify(sent);
    const reply = await open.door.inject({
      method,
      url: path,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      ...(payload !== undefined && { payload }),
    });
    return { status: reply.statusCode, headers: reply.headers, body: reply.body === '' ? undefined : reply.json() };
  }

  const huge = 'x'.repeat(65_537);
  const table: [name: string, asked: Ask, status: number, code: number, message?: string][] = [
    ['an unknown path without a credential', { path: '/v1/nothing', auth: undefined }, 404, 4001, 'no such endpoint'],
    ['a path that cannot be decoded', { path: '/v1/%zz' }, 404, 4001, 'no such endpoint'],
    ['two slashes at the end', { path: '/v1/messages//' }, 404, 4001],
    ['a wrong method without a credential', { method: 'PUT', auth: undefined }, 405, 3002, 'method not allowed'],
    ['no credential and bad JSON', { auth: undefined, body: '{' }, 401, 2001, 'authentication failed'],
    ['a wrong credential and 1 MB', { auth: 'Basic x', body: 'x'.repeat(1_000_000) }, 401, 2001],
    ['an expired key and bad JSON', { auth: expired, body: '{' }, 401, 2002, 'credential expired or disabled'],
    [
      'a missing permission and bad JSON',
      { auth: sendOnly, path: '/v1/verifications', body: '{' },
      403,
      2004,
      'no permission for this API',
    ],
    [
      'a body over 64 KiB of another type',
      { headers: { 'content-type': 'text/plain' }, body: huge },
      413,
      3002,
      'body: larger than 64 KiB',
    ],
    ['a large body where none is taken', { method: 'DELETE', path: '/v1/messages', body: huge }, 405, 3002],
    ['no content type', { headers: {}, body: '{' }, 400, 3001, 'content type must be application/json'],
    ['another content type', { headers: { 'content-type': 'application/jsonx' } }, 400, 3001],
    ['a content type that is none', { headers: { 'content-type': ';;;' } }, 400, 3001],
    ['a compressed body', { headers: { ...json, 'content-encoding': 'gzip' } }, 400, 3001],
    ['bad UTF-8', { body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, 3001, 'request body is not valid JSON'],
    ['bad JSON and a bad Idempotency-Key', { body: '{', headers: { ...json, 'idempotency-key': 'ü' } }, 400, 3001],
    ['no body', { body: '' }, 400, 3001],
    ['a list', { body: '[]' }, 400, 3002, 'body: must be an object'],
    ['null', { body: 'null' }, 400, 3002],
    [
      'a nest of 65 levels',
      { body: `${'{"a":'.repeat(65)}1${'}'.repeat(65)}` },
      400,
      3002,
      'body: nested deeper than 64 levels',
    ],
    ['a nest of 30,000 lists', { body: `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}` }, 400, 3002],
    [
      'a bad Idempotency-Key before a bad schema',
      { body: {}, headers: { ...json, 'idempotency-key': 'a'.repeat(256) } },
      400,
      3002,
      'Idempotency-Key: must be 1 to 255 printable ASCII characters',
    ],
    ['nothing that is required', { body: {} }, 400, 3002, 'to: required'],
    ['a missing nested field', { body: { to: 'x', template: {} } }, 400, 3002, 'template.id: required'],
    [
      'a business rule',
      { body: { ...valid, to: 'refused' } },
      400,
      3004,
      'a code for this template and target is still valid',
    ],
    ['a bug', { body: { ...valid, to: 'bug' } }, 500, 1000, 'internal error'],
    ['a lost database', { body: { ...valid, to: 'down' } }, 503, 1000, 'internal error'],
    ['a reply that is not as declared', { body: { ...valid, to: 'undeclared' } }, 500, 1000, 'internal error'],
    ['an operator operation with a key', { path: '/admin/v1/things', body: '{' }, 401, 2001],
    [
      'an operator operation with its token',
      { path: '/admin/v1/things', auth: operatorToken, body: '{}' },
      400,
      3002,
      'name: required',
    ],
    [
      'a query that is no number',
      { method: 'GET', path: '/v1/messages?limit=x' },
      400,
      3002,
      'limit: must be a number',
    ],
    ['a query given twice', { method: 'GET', path: '/v1/messages?limit=1&limit=x' }, 400, 3002],
    [
      'a path parameter that is too long',
      { path: `/v1/messages/${'9'.repeat(300)}/cancel`, body: '{}' },
      400,
      3002,
      'message_id: must be at most 64 characters',
    ],
  ];
  for (const [name, asked, status, code, message] of table) {
    test(`${name} answers ${status}/${code}`, async () => {
      const reply = await ask(asked);
      assert.deepEqual([reply.status, reply.body.code], [status, code]);
      if (message !== undefined) assert.equal(reply.body.message, message);
      assert.equal(reply.body.request_id, reply.headers['x-request-id']);
      assert.equal(reply.body.docs_url, `https://otp.example.com/docs/errors/${code}`);
      assert.equal(reply.headers['link'], `<https://otp.example.com/docs/errors/${code}>; rel="help"`);
      assert.match(String(reply.headers['content-type']), /^application\/json/);
    });
  }

  test('every fault is listed, in the order of the description', async () => {
    const { body: reply } = await ask({ body: { template: { id: 'abc', params: { a: 1 } }, to: 5 } });
    assert.deepEqual(reply.details.fields, [
      { field: 'to', problem: 'must be a string' },
      { field: 'template.id', problem: 'must be at least 4 characters' },
      { field: 'template.params.a', problem: 'must be a string' },
    ]);
    assert.equal(reply.message, 'to: must be a string');
  });

  test('a refusal carries reason, details, Retry-After and further keys, never its cause', async () => {
    const waiting = await ask({ body: { ...valid, to: 'refused' } });
    assert.equal(waiting.headers['retry-after'], '212');
    assert.equal(waiting.body.reason, 'code_still_valid');
    assert.deepEqual(waiting.body.details, { message_id: '7', retry_after: 212 });
    const extra = await ask({ body: { ...valid, to: 'extra' } });
    assert.deepEqual(extra.body.messages, []);
    const down = await ask({ body: { ...valid, to: 'down' } });
    assert.equal(down.headers['retry-after'], '1');
    assert.doesNotMatch(JSON.stringify([extra, down]), /sekret/);
  });

  test('401 names the scheme, 405 the methods', async () => {
    assert.equal((await ask({ auth: undefined })).headers['www-authenticate'], 'Basic realm="otp"');
    assert.equal(
      (await ask({ auth: undefined, path: '/admin/v1/things' })).headers['www-authenticate'],
      'Bearer realm="operator"',
    );
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'HEAD'] as const) {
      const reply = await ask({ method, path: '/v1/%6Dessages/?x=1' });
      assert.deepEqual([reply.status, reply.headers['allow']], [405, 'GET, POST']);
    }
    assert.equal((await ask({ method: 'GET', path: '/v1/messages/7/cancel' })).headers['allow'], 'POST');
  });

  test('one slash at the end is tolerated', async () => {
    assert.equal((await ask({ path: '/v1/messages/' })).status, 200);
    assert.equal((await ask({ path: '/v1/messages/7/cancel/', body: '{}' })).status, 200);
  });

  test('JSON content types of any parameters and suffix are taken, and a body may be missing where the operation says so', async () => {
    for (const type of ['application/json', 'Application/JSON; charset=latin1', 'application/vnd.acme.v1+json;x=y'])
      assert.equal(
        (await ask({ headers: { 'content-type': type, 'content-encoding': 'Identity' } })).status,
        200,
        type,
      );
    assert.deepEqual((await ask({ path: '/v1/messages/7/resend', headers: {}, body: '' })).body, {
      message_id: 'start',
    });
    assert.deepEqual((await ask({ path: '/v1/messages/7/cancel', headers: {}, body: '' })).body, { message_id: '7' });
    assert.equal((await ask({ path: '/v1/messages/7/cancel', body: '{' })).status, 400);
  });

  test('a request id of the right form comes back, any other is replaced', async () => {
    for (const id of ['a', 'trace-1_2.3', 'x'.repeat(64)])
      assert.equal((await ask({ headers: { ...json, 'x-request-id': id } })).headers['x-request-id'], id);
    for (const id of ['', 'a b', 'x'.repeat(65), '"', 'a,b'])
      assert.match(
        String((await ask({ headers: { ...json, 'x-request-id': id } })).headers['x-request-id']),
        /^req_[0-9A-Z]{26}$/,
      );
  });

  test('__proto__ and constructor in a body are unknown fields like any other', async () => {
    const text =
      '{"__proto__":{"to":"x","polluted":1},"constructor":{"prototype":{}},"to":"+1","template":{"id":"abcd","params":{"__proto__":"x","\\u005f_proto__":"y"}}}';
    assert.equal((await ask({ body: text })).status, 200);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.equal(
      (await ask({ body: '{"__proto__":{"to":"x","template":{"id":"abcd"}}}' })).body.message,
      'to: required',
    );
  });

  test('every authenticated answer tells what is left, and what is too much answers 429', async () => {
    const path = '/v1/messages/7/cancel';
    const first = await ask({ auth: slow, path, body: '{}' });
    assert.equal(first.headers['ratelimit-policy'], '"key";q=2;w=60');
    assert.match(String(first.headers['ratelimit']), /^"key";r=1;t=60$/);
    assert.match(String((await ask({ auth: slow, path, body: '{' })).headers['ratelimit']), /^"key";r=0;t=\d+$/);
    const third = await ask({ auth: slow, path, body: '{' });
    assert.deepEqual([third.status, third.body.code, third.body.message], [429, 3004, 'too many requests']);
    assert.ok(Number(third.headers['retry-after']) >= 1 && Number(third.headers['retry-after']) <= 60);
    await database.clock.travel(60_000);
    assert.equal((await ask({ auth: slow, path, body: '{}' })).status, 200);
    assert.match(
      String((await ask({ auth: sendOnly, path: '/v1/verifications' })).headers['ratelimit']),
      /^"key";r=\d+;t=\d+$/,
    );
    assert.equal((await ask({ auth: expired })).headers['ratelimit'], undefined);
  });

  test('a used-up quota answers 429 before the body is read', async () => {
    quotaGone.add('1');
    const reply = await ask({ body: '{' });
    quotaGone.clear();
    assert.deepEqual(
      [reply.status, reply.body.code, reply.body.message, reply.headers['retry-after']],
      [429, 3004, 'quota exceeded', '60'],
    );
  });

  test('health, readiness and the description need no credential', async () => {
    const get = (url: string) => open.door.inject({ method: 'GET', url });
    assert.deepEqual((await get('/healthz')).json(), { status: 'ok' });
    assert.deepEqual((await get('/readyz')).json(), { status: 'ready', checks: { database: 'ok' } });
    const down = openDoor(database, { operations: [], checks: { database: () => Promise.reject(new Error(secret)) } });
    const reply = await down.door.inject({ method: 'GET', url: '/readyz' });
    assert.deepEqual([reply.statusCode, reply.json()], [503, { status: 'not_ready', checks: { database: 'failing' } }]);
    await down.door.close();
    const description = await get('/openapi.json');
    assert.equal(description.headers['content-type'], 'application/json');
    assert.deepEqual(description.json(), JSON.parse(JSON.stringify(open.door.openapi())));
    assert.equal((await get('/healthz/x')).statusCode, 404);
  });

  test('the log has one line per request with the route, and neither target, body, credential nor cause of others', async () => {
    open.lines.length = 0;
    await ask({ path: '/v1/messages/+6598120044/cancel?to=%2B6598120044', body: '{"to":"+6598120044"}' });
    await ask({ path: '/v1/+6598120044', body: '{}' });
    assert.equal(open.lines.length, 2);
    const [first, second] = open.lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      [first.route, first.method, first.status, first.key_id, typeof first.ms, typeof first.request_id],
      ['/v1/messages/{message_id}/cancel', 'POST', 200, '1', 'number', 'string'],
    );
    assert.deepEqual([second.route, second.status, second.code], [null, 404, 4001]);
    assert.doesNotMatch(open.lines.join(''), /6598120044|Z29vZDpzZWNyZXQ/);
    await ask({ body: { ...valid, to: 'bug' } });
    assert.match(open.lines.join(''), /"level":50.*TypeError/);
  });
});
