/** What a hook answered, read strictly: a decision, or in a few words why it is none. Pure. */
import { z } from 'zod';
import type { OutboundAnswer } from '../platform/outbound.ts';
import { printable } from '../platform/printable.ts';
import { type Decision, decisions } from './hook.ts';

export type Read = { decision: Decision; reason: string | null } | { failed: string };

const maxAnswerBytes = 4_096;
const maxReasonLength = 200;

/** A reason that is no text is as good as none: the decision counts. */
const answerSchema = z.object({ decision: z.enum(decisions), reason: z.string().nullish().catch(null) });

export function readAnswer(answer: OutboundAnswer): Read {
  if (answer.kind === 'failed') return { failed: `${answer.reason}: ${answer.detail}` };
  const { status, body } = answer;
  if (status >= 300 && status < 400) return { failed: `answered ${status}: redirects are not followed` };
  if (status !== 200) return { failed: `answered ${status}` };
  if (Buffer.byteLength(body) > maxAnswerBytes) return { failed: `answer larger than ${maxAnswerBytes} bytes` };
  const parsed = answerSchema.safeParse(parse(body));
  if (!parsed.success) return { failed: 'answer without a decision' };
  const { decision, reason } = parsed.data;
  return { decision, reason: reason ? shown(reason) : null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** By characters, not code units, so that none is cut in two. */
const shown = (text: string): string =>
  [...printable(text, maxAnswerBytes).replaceAll(/\s+/g, ' ')].slice(0, maxReasonLength).join('');
