/** What a receiver answered, in the words an operator reads. Pure. */
import type { OutboundAnswer } from '../platform/outbound.ts';
import { printable } from '../platform/printable.ts';

const maxShownBytes = 2_048;

/** Contract §10.3: only 2xx is success; redirects are not followed. */
export const isAccepted = (answer: OutboundAnswer): boolean =>
  answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;

/** `answered 204`, or why there was no good answer. */
export function noteOf(answer: OutboundAnswer): string {
  if (answer.kind === 'answered') {
    const { status } = answer;
    if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
    return `answered ${status}`;
  }
  return `${answer.reason}: ${answer.detail}`;
}

/** The first 2 kB of the answer, printable; null where there is nothing to show. */
export const shownText = (answer: OutboundAnswer): string | null =>
  answer.kind === 'failed' || answer.body === '' ? null : printable(answer.body, maxShownBytes);
