/**
 * Why a send was let through or not, as it is shown: the limits it met with their counts, the rules that fired, what budgets and
 * the customer's own hook said. Written with the message; nothing in it is the code or a parameter.
 */
import { z } from 'zod';
import type { LimitNote } from '../limits/index.ts';

const limitNote = z.object({
  policy: z.string(),
  count: z.int().describe('Before this send.'),
  limit: z.int(),
  window_seconds: z.int(),
  mode: z.enum(['enforce', 'shadow']),
});
const ruleNote = z.object({
  rule: z.string(),
  mode: z.enum(['enforce', 'shadow']),
  verdict: z.string(),
  because: z.string(),
});
const budgetNote = z.object({
  budget: z.string(),
  spent_micros: z.int().describe('Before this send.'),
  cap_micros: z.int(),
  action: z.string(),
});
const hookNote = z.object({ answer: z.string(), took_ms: z.number(), failed: z.string().optional() });

export const decisionSchema = z.object({
  limits: z.array(limitNote).describe('Every limit that was asked.'),
  rules: z.array(ruleNote).describe('Every fraud rule that fired, those in shadow among them.'),
  budgets: z.array(budgetNote).describe('Every budget it falls under.'),
  hook: hookNote.nullable().describe('What the pre-send hook said; null where none was asked.'),
  monitored: z.boolean().describe('Whether sends to its country are monitored.'),
});
export type DecisionView = z.infer<typeof decisionSchema>;

/** What is found before the accepting statement. */
export interface GateReport {
  rules?: z.infer<typeof ruleNote>[];
  budgets?: z.infer<typeof budgetNote>[];
  /** `reason` is for operators alone. */
  hook?: z.infer<typeof hookNote> & { reason?: string };
  country?: 'monitored';
  [word: string]: unknown;
}

/** What is stored with a message or a refusal: that, and what the accepting statement found, by who looked. */
export interface StoredDecision extends GateReport {
  target?: LimitNote[];
  rate?: LimitNote[];
  spend?: z.infer<typeof budgetNote>[];
}

export function decisionView(stored: StoredDecision | null): DecisionView {
  const { target = [], rate = [], spend = [], rules = [], budgets = spend, hook, country } = stored ?? {};
  return {
    limits: [...target, ...rate].map((note) => ({ ...note, mode: note.mode ?? 'enforce' })),
    rules,
    budgets,
    hook: hook ? { answer: hook.answer, took_ms: hook.took_ms, ...(hook.failed && { failed: hook.failed }) } : null,
    monitored: country === 'monitored',
  };
}
