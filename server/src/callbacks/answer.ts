/** What a receiver answered, in the words an operator reads. Pure. */
import type { OutboundAnswer } from '../platform/outbound.ts';

const maxShown = 2_048;

/** Contract §10.3: only 2xx is success; redirects are not followed. */
export const isAccepted = (answer: OutboundAnswer): boolean =>
  answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;

/** `answered 204`, or why there was no good answer. */
export function noteOf(answer: OutboundAnswer): string {
  if (answer.kind === 'answered') {
    const redirect = answer.status >= 300 && answer.status < 400;
    return `answered ${answer.status}${redirect ? '; redirects are not followed' : ''}`;
  }
  const { reason, detail, sent } = answer;
  if (reason !== 'connection') return detail;
  return `${sent ? 'the connection broke off' : 'no connection'}: ${detail}`;
}

/** The first 2 kB without control characters; null where there is nothing to show. */
export function shownText(answer: OutboundAnswer): string | null {
  if (answer.kind === 'failed') return null;
  const text = answer.body.slice(0, maxShown).replace(/[\p{Cc}\p{Cs}]/gu, '');
  return text === '' ? null : text;
}
