/** The operator's question what other fraud rules would have done. */
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { findRuleSet } from '../fraud/index.ts';
import { type RuleSet, readRuleSet, ruleSetSchema } from '../fraud-rules/index.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import { type BackTestPorts, type BackTestResult, backTest } from './back-test.ts';
import { closesPrefixes } from './closures.ts';
import type { Sums } from './figures.ts';

export type { Operation } from '../http/operation.ts';

export interface OperationsPorts extends BackTestPorts {
  application(id: string): Promise<Application | null>;
  /** The shipped rules as they hold for an application. */
  shipped(applicationId: string): RuleSet;
  /** ISO 4217 code of every cost. */
  currency: string;
}

const count = z.int().min(0);
const money = z.number();
const sums = z.object({
  sends: count,
  verified: count.describe('Of the sends.'),
  blocked: count,
  challenged: count,
  narrowed: count.describe('Would have lost channels.'),
  false_positives: count.describe('Blocked or challenged, and verified later.'),
  narrowed_verified: count.describe('Would have lost channels, and verified later.'),
  cost: money,
  saved: money.describe('Cost of what would not have been sent.'),
});
const answer = z.object({
  application_id: z.string(),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  complete: z.boolean().describe('false: it ended at a bound; what lies behind `until` was not judged.'),
  currency: z.string(),
  totals: sums,
  by_country: z.array(sums.extend({ country: z.string().nullable() })),
  by_rule: z.array(
    z.object({
      rule: z.string(),
      mode: z.enum(['enforce', 'shadow']),
      sends: count.describe('That it decided, or would have matched in shadow.'),
      verified: count.describe('Of those, verified later.'),
      saved: money,
    }),
  ),
});
const body = z.object({
  rules: ruleSetSchema.shape.rules.optional().describe('Those that hold unless given.'),
  automatic_blocks: ruleSetSchema.shape.automatic_blocks.optional(),
  days: z.int().min(1).max(30).default(7),
});

const block = {
  sends: 48_200,
  verified: 33_100,
  blocked: 0,
  challenged: 310,
  narrowed: 9_800,
  false_positives: 2,
  narrowed_verified: 11,
  cost: 2410.5,
  saved: 492.7,
};
const example: z.infer<typeof answer> = {
  application_id: '2072832692843446273',
  from: '2026-06-26T00:00:00.000Z',
  until: '2026-07-03T00:00:00.000Z',
  complete: true,
  currency: 'USD',
  totals: block,
  by_country: [{ ...block, country: 'SG' }],
  by_rule: [{ rule: 'automatic_block', mode: 'enforce', sends: 9_800, verified: 11, saved: 490.2 }],
};

export function createOperations(ports: OperationsPorts): Operation[] {
  let isRunning = false;
  return [
    defineOperation(
      {
        tag: 'Operator: fraud',
        auth: 'operator',
        id: 'backTestFraudRules',
        method: 'POST',
        path: '/admin/v1/applications/{application_id}/fraud-rules/back-test',
        summary: 'Tell what fraud rules would have done to the last days',
        description:
          'Every send of the last days is judged by what was known before it; nothing is changed. Facts are of what really happened, so what would have been refused counts for later sends all the same. Sends of trusted users are not judged, shadow_until is not looked at. One at a time on a node, others answer 429; what takes too long ends early with complete: false.',
        input: { params: z.object({ application_id: z.string().min(1).max(64) }), body },
        bodyOptional: true,
        output: answer,
        errors: [4001],
        examples: [{ name: 'a week', body: { days: 7 }, output: example }],
      },
      async ({ params: { application_id: id }, body: { days, ...changes }, signal }) => {
        const application = isId(id) ? await ports.application(id) : null;
        if (!application) throw new ApiError(4001, 'application not found', { status: 404 });
        if (isRunning) throw new ApiError(3004, 'too many requests', { status: 429, retryAfter: 10 });
        isRunning = true;
        try {
          const set = await setOf(ports, id, changes);
          const prefixes = closesPrefixes(set.automatic_blocks, application.network);
          const request = { applicationId: id, set, closesPrefixes: prefixes, days, signal };
          return toWire(id, await backTest(ports, request), ports.currency);
        } finally {
          isRunning = false;
        }
      },
    ),
  ];
}

async function setOf(
  { db, shipped }: OperationsPorts,
  id: string,
  { rules, automatic_blocks }: Omit<z.infer<typeof body>, 'days'>,
): Promise<RuleSet> {
  const standing = ((await findRuleSet(db, id))?.document as object | null | undefined) ?? shipped(id);
  return readRuleSet({ ...standing, ...(rules && { rules }), ...(automatic_blocks && { automatic_blocks }) });
}

const toSums = ({ cost_micros, saved_micros, ...counts }: Sums): z.infer<typeof sums> => ({
  ...counts,
  cost: cost_micros / 1_000_000,
  saved: saved_micros / 1_000_000,
});

const toWire = (application_id: string, result: BackTestResult, currency: string): z.infer<typeof answer> => ({
  application_id,
  from: new Date(result.fromMs).toISOString(),
  until: new Date(result.untilMs).toISOString(),
  complete: result.complete,
  currency,
  totals: toSums(result.figures.totals()),
  by_country: result.figures.byCountry().map(({ country, ...rest }) => ({ country, ...toSums(rest) })),
  by_rule: result.figures.byRule().map(({ saved_micros, ...rest }) => ({ ...rest, saved: saved_micros / 1_000_000 })),
});
