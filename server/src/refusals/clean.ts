/**
 * What callers wrote, made fit to be stored and shown: no byte the database refuses, nothing longer than needed, recipients in the
 * form in which they are searched. Pure.
 */
import { printable } from '../platform/printable.ts';
import type { Refusal } from './refusal.ts';

const maxBytes = 512;

/** The form in which recipients are kept and searched; throws for what can be no address. */
export type NormaliseRecipient = (text: string) => string;

/** Also for what is no address: somebody looks for why it was refused. */
export function recipientForm(text: string, normalise: NormaliseRecipient): string {
  try {
    return normalise(text);
  } catch {
    return printable(text, maxBytes).trim();
  }
}

const shown = (text: string | null): string | null => text && printable(text, maxBytes);

export const cleaned = (refusal: Refusal, normalise: NormaliseRecipient): Refusal => ({
  ...refusal,
  recipient: refusal.recipient && recipientForm(refusal.recipient, normalise),
  country: shown(refusal.country),
  templateId: shown(refusal.templateId),
  requestId: shown(refusal.requestId),
  reason: shown(refusal.reason),
  decision: refusal.decision && cleanedReport(refusal.decision),
  ip: shown(refusal.ip),
});

const cleanedReport = (report: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(report, (_, value: unknown) => (typeof value === 'string' ? printable(value, maxBytes) : value)),
  ) as Record<string, unknown>;
