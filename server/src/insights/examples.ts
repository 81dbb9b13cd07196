/** One answer, as documentation shows it. */
const block = {
  messages: 1000,
  steps_sent: 1060,
  delivered: 990,
  verifications: 980,
  verified: 833,
  resends: 40,
  fallbacks: 21,
  wrong_codes: 57,
  exhausted: 3,
  expired: 120,
  delivery_rate: 0.934,
  verified_rate: 0.85,
  latency_ms: {
    accept_to_sent: { p50: 69.95, p95: 181.4, p99: 427.7 },
    sent_to_delivered: { p50: 2381, p95: 6795, p99: 17_630 },
    accept_to_verified: { p50: 17_630, p95: 60_880, p99: 130_500 },
  },
  resend_rate: 0.04,
  fallback_rate: 0.021,
  cost: 43.672,
  cost_per_verified: 0.052427,
};

export const answer = {
  from: '2026-07-02T00:00:00.000Z',
  until: '2026-07-03T00:00:00.000Z',
  computed_until: '2026-07-02T23:59:57.000Z',
  currency: 'USD',
  totals: block,
  rows: [{ key: { country: 'SG' }, ...block }],
};
