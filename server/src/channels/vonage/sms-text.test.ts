import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smsTextOf } from './sms-text.ts';

const cases = [
  ['482913 is your code', 'text', 1],
  ['', 'text', 1],
  ['x'.repeat(160), 'text', 1],
  ['x'.repeat(161), 'text', 2],
  ['x'.repeat(306), 'text', 2],
  ['x'.repeat(307), 'text', 3],
  ['€'.repeat(80), 'text', 1],
  ['€'.repeat(81), 'text', 2],
  ['[@^{}~|\\]£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà', 'text', 1],
  ['code `1`', 'unicode', 1],
  ['reçu', 'unicode', 1],
  ['“1234”', 'unicode', 1],
  ['验'.repeat(70), 'unicode', 1],
  ['验'.repeat(71), 'unicode', 2],
  ['😀'.repeat(35), 'unicode', 1],
  // 33 pairs and no half of one fill a part of 67 units.
  ['😀'.repeat(67), 'unicode', 3],
] as const;

for (const [text, type, parts] of cases) {
  test(`${text.slice(0, 12)}… of ${text.length} units goes as ${type} in ${parts}`, () => {
    assert.deepEqual(smsTextOf(text), { type, parts });
  });
}

test('an escape pair is not split over two parts', () => {
  assert.equal(smsTextOf(`${'x'.repeat(152)}€${'x'.repeat(151)}`).parts, 2);
  assert.equal(smsTextOf(`${'x'.repeat(152)}€${'x'.repeat(152)}`).parts, 3);
});
