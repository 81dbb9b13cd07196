import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isGsm, segment } from './segments.ts';

const of = (text: string): [string, number, number] => {
  const { encoding, length, segments } = segment(text);
  return [encoding, length, segments];
};
const a = (n: number): string => 'a'.repeat(n);
const hao = (n: number): string => '好'.repeat(n);

test('the contract’s vectors hold', () => {
  assert.deepEqual(of(a(160)), ['GSM-7', 160, 1]);
  assert.deepEqual(of(a(161)), ['GSM-7', 161, 2]);
  assert.deepEqual(of(`${a(158)}€`), ['GSM-7', 160, 1]);
  assert.deepEqual(of(`${a(159)}{`), ['GSM-7', 161, 2]);
  assert.deepEqual(of(`${a(152)}€${a(152)}`), ['GSM-7', 306, 3]);
  assert.deepEqual(of(`${hao(66)}😀${hao(66)}`), ['UCS-2', 134, 3]);
  assert.deepEqual(of(hao(70)), ['UCS-2', 70, 1]);
  assert.deepEqual(of(hao(71)), ['UCS-2', 71, 2]);
  assert.deepEqual(of('ça va'), ['UCS-2', 5, 1]);
  assert.deepEqual(of('Ça va'), ['GSM-7', 5, 1]);
  assert.deepEqual(of(''), ['GSM-7', 0, 1]);
});

test('every character of GSM 03.38 is known, a form feed and a back tick are not', () => {
  assert.equal(of('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà')[0], 'GSM-7');
  assert.deepEqual(of('^{}\\[~]|€'), ['GSM-7', 18, 1]);
  assert.equal(of('\f')[0], 'UCS-2');
  assert.equal(of('`')[0], 'UCS-2');
});

const character = fc.constantFrom('a', '€', '{', '好', '😀', 'é', '\n');
const gsmCharacter = fc.constantFrom('a', '€', '{', 'é', '\n');

test('parts join to the text, never split a pair, never exceed the limit, and none but the last has room for the next character', () => {
  const texts = fc.oneof(
    fc.array(gsmCharacter, { maxLength: 500 }),
    fc.array(character, { maxLength: 300 }),
    fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 200 }),
  );
  fc.assert(
    fc.property(
      texts.map((all) => all.join('')),
      (text) => {
        const { encoding, length, segments, parts } = segment(text);
        const gsm = encoding === 'GSM-7';
        assert.equal(gsm, [...text].every(isGsm));
        const size = (part: string): number =>
          gsm ? part.length + part.replace(/[^^{}\\[~\]|€]/g, '').length : part.length;
        assert.equal(length, size(text));
        assert.equal(parts.join(''), text);
        assert.equal(parts.length, segments);
        assert.equal(segments === 1, length <= (gsm ? 160 : 70));
        if (segments === 1) return;
        const limit = gsm ? 153 : 67;
        for (const [i, part] of parts.entries()) {
          assert.ok(size(part) <= limit);
          const next = parts[i + 1];
          if (next === undefined) continue;
          assert.ok(size(part) + size([...next][0] ?? '') > limit, 'a part is left with room');
          assert.ok(text.isWellFormed() === false || part.isWellFormed(), 'a surrogate pair is split');
        }
      },
    ),
  );
});
