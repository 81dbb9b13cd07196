/**
 * One attempt: hand the text to the upstream, outside any transaction, and write down what came of it. The call is given 10 s,
 * less than the lease of the row, so that no other node begins while this one may still be at it. An outcome is precious: while
 * the database is away, writing it is tried until it succeeds or the process stops.
 */
import { type Channel, type OutgoingMessage, type SendOutcome, type Upstream, unknown } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import { DatabaseUnavailable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Clear } from './content.ts';
import type { Next } from './next.ts';
import { stepAt } from './state.ts';
import type { CallRecord, Loaded } from './store.ts';
import { createTimeLimits } from './time-limits.ts';
import type { Write } from './write.ts';

const maxPatienceMs = 2_000;

export type UpstreamFor = (applicationId: string, channel: Channel) => { provider: string; upstream: Upstream } | null;

interface RunPorts {
  write: Write;
  clock: Clock;
  log: Log;
  upstreamFor: UpstreamFor;
  timeoutMs: number;
  /** Called with every change made here. */
  onChange(result: Next | null): void;
}

export interface Run {
  /** The planned attempt of a delivery this node holds the lease of. */
  attempt(loaded: Loaded, clear: Clear): Promise<void>;
  /** Tries until the database takes it or the process stops. */
  insist(work: () => Promise<Next | null>): Promise<void>;
  /** Ends calls and waits that are still under way. */
  abort(): void;
}

export function createRun({ write, clock, log, upstreamFor, timeoutMs, onChange }: RunPorts): Run {
  const limits = createTimeLimits();

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
    const { channel } = stepAt(loaded.state, active.step);
    const found = upstreamFor(loaded.applicationId, channel);
    const message = outgoing(loaded, clear);
    if (!found || !message) {
      await insist(() => write.change(loaded, loaded, { kind: 'unusable', reason: 'no_route' }));
      return;
    }
    const call = { step: active.step, attempt: active.attempt, try: active.try };
    const startedAt = clock.now();
    const recordOf = (outcome: SendOutcome): CallRecord => {
      const tookMs = clock.now() - startedAt;
      return { call, channel, provider: found.provider, outcome, tookMs };
    };
    const onLate = (outcome: SendOutcome): void => {
      if (outcome.kind !== 'accepted') return;
      insist(() => write.change(loaded, null, { kind: 'outcome', call, outcome }, recordOf(outcome))).catch(
        (error: unknown) => log.error({ err: error }, 'a late acceptance was not written'),
      );
    };
    const limit = (onEnd: () => void): (() => void) => limits.within(timeoutMs, onEnd);
    const outcome = await answerOf({ upstream: found.upstream, message, log, limit, onLate });
    await insist(() => write.change(loaded, loaded, { kind: 'outcome', call, outcome }, recordOf(outcome)));
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

function outgoing({ applicationId, messageId, state }: Loaded, clear: Clear): OutgoingMessage | null {
  const { active } = state;
  const content = active && clear.contents[active.step];
  if (!content) return null;
  const step = stepAt(state, active.step);
  return {
    applicationId,
    messageId,
    step: active.step + 1,
    attempt: active.attempt,
    reference: `${messageId}-${active.attempt}-${active.reference}`,
    channel: step.channel,
    to: step.to,
    content,
    code: clear.code,
    expiresAtMs: state.deadlineAtMs,
  };
}
