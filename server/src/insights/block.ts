/** One block of the answer from sums: rates, percentiles, money. Pure. */
import { addHistogram, type Histogram, percentiles, readHistogram } from './histogram.ts';
import { type Counter, counters, type Latency, latencies, type Sums } from './measures.ts';

export interface Added {
  counts: Record<Counter, number>;
  histograms: Record<Latency, Histogram>;
}

const fromNames = <Name extends string, Value>(names: readonly Name[], value: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>;

export const nothing = (): Added => ({
  counts: fromNames(counters, () => 0),
  histograms: fromNames(latencies, (): Histogram => new Map()),
});

export const readAdded = (row: Sums): Added => ({
  counts: fromNames(counters, (name) => Number(row[name])),
  histograms: fromNames(latencies, (name) => readHistogram(row[name])),
});

export function add(to: Added, { counts, histograms }: Added): void {
  for (const name of counters) to.counts[name] += counts[name];
  for (const name of latencies) addHistogram(to.histograms[name], histograms[name]);
}

/** A share of one thing in another, to four digits behind the point. */
const rate = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;

function latencyOf(histogram: Histogram) {
  const [p50 = null, p95 = null, p99 = null] = percentiles(histogram, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}

export function blockOf({ counts, histograms }: Added) {
  const { cost_micros: micros, ...told } = counts;
  return {
    ...told,
    delivery_rate: rate(told.delivered, told.steps_sent),
    verified_rate: rate(told.verified, told.verifications),
    latency_ms: fromNames(latencies, (name) => latencyOf(histograms[name])),
    resend_rate: rate(told.resends, told.messages),
    fallback_rate: rate(told.fallbacks, told.messages),
    cost: micros / 1_000_000,
    cost_per_verified: told.verified === 0 ? null : Math.round(micros / told.verified) / 1_000_000,
  };
}
