import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentOf, isPointer, parseJson, textOf, valueAt } from './pointer.ts';

test('a pointer leads where RFC 6901 says', () => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, ' ': 7, 'm~n': 8, '~1': 9 };
  const cases: [pointer: string, value: unknown][] = [
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/~01', 9],
    ['/foo/2', undefined],
    ['/foo/-', undefined],
    ['/foo/00', undefined],
    ['/foo/length', undefined],
    ['/foo/0/0', undefined],
    ['/none/x', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
  ];
  for (const [pointer, value] of cases) assert.deepEqual(valueAt(pointer, document), value, pointer);
  assert.deepEqual(['', '/a', '/a~1b', '/', 'a', '/a~2', '/~'].map(isPointer), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a number of any length keeps its digits', () => {
  const document = parseJson('{"id":2072832692843466759,"n":[1.50,-0,1e400],"s":"x","b":true,"z":null}');
  assert.deepEqual(document, { id: '2072832692843466759', n: ['1.50', '-0', '1e400'], s: 'x', b: true, z: null });
});

test('what is no JSON, or nested without end, is nothing', () => {
  for (const text of ['', '{', 'OK id=1', '['.repeat(60_000)]) assert.equal(parseJson(text), undefined);
});

test('one value is text; lists, objects, null and blanks are not', () => {
  assert.deepEqual([' a ', true, false].map(textOf), ['a', 'true', 'false']);
  for (const none of ['', ' ', null, undefined, {}, ['a']]) assert.equal(textOf(none), null);
});

test('a field that comes more than once is a list', () => {
  assert.deepEqual(
    documentOf(new URLSearchParams('a=1&b=2&a=3&__proto__=x')),
    Object.fromEntries([
      ['a', ['1', '3']],
      ['b', '2'],
      ['__proto__', 'x'],
    ]),
  );
});
