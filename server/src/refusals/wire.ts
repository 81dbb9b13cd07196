/** How refused sends look on the wire. */
import { z } from 'zod';
import { plainText } from '../wire.ts';
import type { FoundRefusals } from './find-refusals.ts';
import type { KeptRefusal } from './refusal.ts';

const time = z.string().max(64).optional();

export const query = z.object({
  to: plainText(1, 320).optional().describe('The recipient, in any form it may be sent in.'),
  code: z.coerce.number().int().min(1000).max(9999).optional().describe('Of the error, such as 5015.'),
  from: time.describe('RFC 3339 or unix seconds; default 24 hours ago.'),
  until: time.describe('Default now.'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  before: z.string().max(64).optional().describe('`next_before` of the last page.'),
});
export const operatorQuery = query.extend({ application_id: z.string().min(1).max(64) });

const refusal = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  to: z.string().nullable(),
  country: z.string().nullable(),
  template_id: z.string().nullable(),
  key_id: z.string().nullable(),
  request_id: z.string().nullable(),
  code: z.int(),
  reason: z.string().nullable().describe('Its stable slug, where it has one.'),
  decision: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe(
      'What was consulted: limits with their counts, rules that fired, budgets, the pre-send hook. Null where the request was refused before anything was asked.',
    ),
  ip: z.string().nullable().describe('Of your user, as the request gave it.'),
});

export const answer = z.object({ refusals: z.array(refusal), next_before: z.string().nullable() });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The words of the hook's owner are for the operator alone. */
function withoutReason(decision: KeptRefusal['decision']): KeptRefusal['decision'] {
  const hook = decision?.['hook'];
  if (!isRecord(hook)) return decision;
  const { reason: _, ...shown } = hook;
  return { ...decision, hook: shown };
}

export const toAnswer = (
  { refusals, nextBefore }: FoundRefusals,
  reader: 'key' | 'operator',
): z.infer<typeof answer> => ({
  refusals: refusals.map((one) => ({
    id: one.id,
    at: one.at.toISOString(),
    to: one.recipient,
    country: one.country,
    template_id: one.templateId,
    key_id: one.keyId,
    request_id: one.requestId,
    code: one.code,
    reason: one.reason,
    decision: reader === 'key' ? withoutReason(one.decision) : one.decision,
    ip: one.ip,
  })),
  next_before: nextBefore,
});
