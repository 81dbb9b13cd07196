/** Answers, as documentation shows them. */
const row = {
  provider: 'carrier-a',
  channel: 'sms',
  country: 'SG',
  prefix: '',
  price_micros: 41_200,
  refund: 'none',
} as const;
export const body = { ...row, valid_from: '2026-08-01T00:00:00.000Z' };
export const price = { id: '17', ...body, currency: 'USD', updated_at: '2026-07-03T00:00:00.000Z' };
export const csv =
  'provider,channel,country,prefix,price,currency,refund,valid_from\r\ncarrier-a,sms,SG,,0.0412,USD,none,2026-08-01T00:00:00.000Z\r\n';
export const lookup = {
  at: '2026-08-02T00:00:00.000Z',
  country: 'SG',
  cost_micros: 82_400,
  currency: 'USD',
  decided_by: price,
  because: 'provider carrier-a, country SG, since 2026-08-01T00:00:00.000Z: 2 × 0.0412 USD',
  passed_over: [],
};
export const imported = { added: 1, changed: 0, unchanged: 0, removed: 0, applied: true };
