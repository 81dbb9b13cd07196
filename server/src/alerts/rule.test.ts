import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTryIn } from './post-messages.ts';
import { amount, rateOf, spendOf } from './readings.ts';
import { boundsOf, type Kind, kinds, shapes, termFaults, termsOf } from './rule.ts';

const fieldsOf = (kind: Kind, given: Parameters<typeof termsOf>[1]): string[] =>
  termFaults(kind, given, termsOf(kind, given)).map(({ field }) => field);

test('each kind takes its own numbers and refuses the others by name', () => {
  const table: [Kind, Parameters<typeof termsOf>[1], string[]][] = [
    ['balance', {}, ['threshold']],
    ['balance', { threshold: 2 }, []],
    ['balance', { threshold: 2, clearThreshold: 1.9 }, ['clear_threshold']],
    ['balance', { threshold: 2, minSamples: 5, factor: 2 }, ['factor', 'min_samples']],
    ['verification_rate', { threshold: 101 }, ['threshold']],
    ['verification_rate', { threshold: 60, clearThreshold: 101 }, ['clear_threshold']],
    ['verification_rate', { threshold: 60, quietMinutes: 59 }, ['quiet_minutes']],
    ['delivery_rate', { threshold: 60, clearThreshold: 60, quietMinutes: 60, minSamples: 1 }, []],
    ['provider_circuit', {}, []],
    ['provider_circuit', { threshold: 1 }, ['threshold']],
    ['callback_failure', { threshold: 5, clearThreshold: 0 }, ['clear_threshold']],
    ['callback_failure', { quietMinutes: 0 }, []],
    ['spend_velocity', {}, ['threshold']],
    ['spend_velocity', { factor: 3 }, []],
    ['spend_velocity', { factor: 3, clearThreshold: 1 }, ['clear_threshold']],
    ['spend_velocity', { threshold: 3, clearThreshold: 4 }, ['clear_threshold']],
  ];
  for (const [kind, given, fields] of table)
    assert.deepEqual(fieldsOf(kind, given), fields, `${kind} ${JSON.stringify(given)}`);
});

test('null goes back to the default, and the clear threshold lies on the good side for every kind', () => {
  const changed = termsOf(
    'verification_rate',
    { minSamples: null },
    { threshold: 60, minSamples: 7, quietMinutes: 90 },
  );
  assert.deepEqual([changed.minSamples, changed.quietMinutes], [50, 90]);
  for (const kind of kinds) {
    const { threshold, clear, trouble } = boundsOf({
      kind,
      ...termsOf(kind, shapes[kind].needs.length > 0 ? { threshold: 97 } : {}),
    });
    assert.ok(trouble === 'below' ? clear >= threshold : clear <= threshold, kind);
  }
});

test('a clear threshold keeps its ratio to a limit that was measured', () => {
  const rule = { kind: 'spend_velocity', threshold: 100, clearThreshold: 50 } as const;
  assert.deepEqual(boundsOf(rule, 30), { trouble: 'above', threshold: 30, clear: 15 });
  assert.equal(boundsOf(rule).clear, 50);
  assert.equal(boundsOf({ ...rule, threshold: null, clearThreshold: null }, 30).clear, 24);
});

test('a rate of too few samples says nothing', () => {
  assert.deepEqual([rateOf(0, 49, 50).value, rateOf(0, 50, 50).value, rateOf(0, 0, 0).value], [null, 0, null]);
  assert.equal(rateOf(1, 3, 1).value, 33.33);
});

test('spend is held against the lower of its two limits', () => {
  const spend = { micros: 30_000_000, sent: 10, beforeMicros: 168_000_000, hoursBefore: 168 };
  const given = { threshold: 50, factor: 20, minSamples: 1 };
  assert.deepEqual(spendOf(given, spend), { value: 30, threshold: 20, detail: 'the average hour before: 1.00' });
  assert.equal(spendOf({ ...given, factor: null }, spend).threshold, 50);
  assert.deepEqual(
    spendOf({ ...given, threshold: null }, { ...spend, hoursBefore: 0 }),
    { value: null },
    'no past to compare with',
  );
  assert.equal(spendOf({ ...given, minSamples: 11 }, spend).value, 20, 'too few hand-overs are no trouble');
  assert.deepEqual([amount(0), amount(0.0412), amount(12.345)], ['0.00', '0.0412', '12.35']);
});

test('a message is tried again after 1, 5, 30 minutes and 2 hours, later where that was asked for, and never after a final no', () => {
  const unknown = { kind: 'unknown', detail: '' } as const;
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((tries) => nextTryIn(tries, unknown)),
    [60, 300, 1800, 7200, null],
  );
  const busy = (retryAfterMs: number) => ({ kind: 'refused', temporary: true, detail: '', retryAfterMs }) as const;
  assert.deepEqual([nextTryIn(1, busy(5_000)), nextTryIn(1, busy(600_000))], [60, 600]);
  assert.equal(nextTryIn(1, { kind: 'refused', temporary: false, detail: '' }), null);
  assert.equal(nextTryIn(1, { kind: 'accepted' }), null);
});
