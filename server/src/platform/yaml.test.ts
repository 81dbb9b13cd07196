/** Read back by the libraries readers use, every value is what it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { toYaml } from './yaml.ts';

const readBack = (value: unknown): unknown[] => [
  parse(toYaml(value), { version: '1.2' }),
  parse(toYaml(value), { version: '1.1' }),
];

test('lists and objects nest in block style, bare where that is safe', () => {
  assert.equal(
    toYaml({ openapi: '3.1.0', tags: [{ name: 'One two', list: [] }], deep: [[1, 2], [{}]], 'a: b': null }),
    'openapi: "3.1.0"\ntags:\n  - name: One two\n    list: []\ndeep:\n  - - 1\n    - 2\n  - - {}\n"a: b": null\n',
  );
});

test('text that looks like something else stays text, in YAML 1.1 and 1.2', () => {
  const tricky = [
    ...[
      '',
      ' ',
      'no',
      'On',
      'NULL',
      '~',
      'y',
      '1',
      '1.5',
      '0x1f',
      '1e3',
      '12:30',
      '2026-01-01',
      '.inf',
      '<<',
      '=',
      '---',
      '...',
    ],
    ...[
      'a: b',
      'a #b',
      '- a',
      '? a',
      '!tag',
      '&a',
      '*a',
      '@a',
      '`a`',
      '%a',
      '{a',
      '[a',
      "'a'",
      '"a"',
      'a\nb',
      ' a',
      'a ',
      '\t',
      '\u0085',
      '😀',
    ],
    ...['$ref', '#/components/schemas/Error', '$inputs.code', '/v1/messages/{message_id}', 'Don’t', "it's"],
  ];
  const value = { list: tricky, keys: Object.fromEntries(tricky.map((text) => [text, text])) };
  for (const read of readBack(value)) assert.deepEqual(read, value);
});

test('any JSON value comes back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      // JSON has one zero.
      const plain: unknown = JSON.parse(JSON.stringify(value));
      for (const read of readBack(plain)) assert.deepEqual(read, plain);
    }),
  );
});

test('what JSON does not know is refused', () => {
  for (const value of [Number.NaN, [Infinity], { a: () => 1 }, 1n]) assert.throws(() => toYaml(value), TypeError);
});
