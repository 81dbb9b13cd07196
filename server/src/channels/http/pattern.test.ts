import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, hasValue, patternFault } from './pattern.ts';

test('a pattern finds the value it names', () => {
  const cases: [pattern: string, text: string, value: string | null][] = [
    ['OK id=(*)', 'OK id=123', '123'],
    ['OK id=(*)', 'OK id=123 queued\r\n', '123'],
    ['OK id=(*)', '  OK id=123', '123'],
    ['OK id=(*)', 'NOT OK id=123', null],
    ['OK id=(*)', 'OK id=', null],
    ['OK id=(*)', 'OK', null],
    ['ERR: (*),', 'ERR: 114, Cannot route', '114'],
    ['ERR: (*),', 'ERR: 114', null],
    ['1701|*|(*)', '1701|919876543210|ab-1', 'ab-1'],
    ['1701|*|(*)', '1702|919876543210|ab-1', null],
    ['*<id>(*)</id>', '<?xml version="1.0"?>\n<a>\n<id> x 1 </id><id>2</id></a>', 'x 1'],
    ['(*)', '0', '0'],
    ['(*)', '05 failed', '05'],
    ['(*)', '', null],
    ['(*);', '1;2;3', '1'],
    ['a*b', 'a--b--', ''],
    ['a*b', 'ba', null],
    ['*b', 'a b', ''],
    ['\\*\\(*)', '*(x)', ''],
    ['\\\\(*)', '\\7', '7'],
  ];
  for (const [pattern, text, value] of cases)
    assert.equal(compilePattern(pattern).match(text), value, `${pattern} ${text}`);
});

test('a pattern that would be ambiguous or say nothing is refused', () => {
  for (const bad of ['(*)(*)', 'a(*)b(*)', '*(*)', '(*)*', '**', '*']) assert.notEqual(patternFault(bad), null, bad);
  for (const good of ['(*)', 'a', 'a*', '*a(*)', '\\*(*)', 'a(*)b*']) assert.equal(patternFault(good), null, good);
  assert.deepEqual(['a(*)', 'a*', '\\(*)'].map(hasValue), [true, false, false]);
});

test('any pattern reads any text in linear time', () => {
  const pieces = fc.constantFrom('a', '*', '(*)', 'aa', 'b', '\\*', 'a*a');
  const pattern = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));
  // 64 KiB is the most an answer has; a backtracking matcher would not come back from these.
  const text = fc.constantFrom('a'.repeat(65_536), 'ab'.repeat(32_768), `${'a'.repeat(65_535)}c`);
  const started = performance.now();
  fc.assert(
    fc.property(pattern, text, (one, over) => {
      compilePattern(one).match(over);
    }),
    { numRuns: 200 },
  );
  assert.ok(performance.now() - started < 30_000);
});

test('what a pattern of text and stars matches, the regular expression of the same meaning matches too', () => {
  const piece = fc.constantFrom('a', 'b', '*');
  const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (one, over) => {
      const same = new RegExp(`^${one.replaceAll('*', '[^]*?')}`).test(over);
      assert.equal(compilePattern(one).match(over) !== null, same);
    }),
  );
});
