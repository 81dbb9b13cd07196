/** What the descriptions of this room's operations show. */
import type { z } from 'zod';
import type { balanceSchema, budgetSchema, entrySchema } from './wire.ts';

const at = '2026-07-03T09:00:00.000Z';

export const balance = {
  balance: 12.34,
  reserved: 0.05,
  threshold: 2,
  currency: 'USD',
  mode: 'prepaid',
} as const satisfies z.infer<typeof balanceSchema>;

const entry = {
  application_id: null,
  message_id: null,
  attempt: null,
  refunded_id: null,
  note: '',
  author: 'operator',
  key: null,
  at,
};

export const topUp = {
  ...entry,
  id: '17',
  kind: 'top_up',
  amount: 12.5,
  amount_micros: 12_500_000,
  note: 'invoice 2026-114',
  author: 'ana',
  key: 'invoice-2026-114',
} as const satisfies z.infer<typeof entrySchema>;

export const charge = {
  ...entry,
  id: '18',
  kind: 'charge',
  amount: -0.0412,
  amount_micros: -41_200,
  application_id: '2072832692843446273',
  message_id: '2072832692843466759',
  attempt: 1,
  author: '',
} as const satisfies z.infer<typeof entrySchema>;

export const refund = {
  ...charge,
  id: '19',
  kind: 'refund',
  amount: 0.0412,
  amount_micros: 41_200,
  refunded_id: charge.id,
  note: 'never arrived',
  author: 'ana',
} as const satisfies z.infer<typeof entrySchema>;

export const adjustment = {
  ...entry,
  id: '20',
  kind: 'adjustment',
  amount: -1,
  amount_micros: -1_000_000,
  note: 'booked twice',
  author: 'ana',
} as const satisfies z.infer<typeof entrySchema>;

export const budget = {
  id: '2072832692843446301',
  scope: { country: 'SG' },
  period: 'day',
  cap_micros: 50_000_000,
  spent_micros: 12_400_000,
  period_start: '2026-07-03T00:00:00.000Z',
  ladder: [{ at_percent: 80, action: 'cheaper_channel' }],
  enabled: true,
  created_at: at,
  updated_at: at,
} satisfies z.infer<typeof budgetSchema>;
