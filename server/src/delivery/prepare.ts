/**
 * What is made of an accepted message before its transaction: the first state, the sealed texts, the ledger entries of skipped
 * steps. Pure but for the seal. A row may be born leased, so that the node that accepts it hands it over without claiming it.
 */
import type { Channel, Content } from '../channels/index.ts';
import type { EventDraft } from '../events/index.ts';
import type { Keyring } from '../platform/seal.ts';
import { beginChange, note, plan } from './change.ts';
import { type Clear, type Ids, sealContent } from './content.ts';
import { messageState, type SkipReason, type State, type Step, stepAt, usableAfter } from './state.ts';

export interface DraftStep {
  channel: Channel;
  to: string;
  /** Why it is not used; found before sending (contract §7.2). */
  skip: SkipReason | null;
  /** Null only for skipped steps. */
  content: Content | null;
  /** The entry of the block list behind `listed`, for the ledger. */
  listEntry?: string | undefined;
  waitMs: number;
  startDelayMs: number;
  /** Ids of the providers' lines, best first; absent on the virtual network. */
  lines?: readonly string[] | undefined;
}

export interface Draft extends Ids {
  /** The address the message was asked for; steps to another one carry current_to. */
  to: string;
  hasVerification: boolean;
  /** No callback statuses at all. */
  silent: boolean;
  code: string | null;
  steps: readonly DraftStep[];
  /** Life of the message from its acceptance. */
  deadlineMs: number;
  /** The resend lock lifted when the message becomes failed or invalid. */
  releaseKey: { target: string; templateId: string } | null;
}

export interface Prepared extends Ids {
  state: State;
  lifeMs: number;
  /** Until somebody must look at it; null when there is nothing to do. */
  dueInMs: number | null;
  sealed: Buffer | null;
  clear: Clear;
  /** step_skipped entries, to be appended after plan and target_valid. */
  events: EventDraft[];
}

/** plan and target_valid, written by the messages room. */
const firstSequence = 2;
export const leaseMs = 15_000;

/**
 * The first state of a delivery. With `lease` and no start delay it is in flight from the start. A draft without a usable step
 * is only possible when the target was found invalid; it is born `invalid`.
 */
export function prepare(draft: Draft, keyring: Keyring, nowMs: number, lease: boolean): Prepared {
  const change = beginChange(initialState(draft, nowMs), nowMs);
  const { state } = change;
  for (const [step, { skip }] of state.steps.entries()) {
    if (skip === null) continue;
    const entry = draft.steps[step]?.listEntry;
    const data = { reason: skip, ...(entry && { list_entry: entry }) };
    note(change, skip === 'circuit_open' ? skip : 'step_skipped', { step, attempt: 0, data });
  }
  const first = usableAfter(state, -1);
  if (first === null && !state.targetInvalid) throw new Error('a delivery needs a usable step');
  if (first === null) state.dueAtMs = draft.hasVerification ? null : state.deadlineAtMs;
  else start(state, plan(change, { step: first, byUser: false }, stepAt(state, first).startDelayMs), first, lease);
  // A row target_invalid with steps to another address left announces them.
  state.promised = state.targetInvalid && first !== null;
  state.state = messageState(state);
  if (state.inFlight) state.dueAtMs = nowMs + leaseMs;
  const { applicationId, messageId } = draft;
  const clear = { code: draft.code, contents: draft.steps.map((step) => step.content) };
  return {
    applicationId,
    messageId,
    state,
    lifeMs: draft.deadlineMs,
    dueInMs: state.dueAtMs === null ? null : state.dueAtMs - nowMs,
    sealed: first === null ? null : sealContent(keyring, draft, clear),
    clear,
    events: change.entries.map((entry) => ({ ...entry, applicationId, messageId })),
  };
}

function start(state: State, attempt: number, step: number, lease: boolean): void {
  state.current = { step, attempt };
  state.channel = stepAt(state, step).channel;
  state.inFlight = lease && stepAt(state, step).startDelayMs === 0;
}

function initialState(draft: Draft, nowMs: number): State {
  const steps = draft.steps.map(
    (step): Step => ({
      channel: step.channel,
      to: step.to,
      otherAddress: step.to !== draft.to,
      waitMs: step.waitMs,
      startDelayMs: step.startDelayMs,
      skip: step.skip,
      hasContent: step.content !== null,
      ...(step.lines && { lines: step.lines }),
    }),
  );
  const [first] = steps;
  if (!first) throw new Error('a delivery needs a step');
  return {
    steps,
    position: -1,
    attempts: 0,
    active: null,
    request: null,
    handOvers: [],
    current: { step: 0, attempt: 0 },
    satisfied: false,
    promised: false,
    targetInvalid: steps.some((step) => step.skip === 'target_invalid'),
    owesTimeout: false,
    release: draft.releaseKey,
    state: 'queued',
    hasVerification: draft.hasVerification,
    ended: null,
    channel: first.channel,
    sentCount: 0,
    sequence: firstSequence,
    silent: draft.silent,
    costMicros: 0,
    deadlineAtMs: nowMs + draft.deadlineMs,
    inFlight: false,
    dueAtMs: null,
  };
}
