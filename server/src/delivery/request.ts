/**
 * What users ask for: the next channel now, or the message once more (contract §11.2). A request that comes while an attempt is
 * in flight waits for its outcome, so that never two are under way; it goes on even if a late receipt says delivered.
 */
import type { Channel } from '../channels/index.ts';
import { type ApiError, type Reason, refuse } from '../errors.ts';
import { type Change, note, plan } from './change.ts';
import { type EndReason, isOpen, nextStepOf, type State, stepAt, usableAfter } from './state.ts';

const refusals: Record<EndReason, Reason> = {
  verified: 'already_verified',
  exhausted: 'too_many_attempts',
  expired: 'expired',
  cancelled: 'cancelled',
  superseded: 'superseded',
};

/** Routes as they are now, by step; null for a step of the virtual network. */
export type Lines = readonly (readonly string[] | null)[];

/** A user asks long after acceptance: providers may have come and gone since. */
export function refreshLines({ state }: Change, lines: Lines = []): void {
  for (const [index, now] of lines.entries()) if (now) stepAt(state, index).lines = now;
}

/** Throws the refusal of contract §6 when nothing may be sent any more. */
function mustBeOpen(state: State, nowMs: number): void {
  if (state.ended !== null) throw refuse(refusals[state.ended]);
  if (!isOpen(state, nowMs)) throw refuse('expired');
}

/** Starts the next usable step now. Throws no_further_channel where there is none. */
export function requestNext(change: Change): Channel {
  const { state, nowMs } = change;
  mustBeOpen(state, nowMs);
  const step = nextStepOf(state);
  if (step === null) throw refuse('no_further_channel');
  ask(change, step, 'user_request', 0);
  return stepAt(state, step).channel;
}

/** Once more from the start of the chain, or from `channel`. `attempt` is the number the new hand-over gets. */
export function requestAgain(change: Change, channel?: Channel): { channel: Channel; attempt: number } {
  const { state, nowMs } = change;
  mustBeOpen(state, nowMs);
  // What could not be reached before may be reachable now.
  for (const step of state.steps)
    if (step.hasContent && step.lines?.length !== 0 && (step.skip === 'no_route' || step.skip === 'circuit_open'))
      step.skip = null;
  const step = channel === undefined ? usableAfter(state, -1) : stepOf(state, channel);
  if (step === null) throw noUsableStep(state);
  const attempt = ask(change, step, 'resent', stepAt(state, step).startDelayMs);
  return { channel: stepAt(state, step).channel, attempt };
}

function stepOf(state: State, channel: Channel): number {
  const steps = state.steps.map((step, index) => ({ ...step, index })).filter((step) => step.channel === channel);
  const [first] = steps;
  if (!first) throw refuse('channel_not_in_template');
  const usable = steps.find((step) => step.skip === null);
  if (!usable) throw refuse('no_usable_channel', `${channel}: ${first.skip}`);
  return usable.index;
}

const noUsableStep = (state: State): ApiError =>
  refuse('no_usable_channel', state.steps.map((step) => `${step.channel}: ${step.skip}`).join('; '));

function ask(change: Change, step: number, cause: 'user_request' | 'resent', delayMs: number): number {
  const { state } = change;
  state.satisfied = false;
  let attempt: number;
  if (state.inFlight) {
    attempt = ++state.attempts;
    state.request = { step, attempt };
  } else attempt = plan(change, { step, byUser: true }, delayMs);
  note(change, cause, { step, attempt });
  return attempt;
}
