import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AlertState, type Bounds, judge, type Verdict } from './judge.ts';

const below: Bounds = { trouble: 'below', threshold: 60, clear: 65 };
const above: Bounds = { trouble: 'above', threshold: 100, clear: 80 };
const hourMs = 3_600_000;
const never: AlertState = { raised: false, raisedAtMs: null };
const raised: AlertState = { raised: true, raisedAtMs: 0 };

test('an alert begins beyond the threshold and ends at the clear threshold', () => {
  const table: [Bounds, AlertState, number | null, Verdict][] = [
    [below, never, 59.99, 'raise'],
    [below, never, 60, 'nothing'],
    [below, never, null, 'nothing'],
    [below, raised, 59, 'stay'],
    [below, raised, 64.99, 'stay'],
    [below, raised, 65, 'end'],
    [below, raised, null, 'stay'],
    [above, never, 100.01, 'raise'],
    [above, never, 100, 'nothing'],
    [above, raised, 80.01, 'stay'],
    [above, raised, 80, 'end'],
    [above, raised, 0, 'end'],
  ];
  for (const [bounds, state, value, verdict] of table)
    assert.equal(judge(bounds, state, value, { nowMs: 1, quietMs: hourMs }), verdict, JSON.stringify([bounds, value]));
});

test('none begins before the quiet period since the last one began is over', () => {
  const ended: AlertState = { raised: false, raisedAtMs: 1_000 };
  const at = (nowMs: number): Verdict => judge(below, ended, 10, { nowMs, quietMs: hourMs });
  assert.deepEqual([at(1_000), at(1_000 + hourMs - 1), at(1_000 + hourMs)], ['nothing', 'nothing', 'raise']);
  assert.equal(at(0), 'nothing', 'a clock that stepped back keeps quiet too');
});

/** All changes while values come one after the other. */
function run(bounds: Bounds, quietMs: number, values: readonly (readonly [afterMs: number, value: number | null])[]) {
  const changes: { verdict: Verdict; atMs: number; value: number | null }[] = [];
  let state = never;
  let nowMs = 0;
  for (const [afterMs, value] of values) {
    nowMs += afterMs;
    const verdict = judge(bounds, state, value, { nowMs, quietMs });
    if (verdict === 'raise') state = { raised: true, raisedAtMs: nowMs };
    if (verdict === 'end') state = { ...state, raised: false };
    if (verdict === 'raise' || verdict === 'end') changes.push({ verdict, atMs: nowMs, value });
  }
  return changes;
}

test('for any values: beginnings and ends alternate, and beginnings keep the quiet period', () => {
  const value = fc.option(fc.double({ min: 0, max: 200, noNaN: true }), { freq: 8 });
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 * hourMs }), value), { maxLength: 60 });
  fc.assert(
    fc.property(
      fc.constantFrom(below, above),
      fc.integer({ min: 0, max: 3 * hourMs }),
      steps,
      (bounds, quiet, values) => {
        const changes = run(bounds, quiet, values);
        for (const [i, { verdict }] of changes.entries()) assert.equal(verdict, i % 2 === 0 ? 'raise' : 'end');
        const begun = changes.filter(({ verdict }) => verdict === 'raise').map(({ atMs }) => atMs);
        for (const [i, atMs] of begun.entries()) if (i > 0) assert.ok(atMs - (begun[i - 1] ?? 0) >= quiet);
        assert.ok(changes.every(({ value: found }) => found !== null));
      },
    ),
  );
});

test('for any swing between threshold and clear threshold one alert begins and none ends', () => {
  const swing = fc.array(fc.double({ min: 55, max: 64.9, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(swing, (values) => {
      const changes = run(
        below,
        0,
        [50, ...values].map((value) => [15_000, value]),
      );
      assert.deepEqual(
        changes.map(({ verdict }) => verdict),
        ['raise'],
      );
    }),
  );
});
