/**
 * The one function that says how a delivery goes on: state + what happened + now → next state and its ledger entries. Pure.
 * For any sequence of happenings a message ends by its deadline, at most one attempt is in flight, and nothing is handed over
 * after verified, cancelled, exhausted, superseded or expired. The rules are in hand-over, receipt, request and ending.
 */
import type { Channel, Receipt, SendOutcome } from '../channels/index.ts';
import { beginChange, type Change, type Entry } from './change.ts';
import { type Deadline, end, expire, overtake } from './ending.ts';
import { type Call, giveBack, type LineUse, lapse, outcomeOf, takeLine, unusable } from './hand-over.ts';
import { receiptOf, waitOver } from './receipt.ts';
import { type Lines, refreshLines, requestAgain, requestNext } from './request.ts';
import { type EndReason, messageState, type SkipReason, type State } from './state.ts';
import type { About } from './told.ts';

export type Happening =
  | { kind: 'outcome'; call: Call; outcome: SendOutcome; line: LineUse }
  | ({ kind: 'lapsed' } & Pick<LineUse, 'idempotent'>)
  | { kind: 'not_started'; delayMs?: number }
  | { kind: 'takes_line'; line: number }
  | { kind: 'unusable'; reason: SkipReason }
  | { kind: 'receipt'; about: About; outcome: Receipt['outcome'] }
  | { kind: 'wait_over' }
  | { kind: 'next_channel'; lines?: Lines | undefined }
  | { kind: 'resend'; channel?: Channel | undefined; deadlineAtMs?: number | undefined; lines?: Lines | undefined }
  | { kind: 'ended'; reason: EndReason }
  | { kind: 'overtaken' }
  | ({ kind: 'deadline' } & Deadline);

export interface Next {
  /** The very state given when nothing changed. */
  state: State;
  entries: Entry[];
  /** The message has just become failed or invalid: its resend lock is lifted (contract §5.6). */
  release: boolean;
  /** Of next_channel and resend: what will be used. */
  asked?: { channel: Channel; attempt: number };
  /** Of a receipt: its hand-over is not concluded yet, it is to be reported again. */
  early?: true;
}

/** Throws only for user requests, with the public refusal. */
export function next(state: State, happening: Happening, nowMs: number, currency = 'USD'): Next {
  const change = beginChange(state, nowMs, currency);
  const answer = apply(change, happening);
  change.state.state = messageState(change.state);
  const changed = change.entries.length > 0 || JSON.stringify(change.state) !== JSON.stringify(state);
  const over = change.state.state === 'failed' || change.state.state === 'invalid';
  return {
    state: changed ? change.state : state,
    entries: change.entries,
    release: over && state.state !== change.state.state && change.state.ended === null && state.release !== null,
    ...answer,
  };
}

function apply(change: Change, happening: Happening): Pick<Next, 'asked' | 'early'> {
  switch (happening.kind) {
    case 'outcome':
      outcomeOf(change, happening.call, happening.outcome, happening.line);
      return {};
    case 'lapsed':
      lapse(change, happening);
      return {};
    case 'not_started':
      giveBack(change, happening.delayMs ?? 0);
      return {};
    case 'takes_line':
      takeLine(change, happening.line);
      return {};
    case 'unusable':
      unusable(change, happening.reason);
      return {};
    case 'receipt':
      return receiptOf(change, happening.about, happening.outcome) ? {} : { early: true };
    case 'wait_over':
      waitOver(change);
      return {};
    case 'next_channel': {
      refreshLines(change, happening.lines);
      const channel = requestNext(change);
      return { asked: { channel, attempt: change.state.attempts } };
    }
    case 'resend': {
      refreshLines(change, happening.lines);
      const asked = requestAgain(change, happening.channel);
      if (happening.deadlineAtMs !== undefined) change.state.deadlineAtMs = happening.deadlineAtMs;
      return { asked };
    }
    case 'ended':
      end(change, happening.reason);
      return {};
    case 'overtaken':
      overtake(change);
      return {};
    case 'deadline':
      expire(change, happening);
      return {};
  }
}
