import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyring, hmac } from '../platform/seal.ts';
import { alphabetOf, drawCode, hashCode, mixesCase, normaliseCode } from './code.ts';

test('the alphabet follows the bits of the type and leaves ambiguous characters out once letters take part', () => {
  assert.equal(alphabetOf(1), '0123456789');
  assert.equal(alphabetOf(2), 'abcdefghijkmnpqrstuvwxyz');
  assert.equal(alphabetOf(3), '23456789abcdefghijkmnpqrstuvwxyz');
  assert.equal(alphabetOf(4), 'ABCDEFGHJKLMNPQRSTUVWXYZ');
  assert.equal(alphabetOf(7).length, 8 + 24 + 24);
});

test('a code has the asked length and only characters of its alphabet, for every type and length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 4, max: 10 }), (type, length) => {
      const code = drawCode(type, length);
      return code.length === length && [...code].every((character) => alphabetOf(type).includes(character));
    }),
  );
});

test('every digit is drawn equally often: chi-square of 60,000 digits stays below the 0.001 % point', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 10_000; i++) for (const digit of drawCode(1, 6)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 6000) ** 2 / 6000, 0);
  assert.equal(counts.size, 10);
  // 9 degrees of freedom; a draw of byte % 10 would give about 140 here.
  assert.ok(chiSquare < 39.3, `chi-square ${chiSquare}`);
});

test('case is folded unless the type mixes cases; white space is trimmed at the ends alone', () => {
  assert.equal(normaliseCode(' 482913\u00a0', mixesCase(1)), '482913');
  assert.equal(normaliseCode('482 913', mixesCase(1)), '482 913');
  assert.equal(normaliseCode('AB3D', mixesCase(3)), 'ab3d');
  assert.equal(normaliseCode('AB3D', mixesCase(5)), 'ab3d');
  assert.equal(normaliseCode('aB3d', mixesCase(7)), 'aB3d');
});

test('the stored form is the keyed HMAC of the contract', () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  assert.equal(
    hmac(key, '2072832692843466759:482913').toString('hex'),
    '06f06959aab42b31455804514dbb5a648b6dbccc89632ef13e30d668c2237774',
  );
  const one = createKeyring(key);
  const other = createKeyring(Buffer.alloc(32, 7));
  assert.deepEqual(hashCode(one, '1', ' AB3D ', false), hashCode(one, '1', 'ab3d', false));
  assert.notDeepEqual(hashCode(one, '1', 'ab3d', false), hashCode(one, '2', 'ab3d', false));
  assert.notDeepEqual(hashCode(one, '1', 'ab3d', false), hashCode(other, '1', 'ab3d', false));
});
