/**
 * What follows from a receipt or from its absence (contract §7.2, §7.3). Receipts come early, late, twice or never: each status
 * is reported once per hand-over, an answer never moves a state backwards, and a late one is marked.
 */
import type { Receipt } from '../channels/index.ts';
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
import { type HandOver, isOpen, stepAt } from './state.ts';

/** False when the hand-over is not concluded yet: the receipt is to be reported again. */
export function receiptOf(change: Change, attempt: number, outcome: Receipt['outcome']): boolean {
  const handOver = change.state.handOvers.find((made) => made.attempt === attempt);
  if (!handOver) return false;
  if (outcome.kind === 'delivered') delivered(change, handOver);
  else if (handOver.state === 'sent' || handOver.state === 'no_receipt')
    undelivered(change, handOver, outcome.errorCode, outcome.detail);
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

function delivered(change: Change, handOver: HandOver): void {
  const { state } = change;
  if (handOver.state === 'delivered') return;
  const late = isLate(change, handOver);
  handOver.state = 'delivered';
  delete handOver.errorCode;
  state.satisfied = true;
  if (state.active && !state.active.byUser) abandonPlanned(change);
  if (!state.active) rest(change);
  const cause = late ? 'receipt_late' : 'receipt_positive';
  row(change, 'delivered', cause, {
    step: handOver.step,
    attempt: handOver.attempt,
    data: { ...(late && { late: true }), ...chargeAgain(change, handOver) },
  });
}

/** What was given back for a hand-over that did arrive. */
function chargeAgain({ state }: Change, handOver: HandOver): { charged_micros?: number } {
  const { refunded } = handOver;
  if (refunded === undefined) return {};
  delete handOver.refunded;
  state.costMicros += refunded;
  return { charged_micros: refunded };
}

/** Gives back what the price says is owed for delivery alone. The attempt keeps its figure, the message's cost loses it. */
function refund({ state }: Change, handOver: HandOver): { refunded_micros?: number } {
  const { refundable } = handOver;
  if (refundable === undefined) return {};
  delete handOver.refundable;
  handOver.refunded = refundable;
  state.costMicros -= refundable;
  return { refunded_micros: refundable };
}

function undelivered(change: Change, handOver: HandOver, errorCode: ErrorCode, reason: string): void {
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
  const data = { ...(late && { late: true }), reason, ...refund(change, handOver) };
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
