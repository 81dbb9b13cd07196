/**
 * One change of a delivery being worked out: a private copy of the state, the ledger entries it causes, and the few moves every
 * rule is made of. Sequence numbers are given here and nowhere else; a silent delivery writes its entries without status.
 */
import type { Channel } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { Cause, EventDraft, MessageStatus } from '../events/index.ts';
import { countWaiting, isOpen, type State, stepAt, usableAfter } from './state.ts';

/** A ledger entry of the message at hand. */
export type Entry = Omit<EventDraft, 'applicationId' | 'messageId'>;

export interface Change {
  readonly state: State;
  readonly nowMs: number;
  /** ISO 4217 code of every cost. */
  readonly currency: string;
  readonly entries: Entry[];
}

/** A copy that may be changed freely while the state it came from stays as it was. */
export function beginChange(state: State, nowMs: number, currency = 'USD'): Change {
  const copy: State = {
    ...state,
    steps: state.steps.map((step) => ({ ...step })),
    handOvers: state.handOvers.map((handOver) => ({ ...handOver, accepted: [...handOver.accepted] })),
    active: state.active && { ...state.active, accepted: [...state.active.accepted] },
  };
  return { state: copy, nowMs, currency, entries: [] };
}

interface About {
  step: number;
  attempt: number;
  errorCode?: ErrorCode;
  data?: Record<string, unknown>;
}

/** An entry of the timeline alone. `attempt` 0 leaves the number out. */
export function note(change: Change, cause: Cause, { step, attempt, errorCode, data }: About): void {
  change.entries.push({
    cause,
    step: step + 1,
    ...(attempt > 0 && { attempt }),
    channel: stepAt(change.state, step).channel,
    ...(errorCode !== undefined && { errorCode }),
    ...(data && { data }),
  });
}

/** A row that is called back (contract §7.3), with the next sequence number. `pending` is its fallback_pending. */
export function row(change: Change, status: MessageStatus, cause: Cause, about: About & { pending?: boolean }): void {
  const { state } = change;
  const step = stepAt(state, about.step);
  const data = {
    ...(about.pending && { fallback_pending: true }),
    ...(step.otherAddress && { current_to: step.to }),
    ...about.data,
  };
  note(change, cause, { ...about, data: Object.keys(data).length > 0 ? data : undefined } as About);
  state.promised = about.pending ?? false;
  if (state.silent) return;
  state.sequence++;
  Object.assign(change.entries.at(-1) ?? {}, { status, sequence: state.sequence });
}

interface Target {
  step: number;
  byUser: boolean;
  /** Given beforehand for a request that waited for the attempt in flight. */
  attempt?: number;
}

/** What follows once nothing is in flight: the waiting user request, or the next usable step if the chain may go on by itself. */
export function nextTarget({ state, nowMs }: Change): Target | null {
  if (!isOpen(state, nowMs)) return null;
  if (state.request) return { ...state.request, byUser: true };
  const step = state.satisfied ? null : usableAfter(state, state.position);
  return step === null ? null : { step, byUser: false };
}

/** Plans the hand-over of a step; `delayMs` from now. Returns its attempt number. */
export function plan({ state, nowMs }: Change, target: Target, delayMs: number): number {
  const attempt = target.attempt ?? ++state.attempts;
  const counters = { try: 1, refusals: 0, unknowns: 0, reference: 1 };
  state.active = { step: target.step, attempt, ...counters, byUser: target.byUser, accepted: [], costMicros: 0 };
  state.position = target.step;
  state.request = null;
  state.inFlight = false;
  state.dueAtMs = nowMs + delayMs;
  return attempt;
}

/** Goes on to the target and says so in the timeline, or rests. */
export function goOn(change: Change, target: Target | null): void {
  if (!target) {
    rest(change);
    return;
  }
  const attempt = plan(change, target, stepAt(change.state, target.step).startDelayMs);
  // A user's request has its own entry, written when it was made.
  if (!target.byUser) note(change, 'step_started', { step: target.step, attempt });
}

/** Nothing to do until somebody asks or reports; a message without a verification is looked at once more at its deadline. */
export function rest({ state }: Change): void {
  state.active = null;
  state.inFlight = false;
  state.dueAtMs = state.hasVerification || state.ended !== null ? null : state.deadlineAtMs;
}

/** Whether a row of this message follows by itself: an attempt under way or planned, or a step behind the one waited for. */
export function moreFollows({ state, nowMs }: Change): boolean {
  if (!isOpen(state, nowMs) || state.satisfied) return false;
  if (state.active !== null || state.request !== null) return true;
  return state.handOvers.at(-1)?.state === 'sent' && usableAfter(state, state.position) !== null;
}

/** A planned hand-over that will not happen: its step may be started later by a user. */
export function abandonPlanned({ state }: Change): void {
  if (state.active === null || state.inFlight) return;
  state.position = state.active.step - 1;
  state.active = null;
}

/** No address is tried again after an upstream proved that it does not exist (contract §7.3 target_invalid). */
export function skipAddress({ state }: Change, to: string): void {
  for (const step of state.steps) if (step.to === to) step.skip = 'target_invalid';
}

export const provesInvalid = (channel: Channel, errorCode: ErrorCode): boolean =>
  errorCode === 5020 && (channel === 'sms' || channel === 'voice');

/** Ends it: nothing is sent any more. What is in flight stays until its outcome. */
export function endWith(change: Change, reason: NonNullable<State['ended']>): void {
  noteWaiting(change, reason);
  change.state.ended = reason;
  stop(change);
}

/** Cancels what waits to start by itself; the message stays open, and what its user asks for starts. */
export function stopWaiting(change: Change): void {
  const { state } = change;
  noteWaiting(change, 'newer_send');
  state.position = state.steps.length - 1;
  state.promised = false;
  stop(change);
  if (state.active === null && state.handOvers.length === 0) state.state = 'cancelled';
}

function noteWaiting(change: Change, reason: NonNullable<State['ended']> | 'newer_send'): void {
  const { state } = change;
  const waiting = countWaiting(state);
  const next = state.active !== null && !state.inFlight ? state.active.step : usableAfter(state, state.position);
  if (waiting > 0 && next !== null)
    note(change, 'fallback_cancelled', { step: next, attempt: 0, data: { steps: waiting, reason } });
}

function stop(change: Change): void {
  change.state.request = null;
  if (!change.state.inFlight) rest(change);
}
