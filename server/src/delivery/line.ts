/**
 * Which way a hand-over takes: the lines of its step, from the one planned on, until one may be used now. Lines that are gone,
 * closed by their circuit or out of their rate are passed over without a call.
 */
import type { Content, SendOutcome, Upstream } from '../channels/index.ts';
import { type State, type Step, stepAt } from './state.ts';

/** One provider as one entry of one route; the virtual network is a line of its own. */
export interface Line {
  provider: string;
  upstream: Upstream;
  /** The upstream drops a repeated reference. */
  idempotent: boolean;
  /** Undefined where the provider's own is used. */
  sender?: string | undefined;
  /** The sender asked for is not allowed here. */
  senderReplaced: boolean;
  costMicros: number;
  /** The cost is given back when a receipt says that it was not delivered. */
  refundable?: boolean;
  currency: string;
  /** In words: why the route led here. */
  why: string;
  /** 0: may be called now, and counts as begun; more: milliseconds to wait, nothing counted; Infinity: closed. */
  admit(): number;
  /** Once after every call that was admitted. */
  done(outcome: SendOutcome): void;
}

/** Of the virtual network for null; null when the line or its provider is gone. `step` is what its price goes by. */
export type LineOf = (id: string | null, content: Partial<Content>, step: Pick<Step, 'channel' | 'to'>) => Line | null;

export type Choice =
  | { kind: 'line'; index: number; id: string | null; line: Line }
  | { kind: 'wait'; ms: number; provider: string }
  | { kind: 'none'; reason: 'no_route' | 'circuit_open' };

export function chooseLine(state: State, content: Content, lineOf: LineOf): Choice {
  const { active } = state;
  const step = active && stepAt(state, active.step);
  const ids = step ? (step.lines ?? [null]) : [];
  const from = active?.line ?? 0;
  let choice: Exclude<Choice, { kind: 'line' }> = { kind: 'none', reason: 'no_route' };
  for (let ahead = 0; ahead < ids.length; ahead++) {
    const index = (from + ahead) % ids.length;
    const id = ids[index] ?? null;
    const line = !step || active?.out?.includes(index) ? null : lineOf(id, content, step);
    if (!line) continue;
    const ms = line.admit();
    if (ms === 0) return { kind: 'line', index, id, line };
    if (ms === Number.POSITIVE_INFINITY)
      choice = choice.kind === 'wait' ? choice : { kind: 'none', reason: 'circuit_open' };
    else if (choice.kind !== 'wait' || ms < choice.ms) choice = { kind: 'wait', ms, provider: line.provider };
  }
  return choice;
}

/** Attempts that a provider's rate sent away come back one after the other, not all at once. */
export function createQueues(now: () => number): (provider: string, ms: number) => number {
  const lastAt = new Map<string, number>();
  return (provider, ms) => {
    const atMs = Math.max(now() + ms, (lastAt.get(provider) ?? 0) + ms);
    const delayMs = Math.min(atMs - now(), 5_000);
    lastAt.set(provider, now() + delayMs);
    return delayMs;
  };
}
