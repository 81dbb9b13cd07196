/** Schemas of the price table's operations. */
import { z } from 'zod';
import { channelNames } from '../channels/index.ts';
import { maxPriceMicros } from './money.ts';
import { modes } from './plan.ts';
import { type Price, refunds } from './price.ts';
import { prefixForm, prefixProblem, providerForm, providerProblem } from './rows.ts';

const channel = z.enum(channelNames);
const provider = z.string().regex(providerForm, providerProblem).describe('Id of a provider; `*`: any.');
const country = z
  .string()
  .regex(/^(\*|[A-Z]{2})$/, 'must be an ISO 3166 alpha-2 code, or * for any')
  .describe('ISO 3166 alpha-2; `*`: any, and e-mail.');
const prefix = z.string().regex(prefixForm, prefixProblem).describe('First digits of the number; empty: any.');
const priceMicros = z
  .int()
  .min(0)
  .max(maxPriceMicros)
  .describe('Millionths of `currency`, of a segment (sms), a message (whatsapp, email) or a call (voice).');
const refund = z
  .enum(refunds)
  .describe('undelivered: the cost is given back when a receipt says that the message did not arrive.');
const validFrom = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) >= 0, 'must be after 1970')
  .nullable()
  .default(null);

export const priceBody = z.object({
  provider: provider.default('*'),
  channel,
  country: country.default('*'),
  prefix: prefix.default(''),
  price_micros: priceMicros,
  refund: refund.default('none'),
  valid_from: validFrom.describe('null: from now on. May lie in the future.'),
});

export const priceSchema = z.object({
  id: z.string(),
  provider: z.string(),
  channel,
  country: z.string(),
  prefix: z.string(),
  price_micros: z.int(),
  currency: z.string(),
  refund,
  valid_from: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const toWire = (price: Price, currency: string): z.infer<typeof priceSchema> => ({
  id: price.id,
  provider: price.provider,
  channel: price.channel,
  country: price.country,
  prefix: price.prefix,
  price_micros: price.priceMicros,
  currency,
  refund: price.refund,
  valid_from: price.validFrom.toISOString(),
  updated_at: price.updatedAt.toISOString(),
});

export const pricesQuery = z.object({
  provider: provider.optional(),
  channel: channel.optional(),
  country: country.optional(),
  prefix: prefix.optional().describe('Prices of this prefix and of longer ones.'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(64).optional(),
});

export const lookupQuery = z.object({
  provider: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, 'must be the id of a provider')
    .describe('Who would be handed the message.'),
  channel: channel.describe('By which it would go.'),
  to: z
    .string()
    .max(320)
    .regex(/^(\+[1-9][0-9]{3,14}|[^\s@]+@[^\s@]+)$/, 'must be a number in E.164 form, or an e-mail address')
    .describe('To whom: a phone number in E.164 form or an e-mail address.'),
  units: z.coerce.number().int().min(1).max(255).default(1).describe('Segments of an SMS; 1 for the other channels.'),
  at: z.string().max(64).optional().describe('RFC 3339 or unix seconds; default now.'),
});

export const lookupAnswer = z.object({
  at: z.iso.datetime(),
  country: z.string().nullable().describe('Of the number.'),
  cost_micros: z.int().nullable().describe('null: the table says nothing, and the price of the route entry counts.'),
  currency: z.string(),
  decided_by: priceSchema.nullable(),
  because: z.string().describe('In words.'),
  passed_over: z.array(priceSchema).describe('Also in force and fitting, the next best first.'),
});

export const maxCsvBytes = 4 * 1_048_576;

export const importBody = z.object({
  csv: z
    .string()
    .min(1)
    .describe(
      'Columns provider, channel, country, price and, where wanted, prefix, currency, refund and valid_from; the first line names them. Prices are decimals with up to six digits behind the point. An empty valid_from is from now on.',
    ),
  mode: z
    .enum(modes)
    .default('merge')
    .describe('merge: what the file does not name stays. replace: the table is afterwards what the file says.'),
  dry_run: z.boolean().default(false).describe('Says what would change and changes nothing.'),
});

const count = z.int().min(0);
export const importAnswer = z.object({
  added: count,
  changed: count.describe('Of the same key and moment, with another price or refund before.'),
  unchanged: count,
  removed: count,
  applied: z.boolean().describe('false for a dry run.'),
});
