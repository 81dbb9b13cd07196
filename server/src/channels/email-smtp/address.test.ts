import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress, parseDomain } from './address.ts';

test('an address keeps its local part, and its domain becomes A-labels', () => {
  const cases = [
    ['ana@example.com', 'ana@example.com', false],
    ["O'Brien+tag=1@EXAMPLE.com", "O'Brien+tag=1@example.com", false],
    ['ana@bücher.example', 'ana@xn--bcher-kva.example', false],
    ['jörg@example.com', 'jörg@example.com', true],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v', true],
  ] as const;
  for (const [given, text, needsUtf8] of cases) {
    const address = parseAddress(given);
    assert.deepEqual([address?.text, address?.needsUtf8], [text, needsUtf8]);
  }
});

test('what SMTP cannot carry is no address', () => {
  const tooLong = [`${'a'.repeat(65)}@example.com`, `${'ö'.repeat(33)}@example.com`, `a@${'b'.repeat(64)}.example`];
  const domains = [
    '',
    '.',
    'a..b',
    '-a.example',
    'a-.example',
    'a b',
    'a/b',
    'a:25',
    '[127.0.0.1]',
    'a%2eb',
    'a,b',
    'a>b',
  ];
  const locals = ['', '.a', 'a.', 'a..b', 'a b', 'a"b', '<a', 'a>', 'a,b', 'a;b', 'a:b', 'a\\b', 'a@b', 'a(b)'];
  const bad = [...tooLong, 'ana', ...domains.map((one) => `ana@${one}`), ...locals.map((one) => `${one}@example.com`)];
  for (const address of bad) assert.equal(parseAddress(address), null, address);
  assert.equal(parseDomain(`${'a.'.repeat(128)}example`), null);
});

test('no address that passes can end or split a command, whatever it was made of', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }),
      (one, two) => {
        for (const text of [`${one}@${two}`, `a${one}@example.com`, `a@b${two}.example`]) {
          const address = parseAddress(text);
          if (address) assert.match(address.text, /^[^\s\p{Cc}<>,;:"\\]+@[a-z0-9.-]+$/u);
        }
      },
    ),
  );
});
