/** What was used, for the operator's bills. */
import { z } from 'zod';
import { defineOperation, type Operation, TextAnswer } from '../http/operation.ts';
import { plainText } from '../wire.ts';
import type { Office } from './office.ts';
import { readUsage, writeUsage } from './usage.ts';

const time = z.string().max(64).optional();
const count = z.int().min(0);

const query = z.object({
  from: time.describe('RFC 3339 or unix seconds; the day (UTC) it lies in counts whole. Default one day.'),
  until: time.describe('A day that has begun before it counts whole. Default now, at most 92 days after `from`.'),
  application_id: plainText(1, 64).optional(),
  format: z.enum(['json', 'csv']).default('json'),
});

const answer = z.object({
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  currency: z.string().describe('ISO 4217'),
  rows: z.array(
    z.object({
      day: z.iso.date().describe('UTC, in which the message was accepted.'),
      application_id: z.string(),
      channel: z.string(),
      country: z.string().nullable().describe('Of the number; null for e-mail.'),
      provider: z.string(),
      messages: count.describe('With at least one attempt in this row: one that went by two channels counts in both.'),
      attempts: count.describe('Provider calls that were accepted.'),
      segments: count.nullable().describe('Billed parts of SMS; null where none are counted.'),
      cost_micros: count.describe('Of the attempts when they were handed over.'),
      refunded_micros: count.describe('Of it, given back for attempts that were not delivered.'),
    }),
  ),
});

const day = '2026-07-02';
const row = { day, application_id: '2072832692843446273', channel: 'sms', country: 'SG', provider: 'carrier-a' };
const sums = { messages: 1000, attempts: 1040, segments: 1040, cost_micros: 42_848_000, refunded_micros: 41_200 };
const example = {
  from: '2026-07-02T00:00:00.000Z',
  until: '2026-07-03T00:00:00.000Z',
  currency: 'USD',
  rows: [{ ...row, ...sums }],
};

export const createUsageOperations = (office: Office): Operation[] => [
  defineOperation(
    {
      id: 'getUsage',
      method: 'GET',
      path: '/admin/v1/usage',
      tag: 'Operator: prices',
      auth: 'operator',
      summary: 'Read or download what was used and what it cost, by day, application, channel, country and provider',
      description:
        'Counted from the provider calls themselves when it is asked for, to the micro. Reaches back as far as messages are kept (`retention_days` of each application).',
      input: { query },
      output: answer,
      otherwise: {
        mediaType: 'text/csv',
        description:
          'With `format=csv`: the same rows, the first line names the columns. `cost` is what is left after refunds, as a decimal.',
        example: writeUsage(example),
      },
      errors: [4001],
      examples: [{ name: 'a day', output: example }],
    },
    async ({ query: { format, ...asked } }) => {
      const usage = await readUsage(office, asked);
      return format === 'csv' ? new TextAnswer(writeUsage(usage)) : usage;
    },
  ),
];
