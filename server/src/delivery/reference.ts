/**
 * Our name for a hand-over at the upstream: short enough for every field there is, and enough to find the attempt again when its
 * acceptance was never seen. Application, message, attempt, and what changes with a retry after a refusal.
 */
import type { Ids } from './content.ts';

export const referenceOf = (
  { applicationId, messageId }: Ids,
  { attempt, reference }: { attempt: number; reference: number },
): string => [short(applicationId), short(messageId), attempt, reference].join('-');

const short = (id: string): string => BigInt(id).toString(36);

interface Reference extends Ids {
  attempt: number;
  reference: number;
}

/** Null for what is none of ours. */
export function readReference(text: string): Reference | null {
  const [, application, message, attempt, reference] =
    /^([0-9a-z]{1,13})-([0-9a-z]{1,13})-([1-9]\d{0,3})-(\d{1,4})$/.exec(text) ?? [];
  if (application === undefined || message === undefined) return null;
  return {
    applicationId: long(application),
    messageId: long(message),
    attempt: Number(attempt),
    reference: Number(reference),
  };
}

const long = (text: string): string =>
  [...text].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n).toString();
