/**
 * What support reads out about a message: how it stands and why, in one sentence, and what to do next. Made from the ledger, so that
 * it says no more than is known.
 */
import type { DeliveryView } from '../delivery/index.ts';
import { errorTable } from '../errors.ts';
import type { LedgerEntry } from '../events/index.ts';
import type { VerificationState } from '../verifications/index.ts';
import { timelineText, titleOf } from './story.ts';

export interface Explanation {
  cause: string;
  next_step: string;
}

const ends: Partial<Record<VerificationState, Explanation>> = {
  verified: { cause: 'The right code was entered.', next_step: 'Nothing is to be done.' },
  superseded: { cause: 'A newer code took its place.', next_step: 'Look at the newest message to this recipient.' },
};

export function explain(
  view: DeliveryView,
  verification: VerificationState | null,
  events: readonly LedgerEntry[],
): Explanation {
  const end = verification === null ? undefined : ends[verification];
  if (end) return end;
  if (verification === 'exhausted') return exhausted(view);
  if (view.state === 'cancelled')
    return { cause: 'It was cancelled.', next_step: 'Send a new message if it is still wanted.' };
  const expired = verification === 'expired';
  if (view.state === 'delivered') return delivered(view, events, expired);
  if (view.state === 'failed' || view.state === 'invalid') return failed(events);
  if (view.state === 'sent') return sent(view, events, expired);
  return { cause: lastSentence(events), next_step: 'Wait: the next step follows by itself.' };
}

/** The code is closed, but what forbids a second send while it lives stays (contract §5.6). */
const exhausted = ({ deadlineAtMs }: DeliveryView): Explanation => ({
  cause: 'Too many wrong codes were entered; the code is closed.',
  next_step: `Send a new code, under the resend policy compat not before ${new Date(deadlineAtMs).toISOString()}; look whether somebody is guessing.`,
});

function delivered(view: DeliveryView, events: readonly LedgerEntry[], expired: boolean): Explanation {
  const last = events.findLast((entry) => entry.status === 'delivered');
  const cause = `${titleOf(last?.channel ?? view.channel)} was delivered`;
  if (expired) return { cause: `${cause}, and the code expired without being entered.`, next_step: 'Send a new code.' };
  return { cause: `${cause}.`, next_step: 'Ask the person to enter the code; resend only when it cannot be found.' };
}

function sent(view: DeliveryView, events: readonly LedgerEntry[], expired: boolean): Explanation {
  const cause = `${titleOf(view.channel)} was taken over for delivery and no receipt has come`;
  if (expired)
    return { cause: `${cause}; the code expired.`, next_step: 'Send a new code, by another channel if there is one.' };
  const waits = view.steps.some(({ state }) => state === 'waiting');
  const tried = events.some((entry) => entry.cause === 'no_receipt') ? ' within its wait' : '';
  return {
    cause: `${cause}${tried}.`,
    next_step: waits
      ? 'Wait for the next channel, or start it now with next-channel.'
      : 'Wait for the receipt, or resend.',
  };
}

function failed(events: readonly LedgerEntry[]): Explanation {
  const last = events.findLast((entry) => entry.errorCode !== undefined && entry.status !== 'verified_timeout');
  if (last?.errorCode === undefined)
    return { cause: lastSentence(events), next_step: 'Send again by another channel or to another address.' };
  const detail = last.data?.['reason'];
  const why = typeof detail === 'string' && detail.includes(' ') ? ` The upstream said: ${detail}.` : '';
  return { cause: `${timelineText(last)}${why}`, next_step: errorTable[last.errorCode].next };
}

const lastSentence = (events: readonly LedgerEntry[]): string => {
  const last = events.at(-1);
  return last ? timelineText(last) : 'Nothing is known of it.';
};
