/** What a rule set is: schema, ranges and defaults in one place. */
import { z } from 'zod';
import { plainText } from '../wire.ts';
import { type Condition, faultsOf } from './condition.ts';

const channelNames = ['whatsapp', 'sms', 'email', 'voice'] as const;
const verdicts = ['allow', 'challenge', 'block', 'block_for'] as const;
export const subjectKinds = ['prefix', 'ip', 'device'] as const;
/** What a block holds for. */
export type SubjectKind = (typeof subjectKinds)[number];

/** Checked by hand, because what a comparison may hold depends on its fact. */
const condition = z
  .record(z.string(), z.unknown())
  .superRefine((node, context) => {
    for (const { path, problem } of faultsOf(node)) context.addIssue({ code: 'custom', path, message: problem });
  })
  .meta({
    description:
      '{"all":[…]}, {"any":[…]}, {"not":…} or {"fact":…,"op":…,"value":…}; op is eq, ne, gt, gte, lt, lte, in or not_in.',
    examples: [{ fact: 'number_type', op: 'eq', value: 'PREMIUM_RATE' }],
  });

const ruleSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and underscores'),
    title: plainText(1, 200),
    source: plainText(1, 500).optional().describe('Where its numbers come from.'),
    mode: z.enum(['shadow', 'enforce']).describe('shadow: evaluated and reported, decides nothing.'),
    when: condition,
    verdict: z.enum(verdicts),
    seconds: z.int().min(1).max(2_592_000).optional().describe('With block_for, and only there.'),
    per: z.enum(subjectKinds).optional().describe('What block_for holds for; prefix unless given.'),
    channels: z
      .array(z.enum(channelNames))
      .min(1)
      .optional()
      .describe('Only these are closed, the others stay open; absent: the whole send is meant.'),
  })
  .superRefine(({ verdict, seconds, per, channels }, context) => {
    const fault = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    const holds = verdict === 'block_for';
    if (holds !== (seconds !== undefined)) fault('seconds', holds ? 'required' : 'only with block_for');
    if (!holds && per !== undefined) fault('per', 'only with block_for');
    if (verdict === 'allow' && channels !== undefined) fault('channels', 'not with allow');
  })
  .meta({
    examples: [
      {
        ...{ id: 'premium_numbers', title: 'Premium numbers', source: 'upstreams', mode: 'shadow' },
        when: { fact: 'number_type', op: 'eq', value: 'PREMIUM_RATE' },
        ...{ verdict: 'block_for', seconds: 3_600, per: 'prefix', channels: ['sms', 'voice'] },
      },
    ],
  });

const automaticBlocks = z.strictObject({
  enabled: z
    .enum(['live', 'always', 'never'])
    .default('live')
    .describe('live: not while the application is on the virtual network.'),
  minimum_sends: z.int().min(5).max(10_000).default(20),
  below_share: z.number().min(0.01).max(1).default(0.2),
  window_minutes: z.int().min(5).max(60).default(30),
});

export const ruleSetSchema = z.strictObject({
  rules: z
    .array(ruleSchema)
    .max(100)
    .superRefine((rules, context) => {
      for (const [i, { id }] of rules.entries())
        if (rules.findIndex((other) => other.id === id) < i)
          context.addIssue({ code: 'custom', path: [i, 'id'], message: 'used twice' });
    }),
  automatic_blocks: automaticBlocks
    .prefault({})
    .describe('Closes sms and voice for a prefix with so many codes over, of which too few were verified.'),
  shadow_until: z.iso
    .datetime({ offset: true })
    .nullable()
    .default(null)
    .describe('Until then every rule is in shadow. Automatic blocks are not.'),
});

export type RuleVerdict = (typeof verdicts)[number];
export type AutomaticBlocks = z.infer<typeof automaticBlocks>;
export interface Rule extends Omit<z.infer<typeof ruleSchema>, 'when'> {
  when: Condition;
}
export interface RuleSet extends Omit<z.infer<typeof ruleSetSchema>, 'rules'> {
  rules: Rule[];
}

/** Throws for what the schema refuses. */
export const readRuleSet = (document: unknown): RuleSet => ruleSetSchema.parse(document) as unknown as RuleSet;
