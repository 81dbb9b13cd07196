/**
 * Latencies as histograms of buckets that grow by a tenth, so that a percentile is known within 5 % whatever was added up. A
 * histogram travels as one decimal number: every twelve digits are the counter of a bucket, the lowest first, and the sum of two
 * numbers is the sum of two histograms. Pure.
 */

export const growth = 1.1;
/** The last one takes everything of 1.1^199 ms (two days) and more. */
export const bucketCount = 200;
/** Of one counter: a bucket counts to just below a trillion. */
export const digits = 12;

const empty = '0'.repeat(digits);

export type Histogram = Map<number, number>;

/** The histogram of a number as the database writes it. */
export function readHistogram(text: string): Histogram {
  const histogram: Histogram = new Map();
  for (let end = text.length, bucket = 0; end > 0; end -= digits, bucket++) {
    const counter = text.slice(Math.max(0, end - digits), end);
    if (counter !== empty && counter !== '0') histogram.set(bucket, Number(counter));
  }
  return histogram;
}

export function addHistogram(to: Histogram, from: Histogram): void {
  for (const [bucket, count] of from) to.set(bucket, (to.get(bucket) ?? 0) + count);
}

/** The value in the middle of a bucket, by ratio. */
const middleOf = (bucket: number): number => Number((growth ** (bucket + 0.5)).toPrecision(4));

/** Of the values in order the one at each share, counted from the first (nearest rank); null where there are none. */
export function percentiles(histogram: Histogram, shares: readonly number[]): (number | null)[] {
  const buckets = [...histogram].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  return shares.map((share) => {
    let rank = Math.max(1, Math.ceil(total * share));
    for (const [bucket, count] of buckets) {
      rank -= count;
      if (rank <= 0) return middleOf(bucket);
    }
    return null;
  });
}
