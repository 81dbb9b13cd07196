/**
 * What may stand in a text that is about to be sent (contract §5.5 step 10), pure. A person must read what was written: overrides
 * of the reading direction show a text backwards, and control characters are read differently by every carrier and handset.
 */
import type { Content } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';

/** Controls but tab and line ends, the two overrides of direction, non-characters, halves of surrogate pairs. */
const refused = /[\u202d\u202e\ufffe\uffff\p{Cs}]|(?![\t\n\r])\p{Cc}/u;

/** Throws 5014. */
export function requireCompliant({ text, subject, html, from, fromName }: Content): void {
  const parts = [text, subject, html, from, fromName];
  if (parts.some((part) => part !== undefined && refused.test(part))) throw new ApiError(5014, 'content not compliant');
}
