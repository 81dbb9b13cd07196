/** Schemas of `GET /v1/insights` (contract §11.5). */
import { z } from 'zod';
import { plainText } from '../wire.ts';
import { type Group, groups } from './read-store.ts';

const isGroup = (name: string): name is Group => groups.some((group) => group === name);
const groupsIn = (text: string): Group[] => text.split(',').filter(isGroup);

const time = z.string().max(64).optional();

export const query = z.object({
  from: time.describe(
    'RFC 3339 or unix seconds; default 24 hours before `until`, at most 92 days. The hour it lies in counts whole.',
  ),
  until: time.describe('Default now. The hour it lies in counts whole.'),
  group_by: plainText(1, 64)
    .refine(
      (text) => {
        const names = text.split(',');
        return names.length <= 2 && names.every(isGroup) && new Set(names).size === names.length;
      },
      `must be one or two of ${groups.join(', ')}, with a comma between them`,
    )
    .transform(groupsIn)
    .optional()
    .describe(
      `One or two of ${groups.join(', ')}, with a comma between them. \`hour\`: at most 14 days. Hours and days are of UTC.`,
    ),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 alpha-2 code')
    .optional(),
  channel: z.enum(['sms', 'whatsapp', 'email', 'voice']).optional(),
  template: plainText(1, 128).optional(),
  provider: plainText(1, 128).optional(),
});

const count = z.int().min(0);
const rate = z.number().min(0).nullable();
const percentile = z.number().nullable();
const latency = (what: string) =>
  z
    .object({ p50: percentile, p95: percentile, p99: percentile })
    .describe(`${what} Within 5 %; null if there were none.`);

const block = z.object({
  messages: count.describe('Accepted. By the first channel of the chain that may be used; of no provider.'),
  steps_sent: count.describe('Hand-overs accepted by an upstream, resends among them.'),
  delivered: count.describe('Hand-overs with a positive receipt, also a late one.'),
  delivery_rate: rate.describe('delivered ÷ steps_sent'),
  verifications: count.describe(
    'Codes made by the platform with at least one step sent. With all that became of them by channel and provider of their first hand-over.',
  ),
  verified: count,
  verified_rate: rate.describe('verified ÷ verifications'),
  latency_ms: z.object({
    accept_to_sent: latency('From acceptance to the first hand-over of a message.'),
    sent_to_delivered: latency('From each hand-over to its positive receipt.'),
    accept_to_verified: latency('From the acceptance of the first message of a code to the right code.'),
  }),
  resends: count.describe(
    'Asked for by `POST /v1/messages/{id}/resend`. By the channel under which the message counts.',
  ),
  resend_rate: rate.describe('resends ÷ messages'),
  fallbacks: count.describe(
    'Messages of which more than one step was handed over. By the channel under which they count.',
  ),
  fallback_rate: rate.describe('fallbacks ÷ messages'),
  wrong_codes: count.describe(
    'Wrong codes typed after the first hand-over, the one that used up the attempts among them.',
  ),
  exhausted: count.describe('Codes whose attempts were used up.'),
  expired: count.describe('Codes that ran out unverified after at least one step was sent.'),
  cost: z.number().min(0).describe('Of all hand-overs, less what was given back for failed ones, in `currency`.'),
  cost_per_verified: z.number().min(0).nullable().describe('cost ÷ verified; null if nobody was.'),
});

const keyPart = z.string().nullable().optional();

export const answer = z.object({
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  computed_until: z.iso.datetime().describe('What happened before it is counted; normally some seconds ago.'),
  currency: z.string().describe('ISO 4217'),
  totals: block,
  rows: z
    .array(
      block.extend({
        key: z
          .object({
            country: keyPart,
            channel: keyPart,
            template: keyPart,
            hour: keyPart,
            day: keyPart,
            provider: keyPart,
          })
          .describe('What was grouped by; null where there is none.'),
      }),
    )
    .describe('One for each group with anything in it, in the order of the keys; empty without `group_by`.'),
});
