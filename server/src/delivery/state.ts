/**
 * What is known about the delivery of one message: its chain of steps, the hand-overs made, the one planned or under way.
 * Pure data and the readings derived from it (contract §7.1). Changed only by next.ts; stored whole in one row.
 */
import type { Channel } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';

export type MessageState = 'queued' | 'sending' | 'sent' | 'delivered' | 'failed' | 'invalid' | 'cancelled';
export type EndReason = 'verified' | 'exhausted' | 'expired' | 'cancelled' | 'superseded';

/** Why a step is not used (contract §7.2). */
export type SkipReason =
  | 'no_address'
  | 'no_route'
  | 'channel_disabled'
  | 'listed'
  | 'unsubscribed'
  | 'fraud'
  | 'budget'
  | 'profile'
  | 'circuit_open'
  | 'target_invalid'
  | 'insufficient_balance';

export interface Step {
  channel: Channel;
  to: string;
  /** `to` is another address than the one the message was asked for. */
  otherAddress: boolean;
  /** How long a receipt is waited for before the next step starts. */
  waitMs: number;
  /** Between the step's turn and its hand-over. */
  startDelayMs: number;
  skip: SkipReason | null;
  hasContent: boolean;
  /** Ids of the lines (providers by their routes) that may serve it, best first; absent where the virtual network does. */
  lines?: readonly string[];
}

/** What a receipt says. */
export type Word = 'delivered' | 'undelivered';
type HandOverState = 'rejected' | 'sent' | Word | 'no_receipt';

/** A concluded hand-over of a step, under the attempt number customers see. */
export interface HandOver {
  attempt: number;
  /** Index into `steps`. */
  step: number;
  state: HandOverState;
  errorCode?: ErrorCode;
  /** An SMS or voice upstream proved with it that the number does not exist. */
  provedInvalid?: true;
  /** Tries an upstream accepted; more than one only after an unknown outcome. */
  accepted: number[];
  /** By try, what its receipt said; absent where `state` says it of all that were accepted. */
  told?: Readonly<Record<number, Word>>;
  /** By try, of its cost: given back should it not be delivered. */
  refundable?: Readonly<Record<number, number>>;
  /** By try: given back; charged again should it be delivered after all. */
  refunded?: Readonly<Record<number, number>>;
}

/** The hand-over planned (not in flight) or under way (in flight). */
export interface Active {
  step: number;
  attempt: number;
  /** Counts the provider calls of this attempt. */
  try: number;
  refusals: number;
  unknowns: number;
  /** Changes with a retry after a refusal, never after an unknown outcome: then the first call may have gone out. */
  reference: number;
  /** Asked for by the user: goes on after a late positive receipt. */
  byUser: boolean;
  /** Tries whose acceptance became known only after the next one had begun. */
  accepted: number[];
  /** Of the accepted tries. */
  costMicros: number;
  /** As in HandOver. */
  refundable?: Readonly<Record<number, number>>;
  /** Index into the step's lines; the first where absent. */
  line?: number;
  /** Lines that refused this attempt for good. */
  out?: readonly number[];
}

/** What is stored as jsonb. */
export interface Plan {
  steps: Step[];
  /** Index of the step last planned; the chain goes on behind it. The last one where a newer message took over. */
  position: number;
  /** Attempt numbers given so far. */
  attempts: number;
  active: Active | null;
  /** A user request that came while an attempt was in flight; starts when that one is concluded. */
  request: { step: number; attempt: number } | null;
  /** By attempt number. */
  handOvers: HandOver[];
  /** What rows about the message as a whole name: the newest accepted hand-over, or the first step. */
  current: { step: number; attempt: number };
  /** A positive receipt came since the last user request: nothing more is sent automatically. */
  satisfied: boolean;
  /** The last row announced a fallback; another row must follow. */
  promised: boolean;
  targetInvalid: boolean;
  /** Expired while an attempt was in flight: its acceptance is followed by verified_timeout. */
  owesTimeout: boolean;
  /** Resend lock to lift when the message becomes failed or invalid. */
  release: { target: string; templateId: string } | null;
}

export interface State extends Plan {
  state: MessageState;
  hasVerification: boolean;
  ended: EndReason | null;
  channel: Channel;
  sentCount: number;
  sequence: number;
  silent: boolean;
  costMicros: number;
  deadlineAtMs: number;
  inFlight: boolean;
  dueAtMs: number | null;
}

/** The plan as stored, with readings that SQL needs when a check or a send ends the delivery (ending-store.ts). */
export interface StoredPlan extends Omit<Partial<Plan>, 'steps'> {
  steps: Partial<Step>[];
  hints: { rest?: MessageState; next?: number | null; otherAddress?: string | null };
}

/** The step at an index that came from this very state. */
export function stepAt(state: Plan, index: number): Step {
  const step = state.steps[index];
  if (!step) throw new Error(`the plan has no step ${index}`);
  return step;
}

/** The line an attempt goes on with when the one in use is no help: the next that is not out, in a circle; null when there is none. */
export function otherLine(state: Plan, { step, line = 0, out = [] }: Active): number | null {
  const count = stepAt(state, step).lines?.length ?? 1;
  for (let ahead = 1; ahead < count; ahead++) {
    const index = (line + ahead) % count;
    if (!out.includes(index)) return index;
  }
  return null;
}

/** Index of the first step behind `position` that may be used, or null. */
export function usableAfter(state: Plan, position: number): number | null {
  const index = state.steps.findIndex((step, i) => i > position && step.skip === null);
  return index === -1 ? null : index;
}

/** Index of the step that a request for the next channel starts: the planned fallback, else the next usable one; null where there is none. */
export function nextStepOf(state: State): number | null {
  const { active } = state;
  const fallbackPlanned = active && !state.inFlight && active.try === 1 && state.handOvers.length > 0;
  return fallbackPlanned ? active.step : usableAfter(state, state.request?.step ?? state.position);
}

/** Steps that could still be started, the planned one among them, the one in flight not. */
export function countWaiting(state: State): number {
  const behind = state.steps.filter((step, i) => i > state.position && step.skip === null).length;
  return behind + (state.active !== null && !state.inFlight ? 1 : 0);
}

/** Whether something may still be sent for it at all. */
export const isOpen = (state: State, nowMs: number): boolean => state.ended === null && nowMs < state.deadlineAtMs;

/** The message state that follows from everything else and from the state before (contract §7.1). */
export function messageState(state: State): MessageState {
  const before = state.state;
  const wasOver = before === 'delivered' || before === 'failed' || before === 'invalid';
  if (state.ended === 'cancelled' && !wasOver) return 'cancelled';
  // Overtaken before its first hand-over, a message may still be asked for once more.
  if (before === 'cancelled' && (state.ended !== null || state.active === null)) return 'cancelled';
  if (before === 'invalid' && state.active === null) return 'invalid';
  if (state.satisfied) return 'delivered';
  // An acceptance that becomes known after the message was given up does not revive it; its receipt may.
  if (before === 'failed' && state.active === null) return 'failed';
  if (state.active !== null) {
    const untouched = state.handOvers.length === 0 && state.active.try === 1 && !state.inFlight;
    return before === 'queued' && untouched ? 'queued' : 'sending';
  }
  return stateAtRest(state);
}

function stateAtRest(state: State): MessageState {
  const last = state.handOvers.at(-1);
  if (!last) {
    if (state.targetInvalid) return 'invalid';
    return state.ended === null || state.ended === 'expired' ? 'failed' : 'cancelled';
  }
  if (last.state === 'sent' || last.state === 'no_receipt') return 'sent';
  if (state.handOvers.some((handOver) => handOver.state === 'delivered')) return 'delivered';
  return last.provedInvalid ? 'invalid' : 'failed';
}

export type StepState = 'waiting' | 'skipped' | 'cancelled' | 'sending' | HandOverState;

export interface StepView {
  /** 1-based. */
  step: number;
  channel: Channel;
  state: StepState;
  errorCode?: ErrorCode;
}

/** The steps as shown to customers (contract §7.1, §11.1). */
export function stepViews(state: State): StepView[] {
  return state.steps.map((step, index) => {
    const newest = state.handOvers.findLast((handOver) => handOver.step === index);
    return {
      step: index + 1,
      channel: step.channel,
      state: stepState(state, index, newest),
      ...(newest?.errorCode !== undefined && state.active?.step !== index && { errorCode: newest.errorCode }),
    };
  });
}

function stepState(state: State, index: number, newest: HandOver | undefined): StepState {
  if (state.active?.step === index && (state.inFlight || state.active.try > 1)) return 'sending';
  if (newest && state.active?.step !== index) return newest.state;
  if (stepAt(state, index).skip !== null) return 'skipped';
  const mayStart = index > state.position || state.active?.step === index || state.request?.step === index;
  return state.ended === null && mayStart ? 'waiting' : 'cancelled';
}

export function storedPlan(state: State): StoredPlan {
  const current = stepAt(state, state.current.step);
  const idle: State = { ...state, active: null, inFlight: false, ended: state.ended ?? 'verified' };
  return {
    ...without(planDefaults, planOf(state)),
    steps: state.steps.map((step) => without(stepDefaults, step)),
    hints: without(
      { next: null, otherAddress: null },
      {
        rest: messageState(idle),
        next: usableAfter(state, state.position),
        otherAddress: current.otherAddress ? current.to : null,
      },
    ),
  };
}

const planOf = (state: State): Plan => ({
  steps: state.steps,
  position: state.position,
  attempts: state.attempts,
  active: state.active,
  request: state.request,
  handOvers: state.handOvers,
  current: state.current,
  satisfied: state.satisfied,
  promised: state.promised,
  targetInvalid: state.targetInvalid,
  owesTimeout: state.owesTimeout,
  release: state.release,
});

/** The plan of a stored one. */
export function planFrom({ hints: _, steps, ...rest }: StoredPlan): Plan {
  return { ...planDefaults, ...rest, steps: steps.map((step) => ({ ...stepDefaults, ...step })) } as Plan;
}

/** What most plans have is not stored: a row is written four times in its life, and half of its plan would be this. */
const planDefaults = {
  active: null,
  request: null,
  satisfied: false,
  promised: false,
  targetInvalid: false,
  owesTimeout: false,
  release: null,
} as const satisfies Partial<Plan>;
const stepDefaults = {
  otherAddress: false,
  startDelayMs: 0,
  skip: null,
  hasContent: true,
} as const satisfies Partial<Step>;

function without<T extends object>(defaults: Partial<T>, value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([key, one]) => defaults[key as keyof T] !== one),
  ) as Partial<T>;
}
