/**
 * One attempt: hand the text to the upstream, outside any transaction, and write down what came of it. The call is given 10 s,
 * less than the lease of the row, so that no other node begins while this one may still be at it. An outcome is precious: while
 * the database is away, writing it is tried until it succeeds or the process stops.
 */
import { type OutgoingMessage, refusedForGood, type SendOutcome, type Upstream, unknown } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import { DatabaseUnavailable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Clear } from './content.ts';
import { type Choice, chooseLine, createQueues, type Line, type LineOf } from './line.ts';
import type { Happening, Next } from './next.ts';
import { referenceOf } from './reference.ts';
import { type Active, stepAt } from './state.ts';
import type { CallRecord, Loaded } from './store.ts';
import { createTimeLimits } from './time-limits.ts';
import type { Write } from './write.ts';

const maxPatienceMs = 2_000;

interface RunPorts {
  write: Write;
  clock: Clock;
  log: Log;
  lineOf: LineOf;
  timeoutMs: number;
  /** Called with every change made here. */
  onChange(result: Next | null): void;
  /** Called with every call that was made, once. */
  onCall(call: CallRecord): void;
}

export interface Run {
  /** The planned attempt of a delivery this node holds the lease of. */
  attempt(loaded: Loaded, clear: Clear): Promise<void>;
  /** Tries until the database takes it or the process stops. */
  insist(work: () => Promise<Next | null>): Promise<void>;
  /** Ends calls and waits that are still under way. */
  abort(): void;
}

export function createRun({ write, clock, log, lineOf, timeoutMs, onChange, onCall }: RunPorts): Run {
  const limits = createTimeLimits();
  const queued = createQueues(() => clock.now());

  async function insist(work: () => Promise<Next | null>): Promise<void> {
    for (let patienceMs = 50; ; patienceMs = Math.min(patienceMs * 2, maxPatienceMs)) {
      try {
        onChange(await work());
        return;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable) || limits.ended()) throw error;
        await new Promise<void>((resolve) => limits.within(patienceMs, resolve));
      }
    }
  }

  async function attempt(loaded: Loaded, clear: Clear): Promise<void> {
    const { active } = loaded.state;
    if (!active) throw new Error('there is no attempt to make');
    const content = clear.contents[active.step];
    const choice: Choice = content ? chooseLine(loaded.state, content, lineOf) : { kind: 'none', reason: 'no_route' };
    if (choice.kind === 'none')
      await insist(() => write.change(loaded, loaded, { kind: 'unusable', reason: choice.reason }));
    else if (choice.kind === 'wait') {
      const delayMs = queued(choice.provider, choice.ms);
      await insist(() => write.change(loaded, loaded, { kind: 'not_started', delayMs }));
    } else await call(loaded, active, outgoing(loaded, active, clear, choice.line), choice);
  }

  /** Writes down the line before it is called; false when the delivery ended in the meantime. */
  async function taken(loaded: Loaded, line: number): Promise<boolean> {
    let result: Next | null = null;
    await insist(async () => {
      result = await write.change(loaded, loaded, { kind: 'takes_line', line });
      return result;
    });
    const state = (result as Next | null)?.state;
    return state !== undefined && state.ended === null && state.inFlight;
  }

  async function call(loaded: Loaded, active: Active, message: OutgoingMessage, choice: Chosen): Promise<void> {
    const { line } = choice;
    const usual = choice.index === (active.line ?? 0);
    if (!usual && !(await taken(loaded, choice.index))) {
      line.done(refusedForGood('expired', 'the delivery had ended'));
      await insist(() => write.change(loaded, null, { kind: 'not_started' }));
      return;
    }
    const known = usual ? loaded : null;
    const record = recorder(active, message, choice, clock);
    const happened = (outcome: SendOutcome): Happening => ({ kind: 'outcome', call: record.call, outcome, line });
    const onLate = (late: SendOutcome): void => {
      if (late.kind !== 'accepted') return;
      const outcome = priced(late, line);
      insist(() => write.change(loaded, null, happened(outcome), record.of(outcome))).catch((error: unknown) =>
        log.error({ err: error }, 'a late acceptance was not written'),
      );
    };
    const limit = (onEnd: () => void): (() => void) => limits.within(timeoutMs, onEnd);
    const outcome = priced(await answerOf({ upstream: line.upstream, message, log, limit, onLate }), line);
    line.done(outcome);
    const made = record.of(outcome);
    onCall(made);
    await insist(() => write.change(loaded, known, happened(outcome), made));
  }

  return { attempt, insist, abort: limits.end };
}

interface Asked {
  upstream: Upstream;
  message: OutgoingMessage;
  log: Log;
  /** Calls back when the time for the answer is over; returns what takes that back. */
  limit(onEnd: () => void): () => void;
  /** Gets what the upstream says afterwards. */
  onLate(outcome: SendOutcome): void;
}

/** The upstream's answer, or `unknown` when it gives none in time. */
function answerOf({ upstream, message, log, limit, onLate }: Asked): Promise<SendOutcome> {
  const over = new AbortController();
  return new Promise((resolve) => {
    let answered = false;
    const answer = (outcome: SendOutcome): void => {
      if (answered) {
        onLate(outcome);
        return;
      }
      answered = true;
      cancel();
      resolve(outcome);
    };
    const cancel = limit(() => {
      over.abort();
      answer(unknown('no answer in time'));
    });
    handTo(upstream, message, over.signal).then(answer, (error: unknown) => {
      // Not the error itself: what an adapter throws may name the recipient.
      log.error({ type: error instanceof Error ? error.name : typeof error }, 'an adapter threw instead of answering');
      answer(unknown('the adapter failed'));
    });
  });
}

/** A throw of the adapter before its first await is a rejection like any other. */
const handTo = async (upstream: Upstream, message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> =>
  upstream.send(message, signal);

type Chosen = Extract<Choice, { kind: 'line' }>;

const priced = (outcome: SendOutcome, { costMicros, refundable = false }: Line): SendOutcome =>
  outcome.kind === 'accepted' ? { ...outcome, costMicros, refundable } : outcome;

/** What is written down of a call that begins now. */
function recorder(active: Active, { channel, content }: OutgoingMessage, { id, line, index }: Chosen, clock: Clock) {
  const startedAt = clock.now();
  const call = { step: active.step, attempt: active.attempt, try: active.try };
  const { provider, why, sender, currency, costMicros } = line;
  const route = id === null ? null : { line: id, why, sender, currency, segments: content.segments, index };
  const of = (outcome: SendOutcome): CallRecord => {
    const owed = route && outcome.kind === 'unknown' ? { ...route, owed_micros: costMicros } : route;
    return { call, channel, provider, route: owed, outcome, tookMs: clock.now() - startedAt };
  };
  return { call, of };
}

function outgoing(loaded: Loaded, active: Active, clear: Clear, { sender }: Pick<Line, 'sender'>): OutgoingMessage {
  const { applicationId, messageId, state } = loaded;
  const content = clear.contents[active.step];
  if (!content) throw new Error('a step without a text is not handed over');
  const step = stepAt(state, active.step);
  return {
    applicationId,
    messageId,
    step: active.step + 1,
    attempt: active.attempt,
    reference: referenceOf(loaded, active),
    channel: step.channel,
    to: step.to,
    content,
    ...(sender !== undefined && { sender }),
    code: clear.code,
    expiresAtMs: state.deadlineAtMs,
  };
}
