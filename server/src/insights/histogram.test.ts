import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { addHistogram, bucketCount, type Histogram, percentiles, readHistogram } from './histogram.ts';
import { bucketSum } from './rollup-store.ts';

const shares = [0.5, 0.95, 0.99];

/** The value itself at each share, by nearest rank. */
function exact(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return shares.map((share) => sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? Number.NaN);
}

/** The same values in every run. */
function* randoms(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

function draw(seed: number, count: number): number[] {
  const random = randoms(seed);
  const next = (): number => random.next().value ?? 0;
  const spread = 1 + next() * 17;
  return Array.from({ length: count }, () => Math.floor(Math.exp(next() * spread)));
}

test('no values have no percentiles', () => {
  assert.deepEqual(percentiles(readHistogram('0'), shares), [null, null, null]);
});

onEachEngine('histograms', (get) => {
  async function fold(values: readonly number[]): Promise<Histogram> {
    const [row] = await get().db.query<{ sum: string }>(sql`
      select (${bucketSum(sql`amount`)})::text as sum from unnest(${`{${values.join()}}`}::numeric[]) as v (amount)`);
    return readHistogram(row?.sum ?? '0');
  }

  test('give every percentile within 5 %, however the values lie', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const values = draw(seed, 1 + seed * 7);
      const found = percentiles(await fold(values), shares);
      exact(values).forEach((value, i) => {
        const guess = found[i] ?? Number.NaN;
        const bound = Math.max(value, 1) * 0.05;
        assert.ok(Math.abs(guess - Math.max(value, 1)) <= bound, `seed ${seed}: ${guess} for ${value}`);
      });
    }
  });

  test('are added by adding their numbers', async () => {
    const [some, others] = [draw(3, 500), draw(4, 700)];
    const sum = await fold(some);
    addHistogram(sum, await fold(others));
    const sorted = (histogram: Histogram) => [...histogram].sort(([a], [b]) => a - b);
    assert.deepEqual(sorted(sum), sorted(await fold([...some, ...others])));
    assert.equal(
      [...sum.values()].reduce((a, b) => a + b, 0),
      1_200,
    );
  });

  test('have room for what takes no time and for what takes for ever', async () => {
    const found = await fold([0, 0.4, 1e15]);
    assert.deepEqual(
      [...found],
      [
        [0, 2],
        [bucketCount - 1, 1],
      ],
    );
  });
});
