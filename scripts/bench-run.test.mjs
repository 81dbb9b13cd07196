import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultFault } from '../bench/run.mjs';

const line = (figures, bench = 'send-verify') => JSON.stringify({ bench, figures });

test('a result with figures is accepted', () => {
  assert.equal(resultFault('send-verify', line({ ratio: { value: 0.6, aim: 0.5, ok: true } })), null);
});

for (const [what, last, fault] of [
  ['no JSON', 'done', /not JSON/],
  ['another name', line({ ratio: { value: 1, aim: 1, ok: true } }, 'start'), /does not say/],
  ['no figures', line({}), /no figures/],
  ['a figure without an aim', line({ ratio: { value: 1, ok: true } }), /figure ratio lacks/],
]) {
  test(`a result with ${what} is refused`, () => assert.match(resultFault('send-verify', last), fault));
}
