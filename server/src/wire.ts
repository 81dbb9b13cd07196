/**
 * Pieces of the wire that several rooms' operations share: text without control characters, signals, ids within retention.
 * Ground floor, like errors.ts.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { invalid } from './errors.ts';
import { timeOfId } from './platform/ids.ts';
import type { Application } from './policy.ts';

const dayMs = 86_400_000;

/** Neither control characters (line feed and tab may stand in values) nor half surrogate pairs: no store or carrier takes them. */
export function isPlain(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.isWellFormed() && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text);
}

export function plainText(min: number, max: number): z.ZodString {
  return z.string().min(min).max(max).refine(isPlain, 'must not contain control characters');
}

export const signalsSchema = z.object({
  ip: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IPv4 or IPv6 address')
    .optional(),
  user_agent: plainText(0, 512).optional(),
  device_id: plainText(0, 128).optional(),
  session_id: plainText(0, 128).optional(),
  is_trusted_user: z.boolean().optional(),
  captcha_passed: z
    .boolean()
    .optional()
    .describe(
      'Your user has just passed a proof of yours; challenges are answered by it. Ignored from keys of kind agent.',
    ),
});

/** Whether a message of this id may still be spoken of: 24 hours in a sandbox, else the retention of the application (contract §12, §13). */
export function isRetained(messageId: string, application: Application, nowMs: number): boolean {
  return nowMs - timeOfId(messageId) < retentionMs(application);
}

/** How long messages of the application are kept. */
export function retentionMs({ sandbox, policy }: Pick<Application, 'sandbox' | 'policy'>): number {
  return (sandbox === 'none' ? policy.retention_days : 1) * dayMs;
}

/** Milliseconds since 1970 of an RFC 3339 text or unix seconds. */
export function timeOf(text: string | undefined, field: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const ms = /^\d{1,11}$/.test(text)
    ? Number(text) * 1000
    : /^\d{4}-\d{2}-\d{2}/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isNaN(ms)) throw invalid([{ field, problem: 'must be an RFC 3339 time or unix seconds' }]);
  return ms;
}
