/** The API description: a valid OpenAPI 3.1 document in which nothing is missing that a reader or a generator needs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { createHealthOperations } from './health.ts';
import { makeOpenApi } from './openapi.ts';
import { defineOperation } from './operation.ts';
import { paramNames } from './paths.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document walked freely
type Any = any;

const rule = z.object({ mode: z.enum(['a', 'b']).default('a').describe('Which.') }).meta({ id: 'Rule' });
const sent = z.object({ message_id: z.string(), expires_at: z.iso.datetime(), rule: rule.optional() });
const operations = [
  defineOperation(
    {
      id: 'sendOtp',
      method: 'POST',
      path: '/v1/messages',
      tag: 'Sending',
      auth: 'key',
      permission: 'send',
      summary: 'Send',
      description: 'Sends.',
      input: { body: z.object({ to: z.union([z.string(), z.array(z.string())]), rule, n: z.int().default(3) }) },
      output: sent,
      errors: [3003, 3004, 4001],
      examples: [
        { name: 'plain send', body: { to: '+1' }, output: { message_id: '1', expires_at: '2026-07-03T00:00:00.000Z' } },
      ],
    },
    () => ({ message_id: '1', expires_at: '' }),
  ),
  defineOperation(
    {
      id: 'listMessages',
      method: 'GET',
      path: '/v1/messages',
      tag: 'Messages',
      auth: 'key',
      permission: 'any',
      summary: 'List',
      input: {
        query: z.object({
          to: z.string(),
          limit: z.coerce.number().int().min(1).max(9).default(2).describe('How many.'),
        }),
      },
      output: z.strictObject({ messages: z.array(sent) }),
      errors: [],
    },
    () => ({ messages: [] }),
  ),
  defineOperation(
    {
      id: 'resend',
      method: 'POST',
      path: '/v1/messages/{message_id}/resend',
      tag: 'Messages',
      auth: 'key',
      permission: 'send',
      summary: 'Resend',
      input: { params: z.object({ message_id: z.string().max(64) }), body: z.object({ rule: rule.optional() }) },
      bodyOptional: true,
      output: sent,
      errors: [4001],
    },
    () => ({ message_id: '1', expires_at: '' }),
  ),
  defineOperation(
    {
      id: 'getThing',
      method: 'GET',
      path: '/admin/v1/things/{id}',
      tag: 'Operator',
      auth: 'operator',
      summary: 'Get',
      input: {},
      output: z.object({}),
      errors: [4001],
    },
    () => ({}),
  ),
  defineOperation(
    {
      id: 'secret',
      method: 'GET',
      path: '/hidden',
      tag: 'x',
      auth: 'none',
      summary: 'x',
      input: {},
      output: z.object({}),
      errors: [],
      hidden: true,
    },
    () => ({}),
  ),
  ...createHealthOperations(
    async () => ({ status: 'ready', checks: {} }),
    () => '{}',
  ),
];

describe('the API description', () => {
  const document: Any = makeOpenApi(operations, 'https://otp.example.com');
  const text = JSON.stringify(document);
  const all: { path: string; method: string; operation: Any }[] = Object.entries<Any>(document.paths).flatMap(
    ([path, item]) => Object.entries<Any>(item).map(([method, operation]) => ({ path, method, operation })),
  );

  const follow = (node: Any): Any =>
    node.$ref === undefined ? node : document.components.responses[node.$ref.replace('#/components/responses/', '')];

  test('is OpenAPI 3.1.0 of this server, with every shown operation once', () => {
    assert.equal(document.openapi, '3.1.0');
    assert.deepEqual(document.servers, [{ url: 'https://otp.example.com' }]);
    assert.match(document.info.version, /^\d+\.\d+\.\d+/);
    const ids = all.map(({ operation }) => operation.operationId);
    assert.deepEqual(ids.toSorted(), [
      'getHealth',
      'getOpenApi',
      'getReadiness',
      'getThing',
      'listMessages',
      'resend',
      'sendOtp',
    ]);
    const tags = new Set(document.tags.map(({ name }: Any) => name));
    for (const { operation } of all)
      assert.ok(operation.tags.every((tag: string) => tags.has(tag)) && operation.summary !== '');
  });

  test('every reference leads somewhere', () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target ?? '');
    assert.ok(references.length > 20);
    for (const reference of references) {
      const parts = reference.replace(/^#\//, '').split('/');
      assert.ok(parts.reduce<Any>((node, part) => node?.[part], document) !== undefined, reference);
    }
    for (const schema of Object.keys(document.components.schemas))
      assert.ok(text.includes(`#/components/schemas/${schema}`), schema);
  });

  test('every operation declares its path parameters, its success and its errors, each error with examples', () => {
    for (const { path, operation } of all) {
      const inPath = operation.parameters.filter((parameter: Any) => parameter.in === 'path');
      assert.deepEqual(
        inPath.map(({ name }: Any) => name),
        paramNames(path),
      );
      assert.ok(inPath.every(({ required, schema }: Any) => required === true && schema.type === 'string'));
      assert.ok(operation.responses['200'].content, path);
      const failures = Object.entries<Any>(operation.responses).filter(([status]) => status !== '200');
      assert.ok(
        failures.some(([status]) => status === '500'),
        path,
      );
      for (const [status, either] of failures) {
        const response = follow(either);
        assert.ok(response.description !== '' && response.headers['X-Request-Id'], status);
        const content = response.content['application/json'];
        assert.deepEqual(content.schema, { $ref: '#/components/schemas/Error' });
        for (const { value } of Object.values<Any>(content.examples))
          assert.ok(Number.isInteger(value.code) && value.message !== '');
      }
    }
  });

  test('statuses, security, headers and parameters follow from the form of the operation', () => {
    const { post, get } = document.paths['/v1/messages'];
    assert.deepEqual(Object.keys(post.responses), [
      '200',
      '400',
      '401',
      '403',
      '409',
      '413',
      '422',
      '429',
      '500',
      '503',
    ]);
    assert.deepEqual(Object.keys(get.responses), ['200', '400', '401', '403', '413', '429', '500', '503']);
    assert.deepEqual(
      [post.security, document.paths['/admin/v1/things/{id}'].get.security],
      [[{ apiKey: [] }, { apiKeyBearer: [] }], [{ operator: [] }]],
    );
    assert.deepEqual(document.paths['/healthz'].get.security, []);
    assert.ok(document.paths['/admin/v1/things/{id}'].get.responses['404']);
    assert.ok(follow(post.responses['429']).headers['Retry-After'] && post.responses['400'].headers['Retry-After']);
    assert.ok(follow(post.responses['401']).headers['WWW-Authenticate'] && post.responses['200'].headers['RateLimit']);
    assert.ok(post.parameters.some((parameter: Any) => parameter.$ref === '#/components/parameters/IdempotencyKey'));
    assert.ok(!get.parameters.some((parameter: Any) => parameter.$ref === '#/components/parameters/IdempotencyKey'));
    assert.match(post.description, /Sends\.\n\nNeeds the permission `send`\./);
    assert.deepEqual(
      [post.requestBody.required, document.paths['/v1/messages/{message_id}/resend'].post.requestBody.required],
      [true, false],
    );
  });

  test('requests keep defaults optional, replies stay open, times and named parts are plain', () => {
    const { post, get } = document.paths['/v1/messages'];
    const body = post.requestBody.content['application/json'];
    assert.deepEqual(body.schema.required, ['to', 'rule']);
    assert.deepEqual(body.schema.properties.rule, { $ref: '#/components/schemas/Rule' });
    assert.deepEqual(body.examples.plain_send.value, { to: '+1' });
    assert.deepEqual(document.components.schemas.Rule.properties.mode, {
      type: 'string',
      enum: ['a', 'b'],
      default: 'a',
      description: 'Which.',
    });
    assert.doesNotMatch(text, /"additionalProperties":false|\$defs|\$schema/);
    const item = get.responses['200'].content['application/json'].schema.properties.messages.items;
    assert.deepEqual([item.properties.expires_at.type, item.properties.expires_at.format], ['string', 'date-time']);
    const [to, limit] = get.parameters;
    assert.equal(to.description, 'Only those to this recipient.');
    assert.deepEqual(
      { ...to, description: '' },
      { name: 'to', in: 'query', required: true, description: '', schema: { type: 'string' } },
    );
    assert.deepEqual(limit, {
      name: 'limit',
      in: 'query',
      required: false,
      description: 'How many.',
      schema: { type: 'integer', format: 'int32', minimum: 1, maximum: 9, default: 2 },
    });
  });

  test('callbacks are webhooks with headers, answers and examples, and without any there is no such section', () => {
    assert.equal('webhooks' in document || 'WebhookId' in document.components.parameters, false);
    const body = z.object({ total: z.int(), rule });
    const webhook = {
      id: 'told',
      summary: 'Told',
      description: 'Tells.',
      body,
      examples: [{ name: 'a', value: { total: 1 } }],
    };
    const told: Any = makeOpenApi(operations, 'https://otp.example.com', [webhook]);
    assert.deepEqual(Object.keys(told.webhooks), ['told']);
    const { post } = told.webhooks.told;
    assert.deepEqual([post.operationId, post.security, post.tags], ['told', [], ['Callbacks']]);
    assert.ok(told.tags.some(({ name }: Any) => name === 'Callbacks'));
    const names = post.parameters.map(({ $ref }: Any) => told.components.parameters[$ref.split('/').pop()].name);
    assert.deepEqual(names, ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'X-CALLBACK-ID']);
    const content = post.requestBody.content['application/json'];
    assert.deepEqual(content.schema.properties.rule, { $ref: '#/components/schemas/Rule' });
    assert.deepEqual(content.examples, { a: { summary: 'a', value: { total: 1 } } });
    assert.deepEqual(Object.keys(post.responses), ['410', '429', '2XX', 'default']);
  });

  test('two schemas of one name are refused', () => {
    const make = (id: string, part: z.ZodType) =>
      defineOperation(
        {
          id,
          method: 'GET',
          path: `/${id}`,
          tag: 'x',
          auth: 'none',
          summary: 'x',
          input: {},
          errors: [],
          output: z.object({ part }),
        },
        () => ({ part: {} }),
      );
    assert.throws(() => {
      const one = make('one', z.object({ a: z.string() }).meta({ id: 'Same' }));
      return makeOpenApi([one, make('two', z.object({ b: z.string() }).meta({ id: 'Same' }))], 'http://x');
    }, /Same/);
  });
});
