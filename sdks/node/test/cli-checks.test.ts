// Checks of doctor and parts of the command line on their own, inside this process: what a whole installation shows only with long waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWeak } from '../src/cli/doctor/operator-checks.ts';

test('a made secret is never called weak for the letters it begins with', () => {
  const rest = '0123456789abcdef'.repeat(4).slice(1);
  for (const first of ['a3f9', '0b77', 'aa00', '1234', 'x', 'admin', 'test', 'default', 'secret', 'operator-'])
    assert.equal(isWeak(first + rest.slice(0, 60)), false, first);
  const typed = ['changeme', 'change-me-'.repeat(3), 'x'.repeat(32), '0'.repeat(64), 'secret-test-password-admin-key'];
  for (const weak of [...typed, '1234567890'.repeat(3), 'sk_EXAMPLE_0123456789abcdef', 'a3f9b2c4d5e6f7a8b9c0d1e'])
    assert.equal(isWeak(weak), true, weak);
  // Tried letter by letter, not in every order.
  assert.equal(isWeak(`${'changemechange-meaa00xx'.repeat(500)}!`), false);
});
