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

export const decisionSchema = z.object({
  limits: z.array(limitNote).describe('Every limit that was asked.'),
});
export type DecisionView = z.infer<typeof decisionSchema>;

/** What is stored with a message or a refusal: by who looked. */
export interface StoredDecision {
  target?: LimitNote[];
  rate?: LimitNote[];
}

export function decisionView(stored: StoredDecision | null): DecisionView {
  const { target = [], rate = [] } = stored ?? {};
  return {
    limits: [...target, ...rate].map((note) => ({ ...note, mode: note.mode ?? 'enforce' })),
  };
}
