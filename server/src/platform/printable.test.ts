import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable } from './printable.ts';

test('controls are gone, line feeds and tabs stay', () => {
  assert.equal(printable('a\0b\x07c\x1b[31md\r\n\te\x7f\x80\x9bf', 100), 'abc[31md\n\tef');
});

test('nothing is left that turns the direction of reading around or breaks lines unseen', () => {
  const marks = '\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff';
  assert.equal(printable(`acc${marks}ess`, 100), 'access');
  assert.equal(
    printable('שלום, café 好 👩‍👧', 100),
    'שלום, café 好 👩‍👧',
    'writing of every direction, and joined emoji',
  );
});

test('it is cut between characters, at the last that fits', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 9, 10].map((maxBytes) => printable('aé好😀', maxBytes)),
    ['', 'a', 'a', 'aé', 'aé', 'aé', 'aé好', 'aé好', 'aé好😀'],
  );
  assert.equal(printable('\ud800x', 100), '\ufffdx');
});

test('for any text: within the bytes, valid UTF-8, and the same when done twice', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(80), (text, maxBytes) => {
      const shown = printable(text, maxBytes);
      assert.ok(Buffer.byteLength(shown) <= maxBytes && shown.isWellFormed());
      assert.equal(printable(shown, maxBytes), shown);
      assert.doesNotMatch(shown, /[^\P{Cc}\n\t]/u);
    }),
  );
});
