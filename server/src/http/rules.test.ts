/** The pure rules of the front door: fault texts, throttle windows, known paths, addresses, readiness. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { plainAddress } from './client-address.ts';
import { faultsOf, faultTexts } from './faults.ts';
import { createHealthOperations, createReadiness } from './health.ts';
import { Answer, type Call } from './operation.ts';
import { createPathTable, toRoutePath } from './paths.ts';
import { createThrottle, isOver, policyHeader, rateHeader, secondsToReset } from './throttle.ts';

describe('faults', () => {
  const problem = (schema: z.ZodType, value: unknown): string[] => {
    const parsed = schema.safeParse(value, faultTexts);
    return faultsOf(parsed.error?.issues ?? [], 'body').map((fault) => `${fault.field}: ${fault.problem}`);
  };
  const one = (schema: z.ZodType, value: unknown): string | undefined =>
    problem(z.object({ x: schema }), { x: value })[0];

  const table: [schema: z.ZodType, value: unknown, text: string][] = [
    [z.string(), undefined, 'x: required'],
    [z.union([z.string(), z.array(z.string())]), undefined, 'x: required'],
    [z.enum(['a', 'b']), undefined, 'x: required'],
    [z.string(), null, 'x: must be a string'],
    [z.int(), 1.5, 'x: must be a whole number'],
    [z.number(), '1', 'x: must be a number'],
    [z.coerce.number(), 'one', 'x: must be a number'],
    [z.boolean(), 1, 'x: must be true or false'],
    [z.object({}), [], 'x: must be an object'],
    [z.record(z.string(), z.string()), 'a', 'x: must be an object'],
    [z.array(z.string()), {}, 'x: must be an array'],
    [z.enum(['a', 'b']), 'c', 'x: must be one of a, b'],
    [z.literal('a'), 'c', 'x: must be a'],
    [z.string().min(4), 'abc', 'x: must be at least 4 characters'],
    [z.string().min(1), '', 'x: must be at least 1 character'],
    [z.string().max(2), 'abc', 'x: must be at most 2 characters'],
    [z.array(z.string()).max(1), ['a', 'b'], 'x: must have at most 1 entry'],
    [z.number().min(5), 4, 'x: must be at least 5'],
    [z.number().lt(5), 5, 'x: must be less than 5'],
    [z.email(), 'a', 'x: must be an e-mail address'],
    [z.iso.datetime(), 'a', 'x: must be an RFC 3339 time in UTC'],
    [z.string().regex(/^a/), 'b', 'x: has a form that is not allowed'],
    [z.string().regex(/^a/, 'must begin with a'), 'b', 'x: must begin with a'],
    [z.string().refine(() => false, 'not today'), 'b', 'x: not today'],
    [z.union([z.string(), z.array(z.string())]), 5, 'x: must be a string or an array'],
    [z.union([z.string(), z.array(z.string())]), ['a', 'b', 'c', 7], 'x[3]: must be a string'],
    [z.union([z.string().min(2), z.array(z.string())]), 'a', 'x: must be at least 2 characters'],
    [z.array(z.object({ y: z.string() })), [{ y: 'a' }, {}], 'x[1].y: required'],
  ];
  for (const [schema, value, text] of table) {
    test(`${JSON.stringify(value)} gives "${text}" (${table.findIndex(([each]) => each === schema)})`, () => {
      assert.equal(one(schema, value), text);
    });
  }

  test('the value itself is called body, long names are cut, and the list ends at a hundred', () => {
    assert.deepEqual(problem(z.object({}), 7), ['body: must be an object']);
    const name = 'n'.repeat(500);
    assert.deepEqual(problem(z.record(z.string(), z.string()), { [name]: 1 }), [
      `${'n'.repeat(64)}…: must be a string`,
    ]);
    assert.equal(
      problem(
        z.array(z.string()),
        Array.from({ length: 5_000 }, () => 1),
      ).length,
      100,
    );
  });
});

test('a throttle window begins with the first request, ends after a minute and follows a changed limit', () => {
  let now = 1_000_000;
  const throttle = createThrottle({ now: () => now });
  const first = throttle.take('a', 2);
  assert.deepEqual([policyHeader(first), rateHeader(first, now)], ['"key";q=2;w=60', '"key";r=1;t=60']);
  now += 18_500;
  assert.ok(!isOver(throttle.take('a', 2)));
  const third = throttle.take('a', 2);
  assert.deepEqual([isOver(third), secondsToReset(third, now), rateHeader(third, now)], [true, 42, '"key";r=0;t=42']);
  assert.ok(!isOver(throttle.take('b', 2)));
  assert.ok(!isOver(throttle.take('a', 10)));
  now += 41_499;
  assert.ok(isOver(throttle.take('a', 2)));
  now += 1;
  assert.ok(!isOver(throttle.take('a', 2)));
  now -= 3_600_000;
  assert.ok(!isOver(throttle.take('a', 1)));
});

test('paths are known with their methods, decoded and with one slash at the end', () => {
  const table = createPathTable([
    { method: 'POST', path: '/v1/messages' },
    { method: 'GET', path: '/v1/messages' },
    { method: 'DELETE', path: '/v1/messages/{id}' },
  ]);
  for (const known of ['/v1/messages', '/v1/messages/', '/v1/messages?x=/', '/v1/%6Dessages', 'http://x/v1/messages'])
    assert.equal(table.methodsOf(known), 'GET, POST', known);
  assert.equal(table.methodsOf('/v1/messages/7'), 'DELETE');
  for (const unknown of ['/', '*', '', '/v1', '/v1/messages//', '/v1/messages/7/8', '/v1/Messages', '/v1/%zz'])
    assert.equal(table.methodsOf(unknown), undefined, unknown);
  assert.equal(toRoutePath('/v1/{a}/b:c/{d_e}'), '/v1/:a/b::c/:d_e');
});

test('addresses lose their port and the mapped form; what is none is not one', () => {
  const table = {
    '192.0.2.1': '192.0.2.1',
    '192.0.2.1:80': '192.0.2.1',
    '::1': '::1',
    '[::1]:80': '::1',
    '[::1]': '::1',
    '::ffff:192.0.2.1': '192.0.2.1',
  };
  for (const [text, address] of Object.entries(table)) assert.equal(plainAddress(text), address);
  for (const text of ['', 'unknown', '192.0.2.256', '192.0.2.1:x', '[x]:1', undefined])
    assert.equal(plainAddress(text), undefined);
});

describe('readiness', () => {
  const call = {} as Call<unknown, unknown, unknown>;
  function ready(checks: Record<string, () => Promise<void>>, closing = false): Promise<unknown> {
    const operations = createHealthOperations(createReadiness({ checks, isClosing: () => closing }), () => '');
    const found = operations.find(({ spec }) => spec.id === 'getReadiness');
    return Promise.resolve(found?.handle(call));
  }

  test('is the sum of its checks, each within its second', async (t) => {
    assert.deepEqual(await ready({ database: async () => undefined }), { status: 'ready', checks: { database: 'ok' } });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const answer = ready({
      database: () => Promise.reject(new Error('postgres://secret')),
      slow: () => new Promise(() => undefined),
    });
    t.mock.timers.tick(1_000);
    assert.deepEqual(
      await answer,
      new Answer(503, { status: 'not_ready', checks: { database: 'failing', slow: 'failing' } }),
    );
  });

  test('ends with the server, without asking anybody', async () => {
    const never = (): Promise<void> => assert.fail('asked');
    assert.deepEqual(
      await ready({ database: never }, true),
      new Answer(503, { status: 'not_ready', checks: { server: 'stopping' } }),
    );
  });
});
