import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBreaking } from './check-breaking.mjs';
import { tempTree } from './temp-tree.mjs';

/** Each operation is there for one change, so that one comparison shows all of them. */
const json = (schema) => ({ content: { 'application/json': { schema } } });
const object = (required, properties) => ({ type: 'object', required, properties });
const operation = (
  id,
  { body = object([], { a: { type: 'string' } }), reply = object(['b'], { b: { type: 'string' } }) } = {},
) => ({
  post: {
    operationId: id,
    parameters: [{ name: 'kind', in: 'query', schema: { type: 'string', enum: ['x', 'y'] } }],
    requestBody: json(body),
    responses: { 200: { description: 'Done.', ...json(reply) } },
  },
});
const description = (paths) => ({ openapi: '3.1.0', info: { title: 'T', version: '1.0.0' }, paths });

const released = description({
  '/removed': operation('removed'),
  '/removed-field': operation('removedField'),
  '/new-demand': operation('newDemand'),
  '/narrowed': operation('narrowed'),
  '/type': operation('type'),
  '/same': operation('same'),
});
const narrowed = operation('narrowed');
narrowed.post.parameters[0].schema.enum.pop();
const broken = description({
  '/removed-field': operation('removedField', { reply: object([], {}) }),
  '/new-demand': operation('newDemand', { body: object(['a'], { a: { type: 'string' } }) }),
  '/narrowed': narrowed,
  '/type': operation('type', { reply: object(['b'], { b: { type: 'integer' } }) }),
  '/same': operation('same'),
});

const widened = operation('narrowed');
widened.post.parameters[0].schema.enum.push('z');
widened.post.parameters.push({ name: 'more', in: 'query', schema: { type: 'string' } });
const grown = description({
  ...released.paths,
  '/added': operation('added'),
  '/narrowed': widened,
  '/removed-field': operation('removedField', {
    reply: object(['b', 'c'], { b: { type: 'string' }, c: { type: 'string' } }),
  }),
  '/new-demand': operation('newDemand', { body: object([], { a: { type: 'string' }, d: { type: 'string' } }) }),
});

test('a description compared with the released one', async (t) => {
  const texts = Object.entries({ released, broken, grown }).map(([name, value]) => [
    `${name}.json`,
    JSON.stringify(value),
  ]);
  const folder = tempTree(t, Object.fromEntries(texts));
  const compare = (name) => findBreaking(join(folder, 'released.json'), join(folder, `${name}.json`));
  const [worse, better] = await Promise.all([compare('broken'), compare('grown')]);

  for (const [what, path, rule] of [
    ['a removed operation', '/removed', /\((path|operation)-removed\)/],
    ['a removed field of a reply', '/removed-field', /\(property-removed\)/],
    ['a new demand on requests', '/new-demand', /\(required-properties-added\)/],
    ['an enum with fewer values', '/narrowed', /\(enum-values-removed\)/],
    ['another type', '/type', /\(schema-type-changed\)/],
  ])
    await t.test(`${what} breaks clients`, () => {
      const own = worse.breaking.filter(
        (sentence) => sentence.split(' ')[0].replace(/\/post\/.*/, '') === `#/paths/${path}`,
      );
      assert.ok(
        own.some((sentence) => rule.test(sentence)),
        worse.breaking.join('\n'),
      );
    });

  await t.test('what stays the same does not', () => {
    const same = worse.breaking.filter((sentence) => sentence.includes('/same'));
    assert.deepEqual(same, []);
  });

  await t.test('additions do not: operations, parameters, fields, values', () => {
    assert.deepEqual(better.breaking, []);
    assert.ok(better.count >= 5, String(better.count));
  });
});
