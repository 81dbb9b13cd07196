import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { refusedForGood, refusedForNow, type SendOutcome, unknown } from '../channels/index.ts';
import { begin, type Circuit, closedCircuit, countsOf, lets, record, type Verdict, verdictOf } from './circuit.ts';

const rule = { min_calls: 10, error_ratio: 0.5, window_seconds: 30, open_seconds: 15 };
const good: Verdict = { kind: 'good' };
const error: Verdict = { kind: 'error', detail: 'no answer' };
const account: Verdict = { kind: 'account', detail: 'the key is wrong' };
const start = 1_700_000_000_000;

const closedAfter = (verdicts: readonly Verdict[], everyMs = 0): Circuit =>
  verdicts.reduce<Circuit>(
    (circuit, verdict, i) => record(circuit, false, verdict, rule, start + i * everyMs),
    closedCircuit(start),
  );
const times = (n: number, verdict: Verdict): Verdict[] => Array<Verdict>(n).fill(verdict);

describe('circuit', () => {
  test('what counts against a provider: its own faults and what nobody knows, never the message', () => {
    const table: [SendOutcome, Verdict['kind']][] = [
      [{ kind: 'accepted', upstreamId: '1' }, 'good'],
      [unknown('no answer'), 'error'],
      [refusedForNow('upstream_error', 'down'), 'error'],
      [refusedForNow('credentials', 'key'), 'account'],
      [refusedForNow('funds', 'empty'), 'account'],
      [refusedForNow('config', 'host'), 'error'],
      [refusedForNow('throttled', 'slow'), 'good'],
      [refusedForGood('number_invalid', 'no such number'), 'good'],
      [refusedForGood('content_rejected', 'words'), 'good'],
    ];
    for (const [outcome, kind] of table) assert.equal(verdictOf(outcome).kind, kind, JSON.stringify(outcome));
  });

  test('opens on the share of errors, not before enough calls were made', () => {
    assert.equal(closedAfter(times(9, error)).kind, 'closed');
    assert.equal(closedAfter(times(10, error)).kind, 'open');
    assert.equal(closedAfter([...times(6, good), ...times(5, error)]).kind, 'closed');
    const opened = closedAfter([...times(5, good), ...times(5, error)]);
    assert.equal(opened.kind, 'open');
    assert.match(opened.reason ?? '', /^5 of 10 calls failed within 30 s, the last one: no answer$/);
  });

  test('a good call never opens it', () => {
    assert.equal(closedAfter([...times(9, error), good]).kind, 'closed');
  });

  test('errors that left the window are forgotten', () => {
    assert.equal(closedAfter(times(50, error), 4_000).kind, 'closed');
    const old = closedAfter(times(9, error));
    assert.equal(record(old, false, error, rule, start + 34_000).kind, 'closed');
    assert.deepEqual(countsOf(old, rule, start + 34_000), { calls: 0, errors: 0 });
  });

  test('a fault of the account opens at once, whatever was before', () => {
    const opened = closedAfter([...times(50, good), account]);
    assert.deepEqual([opened.kind, opened.reason], ['open', 'the key is wrong']);
  });

  test('open lets nothing through for its time, then one probe at a time', () => {
    const opened = closedAfter(times(10, error));
    assert.equal(lets(opened, start + 14_999), false);
    assert.equal(lets(opened, start + 15_000), true);
    const { circuit, probe } = begin(opened, start + 15_000);
    assert.deepEqual([circuit.kind, probe, lets(circuit, start + 15_001)], ['half_open', true, false]);
    assert.equal(record(circuit, true, good, rule, start + 16_000).kind, 'closed');
  });

  test('a probe nobody answered for is followed by another', () => {
    const { circuit } = begin(closedAfter(times(10, error)), start + 15_000);
    assert.equal(lets(circuit, start + 44_999), false);
    assert.equal(lets(circuit, start + 45_000), true);
  });

  test('bad probes double the open time up to five minutes, a good one starts over', () => {
    let circuit = closedAfter([account]);
    let nowMs = start;
    const waited: number[] = [];
    for (let i = 0; i < 7; i++) {
      const from = nowMs;
      while (!lets(circuit, nowMs)) nowMs += 1_000;
      waited.push((nowMs - from) / 1_000);
      circuit = record(begin(circuit, nowMs).circuit, true, error, rule, nowMs);
    }
    assert.deepEqual(waited, [15, 30, 60, 120, 240, 300, 300]);
    circuit = record(begin(circuit, nowMs + 300_000).circuit, true, good, rule, nowMs + 300_000);
    assert.equal(record(circuit, false, account, rule, nowMs).kind, 'open');
    assert.equal(lets(record(circuit, false, account, rule, nowMs), nowMs + 15_000), true);
  });

  test('what began before it opened neither closes nor reopens it', () => {
    const { circuit } = begin(closedAfter(times(10, error)), start + 15_000);
    for (const late of [good, error, account])
      assert.equal(record(circuit, false, late, rule, start + 15_001), circuit);
  });

  test('over any story: only successes keep it closed, only one probe is out, and it always comes back', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: -5_000, max: 400_000 }),
      verdict: fc.constantFrom(good, error, account),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let circuit = closedCircuit(start);
        let nowMs = start;
        for (const { waitMs, verdict } of steps) {
          nowMs += waitMs;
          if (!lets(circuit, nowMs)) {
            assert.notEqual(circuit.kind, 'closed');
            assert.ok(lets(circuit, Math.max(nowMs, circuit.sinceMs) + 330_000), 'it is tried again in time');
            continue;
          }
          const begun = begin(circuit, nowMs);
          assert.equal(begun.probe, circuit.kind !== 'closed');
          if (begun.probe) assert.equal(lets(begun.circuit, nowMs), false);
          circuit = record(begun.circuit, begun.probe, verdict, rule, nowMs);
          if (verdict.kind === 'account') assert.equal(circuit.kind, 'open');
          if (verdict.kind === 'good') assert.equal(circuit.kind, 'closed');
          const { calls, errors } = countsOf(circuit, rule, nowMs);
          assert.ok(errors <= calls && calls >= 0);
        }
      }),
    );
  });
});
