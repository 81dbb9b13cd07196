import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { reasons } from '../outcome.ts';
import { type Answer, meaningOf, nameOf, type Phase } from './answers.ts';

const phases: Phase[] = ['greeting', 'starttls', 'login', 'sender', 'recipient', 'message', 'report'];
const anyAnswer: fc.Arbitrary<Answer> = fc.record({
  phase: fc.constantFrom(...phases),
  code: fc.option(fc.integer({ min: 100, max: 999 })),
  status: fc.option(fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(9), fc.nat(80)).map((parts) => parts.join('.'))),
});

test('every answer means one of our reasons, and what is refused for good is never retried', () => {
  fc.assert(
    fc.property(anyAnswer, (answer) => {
      const { reason, temporary, remedy, retryAfterMs } = meaningOf(answer);
      assert.ok(reasons.includes(reason) && remedy !== '');
      if (retryAfterMs !== undefined) assert.ok(temporary);
      const { code } = answer;
      if (code !== null && code >= 400 && code < 500 && answer.phase !== 'report') assert.ok(temporary);
    }),
  );
});

test('what one recipient can bring about never shuts the provider; only the relay itself can, by asking for a login', () => {
  fc.assert(
    fc.property(anyAnswer, (answer) => {
      fc.pre(answer.phase === 'recipient' || answer.phase === 'report');
      const { reason } = meaningOf(answer);
      const asksLogin = /^53[0458]$/.test(String(answer.code)) || /^5\.7\.(8|9|11|57)$/.test(answer.status ?? '');
      if (answer.phase === 'report' || !asksLogin)
        assert.ok(!['config', 'credentials', 'funds'].includes(reason), `${reason}: ${nameOf(answer)}`);
    }),
    { numRuns: 2_000 },
  );
});

test('a report tells why a mail came back', () => {
  const cases = [
    ['5.1.1', 550, 'number_invalid'],
    ['5.2.2', 552, 'unreachable'],
    ['4.2.2', 452, 'unreachable'],
    ['4.4.7', null, 'expired'],
    ['5.4.7', null, 'expired'],
    ['5.4.4', null, 'number_invalid'],
    ['5.4.1', 550, 'unreachable'],
    ['5.7.1', 550, 'carrier_filtered'],
    ['4.7.0', 421, 'carrier_filtered'],
    ['5.6.0', 554, 'content_rejected'],
    ['5.3.4', 552, 'content_rejected'],
    ['5.0.0', 550, 'number_invalid'],
    ['5.7.8', 535, 'carrier_filtered'],
    ['5.0.0', null, 'unreachable'],
    [null, null, 'unreachable'],
  ] as const;
  for (const [status, code, reason] of cases) {
    const answer: Answer = { phase: 'report', code, status };
    assert.equal(meaningOf(answer).reason, reason, nameOf(answer));
  }
});
