import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fullBucket, shareOf, taken, waitMs } from './token-bucket.ts';

const start = 1_700_000_000_000;
const rates = fc.constantFrom(0.01, 0.5, 1, 3, 10, 50, 333, 1_000);

describe('token bucket', () => {
  test('one per second is one per second', () => {
    let bucket = fullBucket(1, start);
    assert.equal(waitMs(bucket, 1, start), 0);
    bucket = taken(bucket, 1, start);
    assert.equal(waitMs(bucket, 1, start), 1_000);
    assert.equal(waitMs(bucket, 1, start + 400), 600);
    assert.equal(waitMs(bucket, 1, start + 1_000), 0);
  });

  test('over any arrivals no stretch of time sees more than the rate and a tenth of a second more', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 300 }), (rate, gaps) => {
        let bucket = fullBucket(rate, start);
        let nowMs = start;
        const at: number[] = [];
        for (const gap of gaps) {
          nowMs += gap;
          if (waitMs(bucket, rate, nowMs) > 0) continue;
          bucket = taken(bucket, rate, nowMs);
          at.push(nowMs);
        }
        const burst = Math.max(1, rate / 10);
        for (const [i, from] of at.entries())
          for (const [more, to] of at.slice(i).entries())
            assert.ok(more + 1 <= burst + ((to - from) * rate) / 1_000 + 1e-6, `${more + 1} within ${to - from} ms`);
      }),
    );
  });

  test('who waits as long as told may go, and not a millisecond longer is told', () => {
    fc.assert(
      fc.property(rates, fc.nat(5_000), (rate, laterMs) => {
        let bucket = fullBucket(rate, start);
        while (waitMs(bucket, rate, start) === 0) bucket = taken(bucket, rate, start);
        const wait = waitMs(bucket, rate, start + laterMs);
        assert.equal(waitMs(bucket, rate, start + laterMs + wait), 0);
        if (wait > 1) assert.ok(waitMs(bucket, rate, start + laterMs + wait - 1) > 0);
      }),
    );
  });

  test('a clock that steps back gives nothing away', () => {
    const empty = taken(fullBucket(1, start), 1, start);
    assert.ok(waitMs(empty, 1, start - 3_600_000) >= 1_000);
    assert.equal(waitMs(taken(empty, 1, start - 3_600_000), 1, start + 1_000), 0);
  });

  test('nodes share a rate, and a lone one has all of it', () => {
    assert.deepEqual([shareOf(12, 3), shareOf(12, 1), shareOf(12, 0)], [4, 12, 12]);
  });
});
