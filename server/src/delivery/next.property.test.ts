import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Refused, reasonOf, type SendOutcome, undelivered } from '../channels/index.ts';
import { ApiError } from '../errors.ts';
import { createKeyring } from '../platform/seal.ts';
import type { Entry } from './change.ts';
import type { Call } from './hand-over.ts';
import { draft, type Starts, type Step, step } from './happenings.arbitraries.ts';
import { type Happening, next } from './next.ts';
import { type Draft, leaseMs, prepare } from './prepare.ts';
import {
  countWaiting,
  type EndReason,
  type MessageState,
  messageState,
  otherLine,
  type State,
  stepAt,
} from './state.ts';

/** A run is repeated with SEED. */
const seed = Number(process.env['SEED'] || Math.floor(Math.random() * 2 ** 31));
const keyring = createKeyring(randomBytes(32));
const startMs = 1_783_036_800_000;

/** Forward, or back to `sending` with a next step, or to `delivered` with a late receipt (contract §7.1). */
const allowed: Record<MessageState, readonly MessageState[]> = {
  queued: ['sending', 'failed', 'invalid', 'cancelled'],
  sending: ['sent', 'delivered', 'failed', 'invalid', 'cancelled'],
  sent: ['sending', 'delivered', 'failed', 'invalid', 'cancelled'],
  delivered: ['sending'],
  failed: ['sending', 'delivered'],
  invalid: ['sending'],
  // One that a newer send overtook before its first hand-over, and that is asked for once more.
  cancelled: ['sending'],
};

const lineIn = ({ active, steps }: State): string | null =>
  steps[active?.step ?? 0]?.lines?.[active?.line ?? 0] ?? null;
/** The virtual network and the upstream behind b drop repetitions. */
const isIdempotent = (line: string | null): boolean => line === null || line === 'b';

interface CallMade extends Call {
  untilMs: number;
  reference: number;
  /** Nobody learned what became of it, or only after its lease. */
  unknown: boolean;
  /** It refused for good. */
  closed: boolean;
  line: string | null;
}

/** The engine and the world around it, without database and network: the same moves as claimDue, run and the sweeper. */
class World {
  state: State;
  nowMs = startMs;
  rows: (Entry & { status: string })[] = [];
  calls: CallMade[] = [];
  accepted: CallMade[] = [];
  /** Calls that were answered, or whose node was lost. */
  answered: CallMade[] = [];
  /** Accepted calls with a negative receipt. */
  denied = new Set<CallMade>();
  entries: Entry[] = [];
  chargedMicros = 0;
  made: CallMade[] = [];
  ids = 0;
  /** Rows before that number promise nothing any more. */
  owedSince = 0;

  constructor(draft: Draft) {
    const prepared = prepare(draft, keyring, startMs, true);
    this.state = prepared.state;
    if (this.state.inFlight) this.callBegins();
  }

  happen(happening: Happening): ReturnType<typeof next> | null {
    const before = this.state;
    const frozen = JSON.stringify(before);
    try {
      const result = next(before, happening, this.nowMs);
      assert.equal(JSON.stringify(before), frozen, 'next() must not change what it is given');
      this.become(result.state);
      for (const entry of result.entries) this.write(entry);
      return result;
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
  }

  become(state: State): void {
    const from = this.state.state;
    if (state.state !== from) assert.ok(allowed[from].includes(state.state), `${from} must not become ${state.state}`);
    if (from === 'cancelled' && state.state !== from) assert.equal(state.ended, null, 'a cancelled message stays so');
    assert.ok(countWaiting(state) >= 0);
    assert.ok(!state.inFlight || (state.active && state.dueAtMs !== null));
    const underWay = this.calls.find((call) => call.untilMs > this.nowMs);
    if (underWay) assert.ok(state.inFlight, 'a call under way is not forgotten');
    this.state = state;
  }

  write(entry: Entry): void {
    this.entries.push(entry);
    if (entry.status === undefined) return;
    assert.equal(entry.sequence, this.rows.length + 3, 'sequence numbers have no gaps');
    const same = this.rows.filter((row) => row.status === entry.status && row.attempt === entry.attempt);
    const once = ['sent', 'delivered', 'delivered_failed', 'target_invalid', 'verified_timeout'];
    if (once.includes(entry.status)) assert.equal(same.length, 0, `${entry.status} twice for attempt ${entry.attempt}`);
    this.rows.push({ ...entry, status: entry.status });
  }

  callBegins(): void {
    const { active, ended, deadlineAtMs } = this.state;
    assert.ok(active);
    assert.equal(ended, null, 'nothing is handed over after the end');
    assert.ok(this.nowMs < deadlineAtMs, 'nothing is handed over after the deadline');
    assert.ok(!this.calls.some((call) => call.untilMs > this.nowMs), 'at most one attempt is in flight');
    if (!active.byUser) assert.ok(!this.state.satisfied, 'nothing is sent automatically after delivered');
    const { step, attempt, reference } = active;
    const earlier = this.made.filter((call) => call.attempt === attempt);
    const unknown = earlier.filter((call) => call.unknown);
    assert.ok(unknown.length <= 1, 'an unknown attempt is repeated once');
    const lines = stepAt(this.state, step).lines?.length ?? 1;
    assert.ok(earlier.length - unknown.length < 4 * lines, 'a refused attempt is tried three times more by each line');
    assert.ok(!earlier.some((call) => call.try === active.try), 'no try is made twice');
    const line = lineIn(this.state);
    assert.ok(
      !unknown.some((made) => made.line === line && !isIdempotent(line)),
      'what may have gone out is not repeated there',
    );
    assert.ok(
      !earlier.some((made) => made.line === line && made.closed),
      'a line that refused for good is not asked again',
    );
    if (unknown.length > 0)
      assert.equal(earlier.at(-1)?.reference, reference, 'what may have gone out keeps its reference');
    const untilMs = this.nowMs + leaseMs;
    const call = { step, attempt, try: active.try, reference, untilMs, unknown: false, closed: false, line };
    this.made.push(call);
    this.calls.push(call);
  }

  /** The line planned is closed at the moment of the call. */
  takeOther(): void {
    const line = this.state.active && otherLine(this.state, this.state.active);
    if (line !== null) this.happen({ kind: 'takes_line', line });
  }

  work(jump: boolean, starts: Starts): void {
    if (jump) this.nowMs = Math.max(this.nowMs, this.state.dueAtMs ?? 0);
    const { dueAtMs, deadlineAtMs, inFlight, active, hasVerification } = this.state;
    if (dueAtMs === null || (inFlight ? dueAtMs : Math.min(dueAtMs, deadlineAtMs)) > this.nowMs) return;
    const past = this.nowMs >= deadlineAtMs;
    if (inFlight) {
      for (const call of this.calls) call.unknown = true;
      this.answered.push(...this.calls.filter((call) => !this.answered.includes(call)));
      this.happen({ kind: 'lapsed', idempotent: isIdempotent(lineIn(this.state)) });
    } else if (past && hasVerification) this.become({ ...this.state, dueAtMs: null });
    else if (past) this.happen({ kind: 'deadline', newest: false, sentElsewhere: false });
    else if (!active) this.happen({ kind: 'wait_over' });
    else {
      const leased = { ...this.state, inFlight: true, dueAtMs: this.nowMs + leaseMs };
      this.become({ ...leased, state: messageState(leased) });
      if (starts === 'other') this.takeOther();
      if (starts === 'yes' || starts === 'other') this.callBegins();
      else this.happen(starts === 'no_time' ? { kind: 'not_started' } : { kind: 'unusable', reason: 'no_route' });
    }
  }

  answer(which: number, outcome: SendOutcome): void {
    const [call] = this.calls.splice(which % Math.max(1, this.calls.length), 1);
    if (!call) return;
    if (!this.answered.includes(call)) this.answered.push(call);
    if (outcome.kind === 'unknown') call.unknown = true;
    if (outcome.kind === 'refused' && !call.unknown && !isForNow(outcome)) call.closed = true;
    if (outcome.kind === 'accepted' && !this.accepted.includes(call)) {
      this.accepted.push(call);
      this.chargedMicros += outcome.costMicros ?? 0;
    }
    const line = { idempotent: isIdempotent(call.line) };
    this.happen({ kind: 'outcome', call, outcome, line });
    // The write may be repeated when its commit was uncertain.
    const { state, rows } = this;
    this.happen({ kind: 'outcome', call, outcome, line });
    assert.deepEqual([this.state, this.rows.length], [state, rows.length], 'an answer counts once');
  }

  /** By the provider of any call, of what it was given under that reference: of what it accepted, else of what it did not answer. */
  receipt(which: number, code: 5012 | 5020 | null): void {
    const call = this.answered[which % Math.max(1, this.answered.length)];
    if (!call) return;
    const own = this.answered.filter(
      ({ attempt, line, reference }) => attempt === call.attempt && line === call.line && reference === call.reference,
    );
    const accepted = own.filter((one) => this.accepted.includes(one));
    const open = accepted.length > 0 ? accepted : own.filter(({ unknown }) => unknown);
    const tries = (open.length > 0 ? open : own).map((one) => one.try);
    const arrives = accepted.length === 0 && open.length > 0 && code === null;
    const acceptance = { step: call.step, outcome: { kind: 'accepted' as const, upstreamId: 'u', costMicros: 5 } };
    const refused = open.length === 0;
    const about = { attempt: call.attempt, tries, refused, ...(arrives && { acceptance }) };
    const outcome = code === null ? { kind: 'delivered' as const } : undelivered(reasonOf(code), 'r', code);
    const before = this.handOver(call.attempt);
    const result = this.happen({ kind: 'receipt', about, outcome });
    if (result?.early && accepted.length > 0)
      assert.equal(this.state.active?.attempt, call.attempt, 'only an attempt still open is early');
    if (arrives && !result?.early) {
      this.accepted.push(...open.slice(0, 1));
      this.chargedMicros += 5;
    }
    const others = this.accepted.filter((one) => one.attempt === call.attempt && !tries.includes(one.try));
    if (code !== null && others.some((one) => !this.denied.has(one)))
      assert.deepEqual(this.handOver(call.attempt)?.state, before?.state, 'a receipt of another provider ends nothing');
    if (code !== null && before) for (const one of accepted) this.denied.add(one);
    const { state, rows } = this;
    this.happen({ kind: 'receipt', about, outcome });
    assert.deepEqual([this.state, this.rows.length], [state, rows.length], 'a receipt counts once');
  }

  handOver(attempt: number): State['handOvers'][number] | undefined {
    return this.state.handOvers.find((made) => made.attempt === attempt);
  }

  end(reason: Exclude<EndReason, 'expired'>): void {
    if (this.state.ended !== null) return;
    this.happen({ kind: 'ended', reason });
    if (reason === 'cancelled' || reason === 'superseded') return;
    this.state = { ...this.state, sequence: this.state.sequence + 1 };
    const status = reason === 'verified' ? 'verified' : 'verified_failed';
    this.write({ cause: 'verified', status, sequence: this.state.sequence });
  }

  /** A newer send takes the place of what was promised. */
  overtaken(): void {
    this.happen({ kind: 'overtaken' });
    const { state } = this;
    if (state.ended !== null || this.nowMs >= state.deadlineAtMs) return;
    assert.equal(countWaiting(state), 0);
    this.owedSince = this.rows.length;
  }

  do(step: Step): void {
    if (step.kind === 'pass') this.nowMs += step.ms;
    else if (step.kind === 'work') this.work(step.jump, step.starts);
    else if (step.kind === 'answer') this.answer(step.which, step.outcome);
    else if (step.kind === 'receipt') this.receipt(step.which, step.code);
    else if (step.kind === 'next') this.happen({ kind: 'next_channel' });
    else if (step.kind === 'resend') this.happen({ kind: 'resend', channel: step.channel });
    else if (step.kind === 'overtaken') this.overtaken();
    else this.end(step.reason);
  }

  /** Nobody answers any more: the deadline comes, the sweeper of verifications does its part, the loop the rest. */
  finish(): void {
    this.nowMs = Math.max(this.nowMs, this.state.deadlineAtMs);
    if (this.state.hasVerification) this.happen({ kind: 'deadline', newest: true, sentElsewhere: false });
    for (let i = 0; i < 10 && this.state.dueAtMs !== null; i++) {
      this.nowMs = Math.max(this.nowMs, this.state.dueAtMs);
      this.work(true, 'yes');
    }
    const { state } = this;
    assert.deepEqual([state.dueAtMs, state.inFlight, state.active, state.request], [null, false, null, null]);
    assert.ok(state.ended !== null, 'a message ends by its deadline');
    assert.ok(!['queued', 'sending'].includes(state.state), `${state.state} is not final`);
    this.checkPromises();
    this.checkCost();
  }

  /** What was charged and given back, by the ledger. */
  checkCost(): void {
    const sum = (name: string): number => this.entries.reduce((all, { data }) => all + Number(data?.[name] ?? 0), 0);
    const micros = this.chargedMicros - sum('refunded_micros') + sum('charged_micros');
    assert.equal(this.state.costMicros, micros);
    assert.ok(micros >= 0 && sum('charged_micros') <= sum('refunded_micros'));
    for (const { attempt, accepted, refunded = {} } of this.state.handOvers)
      for (const one of Object.keys(refunded).map(Number)) {
        const call = this.accepted.find((made) => made.attempt === attempt && made.try === one);
        assert.ok(call && this.denied.has(call) && accepted.includes(one), `try ${one} was given back`);
      }
  }

  checkPromises(): void {
    const last = this.rows.at(-1);
    const { ended } = this.state;
    const promised = this.rows.length > this.owedSince && last?.data?.['fallback_pending'];
    if (promised && ended !== 'cancelled' && ended !== 'superseded')
      assert.fail(`the promise of ${last.status} was not kept (ended ${ended})`);
    const timeouts = this.rows.filter((row) => row.status === 'verified_timeout').length;
    const owed = this.state.hasVerification && ended === 'expired' && this.state.sentCount > 0;
    assert.equal(timeouts, owed ? 1 : 0, 'verified_timeout exactly when something was sent and nothing verified');
    assert.equal(this.rows.filter((row) => row.status === 'sent').length, this.state.sentCount);
  }
}

const isForNow = ({ temporary, reason, errorCode }: Refused): boolean =>
  temporary || (reason === 'upstream_error' && errorCode === 5016);

test('for any sequence of outcomes, receipts, crashes, requests and clock jumps the promises of a delivery hold', (t) => {
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(draft, fc.array(step, { maxLength: 40 }), (given, steps) => {
      const world = new World(given);
      for (const one of steps) world.do(one);
      world.finish();
    }),
    { numRuns: 5_000, seed },
  );
});
