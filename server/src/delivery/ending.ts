/**
 * How a delivery ends: verified, exhausted, cancelled, superseded by others, or expired at its deadline. Afterwards nothing is
 * sent any more; outcomes and receipts of what has left are still recorded. A promised fallback is closed here (contract §7.3).
 */
import { type Change, endWith, row, stopWaiting } from './change.ts';
import { countWaiting, type EndReason, isOpen, usableAfter } from './state.ts';

/** Ended by the verification or by a request; writes fallback_cancelled where steps were waiting. */
export function end(change: Change, reason: EndReason): void {
  if (change.state.ended === null) endWith(change, reason);
}

/** A newer message with the same verification was sent: its twin in ending-store.ts is what a send does. */
export function overtake(change: Change): void {
  const { state, nowMs } = change;
  if (isOpen(state, nowMs) && (countWaiting(state) > 0 || state.request !== null)) stopWaiting(change);
}

export interface Deadline {
  /** The message under whose id verified_timeout is reported: the newest of its verification. */
  newest: boolean;
  /** Another message of the verification was handed over. */
  sentElsewhere: boolean;
}

/** The code expired unverified, or the 24 hours of a message without one are over. */
export function expire(change: Change, { newest, sentElsewhere }: Deadline): void {
  const { state } = change;
  if (state.ended !== null) return;
  const unsent = state.active !== null && !state.inFlight;
  const next = unsent ? (state.active?.step ?? 0) : (usableAfter(state, state.position) ?? state.position);
  const attempt = unsent ? (state.active?.attempt ?? 0) : state.attempts;
  endWith(change, 'expired');
  const reports = state.hasVerification && newest;
  if (reports && (state.sentCount > 0 || sentElsewhere)) timeout(change);
  // The outcome under way decides which row comes last.
  else if (state.inFlight) state.owesTimeout = reports;
  else if (state.promised) row(change, 'sent_failed', 'expired', { step: next, attempt, errorCode: 5001 });
  else if (unsent && state.sentCount === 0)
    row(change, 'sent_failed', 'expired', { step: next, attempt, errorCode: 5016 });
}

/** After an outcome that came past the deadline. */
export function settleExpired(change: Change): void {
  const { state } = change;
  if (!state.owesTimeout || state.inFlight) return;
  state.owesTimeout = false;
  if (state.sentCount > 0) timeout(change);
}

function timeout(change: Change): void {
  const { current } = change.state;
  row(change, 'verified_timeout', 'expired', { ...current, errorCode: 3003 });
}
