import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTryInMs, type ScheduleName } from './schedule.ts';

/** Seconds after the first try at which the others come, without jitter. */
function times(schedule: ScheduleName): number[] {
  const at: number[] = [];
  for (let tries = 1, total = 0; ; tries++) {
    const ms = nextTryInMs(schedule, tries, 0);
    if (ms === null) return at;
    total += ms / 1000;
    at.push(total);
  }
}

test('the vendor schedule is that of contract §16: 24 retries over 18.8 days', () => {
  const vendor = times('vendor');
  assert.deepEqual(vendor.slice(0, 7), [60, 660, 4260, 11_460, 29_460, 65_460, 151_860]);
  assert.equal(vendor.length, 24);
  assert.equal(vendor.at(-1), 1_620_660);
});

test('the other schedules', () => {
  assert.deepEqual(
    times('fast').map((time, i, all) => time - (all[i - 1] ?? 0)),
    [5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400],
  );
  assert.deepEqual(times('none'), []);
  assert.equal(times('standard').length, 9);
});

test('chance adds up to a tenth, never takes away', () => {
  assert.equal(nextTryInMs('vendor', 1, 0), 60_000);
  assert.equal(nextTryInMs('vendor', 1, 0.5), 63_000);
  assert.equal(nextTryInMs('vendor', 1, 0.999_999), 66_000);
});

test('a longer wait asked for counts, up to an hour; a shorter one does not', () => {
  assert.equal(nextTryInMs('vendor', 1, 0, 120), 120_000);
  assert.equal(nextTryInMs('vendor', 1, 0, 7_200), 3_600_000);
  assert.equal(nextTryInMs('vendor', 1, 0, 10), 60_000);
  assert.equal(nextTryInMs('none', 1, 0, 10), null);
});
