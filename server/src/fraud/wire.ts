/** Rule sets, reports and blocks as the operator sees them. */
import { z } from 'zod';
import {
  type FactName,
  factNames,
  factTexts,
  factTypes,
  type RuleSet,
  ruleSetSchema,
  subjectKinds,
} from '../fraud-rules/index.ts';
import { plainText } from '../wire.ts';
import type { Block } from './block-store.ts';
import type { StoredRuleSet } from './store.ts';
import type { Tally } from './tally-store.ts';

export const applicationParams = z.object({ application_id: z.string().min(1).max(64) });
export const author = plainText(1, 128).default('operator').describe('Who decided it.');
const limit = z.coerce.number().int().min(1).max(100).default(20);
const time = z.iso.datetime();

export const ruleSetBody = z.object({ ...ruleSetSchema.shape, author });
/** In replies the rules are shown as they stand. */
const shownRules = z.array(z.record(z.string(), z.unknown()));
export const shownSet = z.object({
  application_id: z.string(),
  version: z.int().describe('0: never changed.'),
  is_default: z.boolean().describe('The shipped rules hold.'),
  author: z.string().nullable(),
  changed_at: time.nullable(),
  rules: shownRules,
  automatic_blocks: ruleSetSchema.shape.automatic_blocks,
  shadow_until: z.iso.datetime({ offset: true }).nullable(),
});

export function toShownSet(
  applicationId: string,
  stored: StoredRuleSet | null,
  set: RuleSet,
): z.infer<typeof shownSet> {
  return {
    application_id: applicationId,
    version: stored?.version ?? 0,
    is_default: (stored?.document ?? null) === null,
    author: stored?.author ?? null,
    changed_at: stored?.createdAt.toISOString() ?? null,
    rules: set.rules.map((rule) => ({ ...rule })),
    automatic_blocks: set.automatic_blocks,
    shadow_until: set.shadow_until,
  };
}

export const versionQuery = z.object({ limit, below: z.coerce.number().int().min(1).optional() });
export const versions = z.object({
  versions: z.array(
    z.object({
      version: z.int(),
      is_default: z.boolean(),
      author: z.string(),
      changed_at: time,
      document: z.record(z.string(), z.unknown()).nullable().describe('null: the shipped rules.'),
    }),
  ),
  next_below: z.int().nullable(),
});
export const toVersion = (stored: StoredRuleSet): z.infer<typeof versions>['versions'][number] => ({
  version: stored.version,
  is_default: stored.document === null,
  author: stored.author,
  changed_at: stored.createdAt.toISOString(),
  document: stored.document as Record<string, unknown> | null,
});

export const reportQuery = z.object({ from: z.iso.date().optional(), until: z.iso.date().optional() });
export const report = z.object({
  rules: z.array(
    z.object({
      day: z.iso.date(),
      rule: z.string(),
      evaluated: z.int(),
      fired: z.int(),
      shadow: z.int(),
      unreadable: z.int(),
    }),
  ),
});
export const toReportRow = ({ applicationId: _, ...tally }: Tally): z.infer<typeof report>['rules'][number] => tally;

export const factList = z.object({
  facts: z.array(z.object({ fact: z.string(), type: z.enum(['text', 'number', 'boolean']), text: z.string() })),
});
export const facts = (): z.infer<typeof factList> => ({
  facts: factNames.map((fact: FactName) => ({ fact, type: factTypes[fact], text: factTexts[fact] })),
});

export const blockParams = z.object({ block_id: z.string().min(1).max(64) });
export const blockQuery = z.object({
  application_id: plainText(1, 64).optional(),
  active: z.enum(['true', 'false']).optional(),
  limit,
  cursor: z.string().max(64).optional(),
});
export const block = z.object({
  id: z.string(),
  application_id: z.string(),
  kind: z.enum(subjectKinds),
  subject: z.string(),
  source: z.string().describe('automatic, or the rule that made it.'),
  level: z.int().describe('1: an hour, 2: a day, 3: until lifted; 0 for those of rules.'),
  channels: z.array(z.string()).describe('Closed ones; empty: the whole send is refused.'),
  reasons: z.object({
    because: z.string(),
    codes: z.int().optional(),
    verified: z.int().optional(),
    window_minutes: z.int().optional(),
  }),
  active: z.boolean(),
  since: time,
  until: time.nullable().describe('null: until lifted.'),
  lifted_at: time.nullable(),
  lifted_by: z.string().nullable(),
});
export const toBlock = (found: Block): z.infer<typeof block> => ({
  id: found.id,
  application_id: found.applicationId,
  kind: found.kind,
  subject: found.subject,
  source: found.source,
  level: found.level,
  channels: found.channels,
  reasons: found.reasons,
  active: found.active,
  since: found.since.toISOString(),
  until: found.until?.toISOString() ?? null,
  lifted_at: found.liftedAt?.toISOString() ?? null,
  lifted_by: found.liftedBy,
});
