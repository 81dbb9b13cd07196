/**
 * What follows from the outcome of a hand-over (contract §7.2). The rule for `unknown` lives here: such an attempt is repeated
 * exactly once, by the step's next provider, else under the same reference by the same one if that drops repetitions; otherwise
 * and the second time it counts as refused with 5016. A refusal that another provider may not share goes to the next one at once;
 * when all have had their turn, those that refused for the moment are tried again, three times, after 1, 2 and 4 s or what the
 * upstream asked for, inside the life of the message.
 */
import { reasonTable, type SendOutcome } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';
import { type Change, goOn, nextTarget, note, provesInvalid, rest, row, skipAddress } from './change.ts';
import { settleExpired } from './ending.ts';
import { type Active, type HandOver, isOpen, otherLine, type SkipReason, stepAt, usableAfter } from './state.ts';

const maxRetries = 3;
const firstBackOffMs = 1_000;
const maxBackOffMs = 8_000;

type Accepted = Extract<SendOutcome, { kind: 'accepted' }>;
type Refused = Extract<SendOutcome, { kind: 'refused' }>;

/** One provider call: which hand-over it was and which of its tries. */
export interface Call {
  step: number;
  attempt: number;
  try: number;
}

/** What the pure rules must know of the line a call went by. */
export interface LineUse {
  /** The upstream drops a repeated reference. */
  idempotent: boolean;
  /** The sender asked for is not allowed on the route, which used its own. */
  senderReplaced?: boolean;
}

/** The answer to one provider call; also one that comes after the lease of its node had lapsed. */
export function outcomeOf(change: Change, call: Call, outcome: SendOutcome, line: LineUse): void {
  const { active, inFlight } = change.state;
  if (active && inFlight && active.attempt === call.attempt && active.try === call.try) {
    if (outcome.kind === 'accepted') accept(change, active, outcome, line);
    else if (active.accepted.length > 0) conclude(change, active);
    else if (outcome.kind === 'refused') refuse(change, active, outcome);
    else unknown(change, active, outcome.detail, line);
  } else if (outcome.kind === 'accepted') acceptLate(change, call, outcome);
}

/** The node at work died or lost its lease: nobody knows what became of the call. */
export function lapse(change: Change, line: Pick<LineUse, 'idempotent'>): void {
  const { active } = change.state;
  if (!active) rest(change);
  else if (active.accepted.length > 0) conclude(change, active);
  else unknown(change, active, 'the node at work was lost', line);
}

/** The node had no time to make the call, or the provider's rate none for it; nothing was sent. */
export function giveBack({ state, nowMs }: Change, delayMs: number): void {
  if (!state.active || !state.inFlight) return;
  state.inFlight = false;
  state.dueAtMs = nowMs + delayMs;
}

/** The line planned could not be used, another will be: written down before the call, so that a lapse is judged by the right one. */
export function takeLine({ state }: Change, line: number): void {
  if (state.active && state.inFlight) state.active.line = line;
}

/** The step whose turn it is cannot be used; nothing was sent. */
export function unusable(change: Change, reason: SkipReason): void {
  const { state } = change;
  if (!state.active) return;
  const { step, attempt } = state.active;
  const cause = reason === 'circuit_open' ? 'circuit_open' : 'step_skipped';
  stepAt(state, step).skip = reason;
  note(change, cause, { step, attempt, data: { reason } });
  rest(change);
  const target = nextTarget(change);
  if (!target && state.ended === null && (state.promised || state.sentCount === 0))
    row(change, 'sent_failed', cause, { step, attempt, errorCode: 5016, data: { reason } });
  goOn(change, target);
  settleExpired(change);
}

function accept(change: Change, active: Active, outcome: Accepted, line: LineUse): void {
  if (line.senderReplaced) note(change, 'sender_replaced', { step: active.step, attempt: active.attempt });
  countAcceptance(change, active, active.try, outcome);
  conclude(change, active);
}

/** The attempt counts as accepted: `sent`, then the wait for its receipt. */
function conclude(change: Change, active: Active): void {
  const { state } = change;
  const { step, attempt } = active;
  const { accepted, refundable } = active;
  addHandOver(change, { attempt, step, state: 'sent', accepted, ...(refundable && { refundable }) });
  rest(change);
  sentRow(change, active);
  const dueAtMs = change.nowMs + stepAt(state, step).waitMs;
  if (state.request) goOn(change, nextTarget(change));
  else if (isOpen(state, dueAtMs) && !state.satisfied) state.dueAtMs = dueAtMs;
  settleExpired(change);
}

function sentRow(change: Change, { step, attempt, costMicros }: Pick<Active, 'step' | 'attempt' | 'costMicros'>): void {
  const { state } = change;
  if (state.sentCount === 0 || state.current.attempt < attempt) {
    state.current = { step, attempt };
    state.channel = stepAt(state, step).channel;
  }
  state.sentCount++;
  const billing = { cost: costMicros / 1_000_000, currency: change.currency };
  row(change, 'sent', 'upstream_accepted', { step, attempt, data: { billing } });
}

/** By attempt number, also when an older one becomes known late. */
function addHandOver({ state }: Change, handOver: HandOver): void {
  state.handOvers.push(handOver);
  state.handOvers.sort((a, b) => a.attempt - b.attempt);
}

function countAcceptance({ state }: Change, known: Active | HandOver, tryNumber: number, outcome: Accepted): void {
  const costMicros = outcome.costMicros ?? 0;
  known.accepted.push(tryNumber);
  state.costMicros += costMicros;
  if ('costMicros' in known) known.costMicros += costMicros;
  if (outcome.refundable && costMicros > 0) known.refundable = { ...known.refundable, [tryNumber]: costMicros };
}

/** An acceptance that was overtaken: its receipts are ours all the same, and the attempt has not failed. */
export function acceptLate(change: Change, call: Call, outcome: Accepted): void {
  const { state } = change;
  const active = state.active?.attempt === call.attempt ? state.active : null;
  const known = active ?? state.handOvers.find((made) => made.attempt === call.attempt);
  if (known?.accepted.includes(call.try)) return;
  // What the row `sent` did not name is not given back.
  if (known) countAcceptance(change, known, call.try, active ? outcome : { ...outcome, refundable: false });
  if (active && !state.inFlight) conclude(change, active);
  if (known) return;
  // Given up between two tries, and yet it went out.
  const made: HandOver = { attempt: call.attempt, step: call.step, state: 'sent', accepted: [] };
  countAcceptance(change, made, call.try, outcome);
  addHandOver(change, made);
  sentRow(change, { ...call, costMicros: outcome.costMicros ?? 0 });
}

function refuse(change: Change, active: Active, outcome: Refused): void {
  const { reason, errorCode, detail } = outcome;
  const forNow = outcome.temporary || (reason === 'upstream_error' && errorCode === 5016);
  if (!forNow) active.out = [...(active.out ?? []), active.line ?? 0];
  const other = forNow || reasonTable[reason].elsewhere ? otherLine(change.state, active) : null;
  if (other !== null && other > (active.line ?? 0) && mayRepeat(change, active, change.nowMs)) {
    goElsewhere(change, active, other, outcome);
    return;
  }
  // Every line has had its turn: from the first that may still do, after a pause.
  if (other !== null) active.line = other;
  if ((forNow || other !== null) && retry(change, active, outcome)) return;
  reject(change, active, errorCode, detail);
}

/** The same attempt by the next provider of the channel, at once. */
function goElsewhere(change: Change, active: Active, line: number, { errorCode, detail }: Refused): void {
  const { state, nowMs } = change;
  const { step, attempt } = active;
  active.line = line;
  active.try++;
  if (active.unknowns === 0) active.reference++;
  state.inFlight = false;
  state.dueAtMs = nowMs;
  note(change, 'retry_planned', {
    step,
    attempt,
    errorCode,
    data: { reason: detail, delay_ms: 0, other_provider: true },
  });
}

/** Plans the same step once more; false where that is not allowed or not worth it. */
function retry(change: Change, active: Active, { errorCode, detail, retryAfterMs = 0 }: Refused): boolean {
  const { state, nowMs } = change;
  const { step, attempt } = active;
  const delayMs = Math.max(Math.min(firstBackOffMs * 2 ** active.refusals, maxBackOffMs), retryAfterMs);
  if (active.refusals >= maxRetries || !mayRepeat(change, active, nowMs + delayMs)) return false;
  // An upstream that asks for more patience than the step has gives way to the next channel.
  if (delayMs > stepAt(state, step).waitMs && usableAfter(state, state.position) !== null) return false;
  active.refusals++;
  active.try++;
  if (active.unknowns === 0) active.reference++;
  state.inFlight = false;
  state.dueAtMs = nowMs + delayMs;
  note(change, 'retry_planned', { step, attempt, errorCode, data: { reason: detail, delay_ms: delayMs } });
  return true;
}

function unknown(change: Change, active: Active, reason: string, { idempotent }: Pick<LineUse, 'idempotent'>): void {
  const { state, nowMs } = change;
  const { step, attempt } = active;
  // It may have gone out: never again by a provider that would send it twice.
  if (!idempotent) active.out = [...(active.out ?? []), active.line ?? 0];
  const other = otherLine(state, active);
  const repeat = active.unknowns === 0 && (idempotent || other !== null) && mayRepeat(change, active, nowMs);
  note(change, 'attempt_unknown', { step, attempt, data: { reason, repeated: repeat } });
  if (!repeat) {
    reject(change, active, 5016, reason);
    return;
  }
  if (other !== null) active.line = other;
  active.unknowns++;
  active.try++;
  state.inFlight = false;
  state.dueAtMs = nowMs;
}

const mayRepeat = ({ state }: Change, active: Active, atMs: number): boolean =>
  isOpen(state, atMs) && state.request === null && (!state.satisfied || active.byUser);

/** The step failed at hand-over: its row, then the next step if there is one. */
function reject(change: Change, active: Active, errorCode: ErrorCode, reason: string): void {
  const { state } = change;
  const { step, attempt } = active;
  const proof = provesInvalid(stepAt(state, step).channel, errorCode) && !state.targetInvalid;
  addHandOver(change, {
    attempt,
    step,
    state: 'rejected',
    errorCode,
    ...(proof && { provedInvalid: true }),
    accepted: [],
  });
  if (state.sentCount === 0) {
    state.current = { step, attempt };
    state.channel = stepAt(state, step).channel;
  }
  rest(change);
  if (proof) {
    state.targetInvalid = true;
    skipAddress(change, stepAt(state, step).to);
    if (state.request && stepAt(state, state.request.step).skip !== null) state.request = null;
  }
  const target = nextTarget(change);
  const about = { step, attempt, errorCode, pending: target !== null, data: { reason } };
  row(change, proof ? 'target_invalid' : 'sent_failed', 'upstream_rejected', about);
  goOn(change, target);
  settleExpired(change);
}
