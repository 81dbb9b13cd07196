/**
 * What follows from a receipt or from its absence (contract §7.2, §7.3). Receipts come early, late, twice or never: each status
 * is reported once per hand-over, an answer never moves a state backwards, and a late one is marked. What one provider reports says
 * nothing of what another accepted.
 */
import type { Receipt, Undelivered } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';
import {
  abandonPlanned,
  type Change,
  goOn,
  moreFollows,
  nextTarget,
  note,
  provesInvalid,
  rest,
  row,
  skipAddress,
} from './change.ts';
import { acceptLate } from './hand-over.ts';
import { type HandOver, isOpen, stepAt } from './state.ts';
import { type About, giveBack, keepWords, meant, takeAgain, wordsOf } from './told.ts';

/** False when the hand-over is not concluded yet: the receipt is to be reported again. */
export function receiptOf(change: Change, about: About, outcome: Receipt['outcome']): boolean {
  const handOver = change.state.handOvers.find((made) => made.attempt === about.attempt);
  if (!handOver) return false;
  const tries = meant(handOver, about.tries);
  if (outcome.kind === 'delivered') delivered(change, handOver, tries, about.acceptance);
  else if (!about.refused) notDelivered(change, handOver, tries, outcome);
  return true;
}

/** The step's wait ran out: no result and no row, but the next step starts. */
export function waitOver(change: Change): void {
  const { state } = change;
  const last = state.handOvers.at(-1);
  if (state.active) return;
  if (last?.state !== 'sent' || !isOpen(state, change.nowMs)) {
    rest(change);
    return;
  }
  last.state = 'no_receipt';
  note(change, 'no_receipt', { step: last.step, attempt: last.attempt });
  goOn(change, nextTarget(change));
}

/** The chain or the verification has moved on since this hand-over, or it had its result already. */
const isLate = ({ state }: Change, handOver: HandOver): boolean =>
  state.ended !== null ||
  handOver.attempt !== state.attempts ||
  handOver.state === 'undelivered' ||
  handOver.state === 'rejected';

function delivered(
  change: Change,
  handOver: HandOver,
  tries: readonly number[],
  acceptance: About['acceptance'],
): void {
  const { state } = change;
  const words = wordsOf(handOver);
  if (tries.every((one) => words[one] === 'delivered')) return;
  const accepted = acceptance ? acceptedBy(change, handOver, tries, acceptance) : null;
  const late = isLate(change, handOver);
  const isFirst = handOver.state !== 'delivered';
  const charged = takeAgain(handOver, tries);
  state.costMicros += charged;
  handOver.state = 'delivered';
  delete handOver.errorCode;
  keepWords(handOver, words, tries, 'delivered');
  const data = {
    ...(late && { late: true }),
    ...whichTry(handOver, tries, charged + (accepted ?? 0)),
    ...(charged > 0 && { charged_micros: charged }),
    ...(accepted !== null && { accepted_micros: accepted }),
  };
  const about = { step: handOver.step, attempt: handOver.attempt, data };
  const cause = late ? 'receipt_late' : 'receipt_positive';
  if (!isFirst) {
    note(change, cause, about);
    return;
  }
  state.satisfied = true;
  if (state.active && !state.active.byUser) abandonPlanned(change);
  if (!state.active) rest(change);
  row(change, 'delivered', cause, about);
}

/** What arrived had been accepted; what that costs, in micros. Null where it was known before. */
function acceptedBy(
  change: Change,
  { attempt, accepted }: HandOver,
  tries: readonly number[],
  { step, outcome }: NonNullable<About['acceptance']>,
): number | null {
  const [one] = tries;
  if (one === undefined || accepted.includes(one)) return null;
  acceptLate(change, { step, attempt, try: one }, outcome);
  return outcome.costMicros ?? 0;
}

/** Names the call where the ledger does not tell it already: where it was not the only one, or money goes with it. */
function whichTry({ accepted }: HandOver, tries: readonly number[], micros: number): { try?: number } {
  const [one] = tries;
  return one === undefined || (micros === 0 && accepted.length === 1 && accepted[0] === one) ? {} : { try: one };
}

/** Of one provider; the hand-over is not delivered when none of those that accepted it is left. */
function notDelivered(change: Change, handOver: HandOver, tries: readonly number[], outcome: Undelivered): void {
  const { state } = change;
  const words = wordsOf(handOver);
  if (tries.every((one) => words[one] !== undefined)) return;
  const refunded = giveBack(handOver, tries);
  state.costMicros -= refunded;
  const data = {
    reason: outcome.detail,
    ...whichTry(handOver, tries, refunded),
    ...(refunded > 0 && { refunded_micros: refunded }),
  };
  const waits = handOver.state === 'sent' || handOver.state === 'no_receipt';
  const others = handOver.accepted.filter((one) => !tries.includes(one));
  const wasAccepted = others.length < handOver.accepted.length;
  if (waits && wasAccepted && others.every((one) => words[one] === 'undelivered')) {
    undelivered(change, handOver, outcome.errorCode, data);
  } else {
    const { step, attempt } = handOver;
    const elsewhere = others.length > 0 && { elsewhere: true };
    note(change, 'receipt_negative', { step, attempt, errorCode: outcome.errorCode, data: { ...data, ...elsewhere } });
  }
  keepWords(handOver, words, tries, 'undelivered');
}

function undelivered(change: Change, handOver: HandOver, errorCode: ErrorCode, told: Record<string, unknown>): void {
  const { state } = change;
  const late = isLate(change, handOver);
  const { to, channel } = stepAt(state, handOver.step);
  handOver.state = 'undelivered';
  handOver.errorCode = errorCode;
  const proof = provesInvalid(channel, errorCode) && !state.targetInvalid;
  if (proof) {
    handOver.provedInvalid = true;
    state.targetInvalid = true;
    skipAddress(change, to);
  }
  const dropped = proof && dropUnusable(change);
  const drives = state.active === null && (dropped || state.handOvers.at(-1) === handOver);
  const target = drives ? nextTarget(change) : null;
  const pending = drives ? target !== null : moreFollows(change);
  const data = { ...(late && { late: true }), ...told };
  const about = { step: handOver.step, attempt: handOver.attempt, errorCode, pending, data };
  const cause = late ? 'receipt_late' : 'receipt_negative';
  row(change, proof ? 'target_invalid' : 'delivered_failed', cause, about);
  if (drives) goOn(change, target);
}

/** A planned hand-over or request to the address that was just proved invalid gives way; whether a planned one did. */
function dropUnusable(change: Change): boolean {
  const { state } = change;
  if (state.request && stepAt(state, state.request.step).skip !== null) state.request = null;
  if (state.active === null || state.inFlight || stepAt(state, state.active.step).skip === null) return false;
  abandonPlanned(change);
  return true;
}
