/** How balances, entries and budgets look on the wire. */
import { z } from 'zod';
import { invalid } from '../errors.ts';
import { plainText } from '../wire.ts';
import { type Balance, type Entry, modes } from './balance-store.ts';
import { type Budget, type NewBudget, periods, rungActions } from './budgets.ts';
import { microsOf, unitsOf } from './money.ts';

const id = plainText(1, 64);
export const organizationParams = z.object({ organization_id: id });
export const applicationParams = z.object({ application_id: id });
export const budgetParams = z.object({ application_id: id, budget_id: id });

/** Nine thousand million units, where doubles end to be exact. */
const maxMicros = 9_000_000_000_000_000;
const microsField = z.int().min(0).max(maxMicros);
const author = plainText(1, 128).default('operator').describe('Who decided it.');
const note = plainText(0, 500).default('');

export const balanceSchema = z.object({
  balance: z.number().describe('In units of the currency, exact to six decimals.'),
  reserved: z.number().describe('Promised to accepted messages that were not handed over yet.'),
  threshold: z.number(),
  currency: z.string(),
  mode: z.enum(modes).describe('unlimited: nothing is charged and nothing refused.'),
});

export const toBalance = (balance: Balance, currency: string): z.infer<typeof balanceSchema> => ({
  balance: unitsOf(balance.balanceMicros),
  reserved: unitsOf(balance.reservedMicros),
  threshold: unitsOf(balance.thresholdMicros),
  currency,
  mode: balance.mode,
});

const amount = z
  .union([plainText(1, 20), z.int().min(-maxMicros).max(maxMicros)])
  .describe('A decimal text in units, such as "12.50", or a whole number of micros.');

/** Micros; 3002 for what is no amount, or lies below the least one. */
export function readAmount(given: string | number, field: string, atLeast: number): number {
  const micros = typeof given === 'number' ? given : microsOf(given);
  if (micros === null) throw invalid([{ field, problem: 'must be a decimal with at most six places, or micros' }]);
  if (micros < atLeast)
    throw invalid([{ field, problem: atLeast > 0 ? 'must be above zero' : 'must not be negative' }]);
  return micros;
}

export const balanceChange = z.object({ mode: z.enum(modes).optional(), threshold: amount.optional(), author });

const key = plainText(1, 128).describe('The same key again answers the entry made before and adds nothing.');
export const topUpBody = z.object({ amount, key: key.optional(), note, author });
export const adjustmentBody = z.object({
  amount: amount.describe('As for a top-up; below zero takes away.'),
  key: key.optional(),
  note: plainText(1, 500),
  author,
});
export const refundBody = z.object({ charge_id: id.describe('The entry of the charge.'), note, author });

export const entrySchema = z.object({
  id: z.string(),
  kind: z.enum(['top_up', 'charge', 'refund', 'receipt', 'adjustment']),
  amount: z.number(),
  amount_micros: z.int(),
  application_id: z.string().nullable(),
  message_id: z.string().nullable(),
  attempt: z.int().nullable(),
  refunded_id: z.string().nullable(),
  note: z.string(),
  author: z.string(),
  key: z.string().nullable(),
  at: z.iso.datetime(),
});

export const toEntry = (entry: Entry): z.infer<typeof entrySchema> => ({
  id: entry.id,
  kind: entry.kind,
  amount: unitsOf(entry.amountMicros),
  amount_micros: entry.amountMicros,
  application_id: entry.applicationId,
  message_id: entry.messageId,
  attempt: entry.attempt,
  refunded_id: entry.refundedId,
  note: entry.note,
  author: entry.author,
  key: entry.key,
  at: entry.at.toISOString(),
});

const part = z
  .strictObject({
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
    calling_code: z
      .string()
      .regex(/^[1-9]\d{0,3}$/)
      .optional(),
  })
  .refine(({ country, calling_code: code }) => (country === undefined) !== (code === undefined), {
    message: 'must have country or calling_code',
  });
const scope = z.union([z.literal('all'), part]);
const period = z.enum(periods).describe('A calendar hour, day or month in UTC.');
const ladder = z
  .array(z.object({ at_percent: z.number().min(0).max(100), action: z.enum(rungActions) }))
  .max(10)
  .describe('What is done with sends once so much of the cap is spent. At the cap they are refused in any case.');

export const budgetBody = z.object({
  scope,
  period,
  cap_micros: microsField,
  ladder: ladder.default([]),
  enabled: z.boolean().default(true),
  author,
});
export const budgetChange = z.object({
  cap_micros: microsField.optional(),
  ladder: ladder.optional(),
  enabled: z.boolean().optional(),
  author,
});

export const budgetSchema = z.object({
  id: z.string(),
  scope,
  period,
  cap_micros: z.int(),
  spent_micros: z
    .int()
    .describe(
      'Of the period that now lies in, since the budget was made: costs, and estimates of what was not handed over yet.',
    ),
  period_start: z.iso.datetime(),
  ladder,
  enabled: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export function toScope(given: z.infer<typeof scope>): NewBudget['scope'] {
  if (given === 'all') return { kind: 'all' };
  const { country, calling_code: code } = given;
  return country === undefined ? { kind: 'calling_code', value: code ?? '' } : { kind: 'country', value: country };
}

const fromScope = (found: NewBudget['scope']): z.infer<typeof scope> => {
  if (found.kind === 'all') return 'all';
  return found.kind === 'country' ? { country: found.value } : { calling_code: found.value };
};

export const toLadder = (given: z.infer<typeof ladder>): NewBudget['ladder'] =>
  given.map(({ at_percent, action }) => ({ atPercent: at_percent, action }));

export const toBudget = (budget: Budget): z.infer<typeof budgetSchema> => ({
  id: budget.id,
  scope: fromScope(budget.scope),
  period: budget.period,
  cap_micros: budget.capMicros,
  spent_micros: budget.spentMicros,
  period_start: budget.periodStart.toISOString(),
  ladder: budget.ladder.map(({ atPercent, action }) => ({ at_percent: atPercent, action })),
  enabled: budget.enabled,
  created_at: budget.createdAt.toISOString(),
  updated_at: budget.updatedAt.toISOString(),
});
