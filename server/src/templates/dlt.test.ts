import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dltDifference } from './dlt.ts';

const brief = (text: string, registered: string): string => {
  const found = dltDifference(text, registered);
  return found === null
    ? 'matches'
    : `${found.position} ${found.found ?? 'end'} / ${found.registeredPosition} ${found.expected ?? 'end'}`;
};

test('a value is any 1 to 30 characters; everything else is the registered text to the letter', () => {
  const cases: [text: string, registered: string, expected: string][] = [
    ['482913 is your code.', '{#var#} is your code.', 'matches'],
    ['x'.repeat(30), '{#var#}', 'matches'],
    ['x'.repeat(60), '{#var#}{#var#}', 'matches'],
    ['👍🏽 is é', '{#var#} is é', 'matches'],
    ['a b c is d', '{#var#} is {#var#}', 'matches'],
    ['', '', 'matches'],
    ['abc', 'abc', 'matches'],
    ['', '{#var#}', '1 end / 1 {#var#}'],
    ['x'.repeat(31), '{#var#}', '31 x / 8 end'],
    ['xx', '{#var#}{#var#}{#var#}', '3 end / 15 {#var#}'],
    ['abc', 'abd', '3 c / 3 d'],
    ['abc', 'ab', '3 c / 3 end'],
    ['ab', 'abc', '3 end / 3 c'],
    ['Abc', 'abc', '1 A / 1 a'],
    ['abc ', 'abc', '4   / 4 end'],
    ['e\u0301', '\u00e9', '1 e / 1 \u00e9'],
    ['482913 is your code', '{#var#} is your code.', '20 end / 21 .'],
    ['482913 is your code!', '{#var#} is your code.', '20 ! / 21 .'],
    ['482913 is 5 min!', '{#var#} is {#var#}.', '16 ! / 19 .'],
    ['482913 ist your code.', '{#var#} is your code.', '10 t / 11  '],
    ['👍 a', '{#var#} b', '3 a / 9 b'],
    ['{#VAR#}', '{#VAR#}x', '8 end / 8 x'],
  ];
  for (const [text, registered, expected] of cases)
    assert.equal(brief(text, registered), expected, `${text} | ${registered}`);
});

const letters = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '.', 'é', '👍'), maxLength: 12 });
const value = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '👍'), minLength: 1, maxLength: 30 });

test('every filling of a registered text matches it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(letters, value), { maxLength: 5 }), letters, (parts, tail) => {
      const registered = parts.map(([literal]) => `${literal}{#var#}`).join('') + tail;
      const text = parts.map(([literal, filled]) => literal + filled).join('') + tail;
      assert.equal(dltDifference(text, registered), null);
    }),
  );
});

test('it says the same as a regular expression, and a difference names two characters that are not the same', () => {
  fc.assert(
    fc.property(fc.array(letters, { minLength: 1, maxLength: 3 }), letters, (literals, text) => {
      const registered = literals.join('{#var#}');
      const pattern = literals.map((literal) => literal.replaceAll('.', '\\.')).join('[^]{1,30}');
      const difference = dltDifference(text, registered);
      assert.equal(difference === null, new RegExp(`^${pattern}$`, 'u').test(text));
      if (!difference) return;
      const { position, found, registeredPosition, expected } = difference;
      assert.equal([...text][position - 1] ?? null, found);
      const rest = [...registered].slice(registeredPosition - 1).join('');
      assert.ok(expected === null ? rest === '' : rest.startsWith(expected));
    }),
  );
});

test('in a text without values the first differing character is where the common beginning ends', () => {
  fc.assert(
    fc.property(letters, letters, letters, (begin, mine, theirs) => {
      const [text, registered] = [[...(begin + mine)], [...(begin + theirs)]];
      const first = text.findIndex((character, index) => character !== registered[index]);
      const expected = first >= 0 ? first + 1 : text.length < registered.length ? text.length + 1 : null;
      assert.equal(dltDifference(begin + mine, begin + theirs)?.position ?? null, expected);
    }),
  );
});

test('texts of any size are answered at once', () => {
  const registered = `${'{#var#}a'.repeat(30)}${'b'.repeat(1_280)}`;
  const started = performance.now();
  for (const text of ['a'.repeat(300_000), `${'aa'.repeat(30)}${'b'.repeat(1_279)}c`])
    assert.notEqual(dltDifference(text, registered), null);
  assert.ok(performance.now() - started < 30_000);
});
