/** The columns of a rollup that are added up, in the words of the answer. */

export const counters = [
  'messages',
  'steps_sent',
  'delivered',
  'verifications',
  'verified',
  'resends',
  'fallbacks',
  'wrong_codes',
  'exhausted',
  'expired',
  'cost_micros',
] as const;
export type Counter = (typeof counters)[number];

export const latencies = ['accept_to_sent', 'sent_to_delivered', 'accept_to_verified'] as const;
export type Latency = (typeof latencies)[number];

/** A row as it is read: sums of counters, histograms as numbers. */
export type Sums = Record<Counter | Latency, string>;
