/** The rule of what may be sent (contract §5.5 step 10), over everything of a content that a person reads. Pure. */
import type { Content } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';
import { isCompliant } from '../templates/index.ts';

/** Throws 5014. */
export function requireCompliant({ text, subject, html, from, fromName }: Content): void {
  const parts = [text, subject, html, from, fromName];
  if (!parts.every((part) => part === undefined || isCompliant(part)))
    throw new ApiError(5014, 'content not compliant');
}
