/** Every field of the description is told, and what is told of replies is true of schemas that say nothing themselves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { withWords, wordsFor } from './field-words.ts';
import type { Json } from './openapi-schemas.ts';
import { wordsAsking } from './words-asking.ts';
import { wordsOperating } from './words-operating.ts';
import { wordsSending } from './words-sending.ts';

const fieldsOf = (schema: Json): Record<string, Json> => schema['properties'] as Record<string, Json>;

test('a word below its field comes before one for its type, and that before the plain one', () => {
  const mode = { type: 'string', enum: ['rotate'] };
  assert.match(wordsFor('mode', mode, 'resend') ?? '', /sent again/);
  assert.match(wordsFor('mode', mode, 'rules') ?? '', /^enforce/);
  assert.match(wordsFor('code', { type: 'string' }) ?? '', /person types/);
  assert.match(wordsFor('code', { type: 'integer' }) ?? '', /stable code/);
  assert.equal(wordsFor('nothing_is_called_this', { type: 'string' }), undefined);
});

test('what a schema says itself stays', () => {
  const { to, limit } = fieldsOf(
    withWords(
      {
        type: 'object',
        properties: {
          to: { type: 'string', maxLength: 3, description: 'Own.' },
          limit: { type: 'integer', minimum: 2 },
        },
      },
      'reply',
    ),
  );
  assert.deepEqual(to, { type: 'string', maxLength: 3, description: 'Own.' });
  assert.deepEqual([limit?.['minimum'], limit?.['format']], [2, 'int64']);
});

test('what may be null has one type more, and keeps its choices', () => {
  const told = withWords(
    { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }], description: 'Text.' },
    'request',
  );
  assert.deepEqual(told, { type: ['string', 'null'], enum: ['a', null], description: 'Text.' });
  const two = { anyOf: [{ type: 'string' }, { type: 'object' }, { type: 'null' }] };
  assert.deepEqual(withWords(two, 'request'), two);
  const reference = { anyOf: [{ $ref: '#/components/schemas/Rule' }, { type: 'null' }] };
  assert.deepEqual(withWords(reference, 'request'), reference);
});

test('numbers that may be large are not cut by 32-bit programs', () => {
  const format = (schema: Json): unknown => withWords(schema, 'request')['format'];
  assert.equal(format({ type: 'integer', minimum: 1, maximum: 100 }), 'int32');
  assert.equal(format({ type: 'integer', minimum: 0, maximum: 1e12 }), 'int64');
  assert.equal(format({ type: 'integer' }), 'int64');
  assert.equal(format({ type: 'number' }), 'double');
});

test('bounds that follow from a name are told of replies alone, and never of what may be less than nothing', () => {
  const schema: Json = {
    type: 'object',
    properties: { made_at: { type: 'string' }, n: { type: 'integer' }, amount_micros: { type: 'integer' } },
  };
  const [reply, request] = [fieldsOf(withWords(schema, 'reply')), fieldsOf(withWords(schema, 'request'))];
  assert.deepEqual([reply['made_at']?.['format'], reply['n']?.['minimum']], ['date-time', 0]);
  assert.equal(reply['amount_micros']?.['minimum'], undefined);
  assert.deepEqual([request['made_at']?.['format'], request['n']?.['minimum']], [undefined, undefined]);
});

test('a name is told once', () => {
  const twice = Object.keys(wordsSending).filter((name) => name in wordsOperating);
  assert.deepEqual(twice, []);
});

describe('the published description', () => {
  const description = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
  const told = new Set<unknown>();
  const untold: string[] = [];
  const look = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, description: text } = node as { properties?: Record<string, Json>; description?: unknown };
    told.add(text);
    for (const [name, field] of Object.entries(properties ?? {}))
      if (!('description' in field || '$ref' in field)) untold.push(`${path}.${name}`);
    for (const [key, part] of Object.entries(node)) if (!/^examples?$/.test(key)) look(part, `${path}/${key}`);
  };
  look(description, '');

  test('has a sentence for every field', () => assert.deepEqual(untold, []));

  test('uses every word', () => {
    const all = Object.entries({ ...wordsAsking, ...wordsOperating, ...wordsSending });
    const unused = all.filter(([, text]) => !told.has(text)).map(([name]) => name);
    assert.deepEqual(unused, []);
  });
});
