import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { begun, type Circuit, closedCircuit, ended, isClosed, lets } from './circuit.ts';

test('whatever happens, a dead hook is asked once a minute at least and never more than once at a time', () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 30_000 }), good: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let circuit: Circuit = closedCircuit;
      let nowMs = 0;
      for (const { waitMs, good } of steps) {
        nowMs += waitMs;
        if (!lets(circuit, nowMs)) {
          assert.ok(circuit.openUntilMs - nowMs <= 60_000);
          continue;
        }
        const probe = !isClosed(circuit);
        circuit = begun(circuit, nowMs);
        if (probe) assert.equal(lets(circuit, nowMs), false, 'a second one beside the probe');
        circuit = ended(circuit, good, probe, nowMs);
        assert.equal(good && !isClosed(circuit), false, 'a good answer ends it');
      }
    }),
  );
});

test('what went out before the circuit opened does not prolong it', () => {
  let circuit = closedCircuit;
  for (let i = 0; i < 5; i++) circuit = ended(circuit, false, false, 1_000);
  assert.deepEqual([isClosed(circuit), circuit.openUntilMs], [false, 6_000]);
  assert.equal(ended(circuit, false, false, 3_000), circuit);
  assert.equal(isClosed(ended(circuit, true, false, 3_000)), true);
});

test('a question nobody answered for does not close the way for ever', () => {
  const open = { failures: 5, openMs: 5_000, openUntilMs: 5_000, probeAtMs: 5_000 };
  assert.deepEqual([lets(open, 14_999), lets(open, 15_000)], [false, true]);
});
