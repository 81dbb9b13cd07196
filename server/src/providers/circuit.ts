/**
 * When to stop handing over to a provider that fails, as a pure state machine. Closed counts a sliding window and opens on its
 * share of errors, or at once when the account is at fault. Open lets nothing through for a time; half-open lets one probe through
 * at a time: a good one closes, a bad one opens again for twice as long.
 */
import { reasonTable, type SendOutcome } from '../channels/index.ts';
import type { CircuitRule } from './records.ts';

const maxOpenMs = 300_000;
/** The window moves on in this many steps. */
const slices = 10;
/** A probe nobody answered for is given up: longer than any hand-over takes. */
const probeMs = 30_000;

interface Slice {
  /** Number of the slice since 1970. */
  slot: number;
  calls: number;
  errors: number;
}

interface Common {
  sinceMs: number;
  /** Why it is not closed, in words. */
  reason: string | null;
}

export type Circuit =
  | (Common & { kind: 'closed'; window: readonly Slice[] })
  | (Common & { kind: 'open'; openMs: number; calls: number; errors: number })
  | (Common & { kind: 'half_open'; openMs: number; probeAtMs: number; calls: number; errors: number });

/** What an outcome says about the provider, not about the message. */
export type Verdict = { kind: 'good' } | { kind: 'error' | 'account'; detail: string };

export function verdictOf(outcome: SendOutcome): Verdict {
  if (outcome.kind === 'unknown') return { kind: 'error', detail: outcome.detail };
  const fault = outcome.kind === 'refused' ? reasonTable[outcome.reason].fault : 'none';
  if (outcome.kind !== 'refused' || fault === 'none') return { kind: 'good' };
  return { kind: fault === 'account' ? 'account' : 'error', detail: outcome.detail };
}

export const closedCircuit = (nowMs: number): Circuit => ({ kind: 'closed', sinceMs: nowMs, reason: null, window: [] });

/** Whether a hand-over may begin now. */
export function lets(circuit: Circuit, nowMs: number): boolean {
  if (circuit.kind === 'closed') return true;
  if (circuit.kind === 'open') return nowMs >= circuit.sinceMs + circuit.openMs;
  return nowMs >= circuit.probeAtMs + probeMs;
}

/** A hand-over begins, which `lets` allowed: the first after an open time is the probe. */
export function begin(circuit: Circuit, nowMs: number): { circuit: Circuit; probe: boolean } {
  if (circuit.kind === 'closed') return { circuit, probe: false };
  const sinceMs = circuit.kind === 'open' ? nowMs : circuit.sinceMs;
  return { circuit: { ...circuit, kind: 'half_open', sinceMs, probeAtMs: nowMs }, probe: true };
}

/** A hand-over ended. What began before the circuit opened says nothing new about a provider that is being probed. */
export function record(circuit: Circuit, probe: boolean, verdict: Verdict, rule: CircuitRule, nowMs: number): Circuit {
  if (circuit.kind === 'closed') return count(circuit, verdict, rule, nowMs);
  if (!probe || circuit.kind === 'open') return circuit;
  if (verdict.kind === 'good') return closedCircuit(nowMs);
  const openMs = Math.min(circuit.openMs * 2, maxOpenMs);
  return { kind: 'open', sinceMs: nowMs, reason: verdict.detail, openMs, calls: circuit.calls, errors: circuit.errors };
}

function count(
  circuit: Extract<Circuit, { kind: 'closed' }>,
  verdict: Verdict,
  rule: CircuitRule,
  nowMs: number,
): Circuit {
  const window = withCall(circuit.window, verdict.kind === 'good' ? 0 : 1, rule, nowMs);
  const { calls, errors } = sum(window);
  const openMs = Math.min(rule.open_seconds * 1_000, maxOpenMs);
  if (verdict.kind === 'account')
    return { kind: 'open', sinceMs: nowMs, reason: verdict.detail, openMs, calls, errors };
  if (verdict.kind === 'good' || calls < rule.min_calls || errors / calls < rule.error_ratio)
    return { ...circuit, window };
  const reason = `${errors} of ${calls} calls failed within ${rule.window_seconds} s, the last one: ${verdict.detail}`;
  return { kind: 'open', sinceMs: nowMs, reason, openMs, calls, errors };
}

function withCall(window: readonly Slice[], error: 0 | 1, rule: CircuitRule, nowMs: number): Slice[] {
  const current = slotAt(rule, nowMs);
  const last = window.at(-1);
  // A clock that steps back goes on in the newest slice.
  const slot = Math.max(current, last?.slot ?? current);
  const kept = window.filter((slice) => slice.slot > slot - slices && slice.slot !== slot);
  const calls = last?.slot === slot ? last.calls + 1 : 1;
  const errors = (last?.slot === slot ? last.errors : 0) + error;
  return [...kept, { slot, calls, errors }];
}

const slotAt = (rule: CircuitRule, nowMs: number): number =>
  Math.floor(nowMs / ((rule.window_seconds * 1_000) / slices));

function sum(window: readonly Slice[]): { calls: number; errors: number } {
  let calls = 0;
  let errors = 0;
  for (const slice of window) {
    calls += slice.calls;
    errors += slice.errors;
  }
  return { calls, errors };
}

/** Calls and errors inside the window now, or those that opened it. */
export function countsOf(circuit: Circuit, rule: CircuitRule, nowMs: number): { calls: number; errors: number } {
  if (circuit.kind !== 'closed') return { calls: circuit.calls, errors: circuit.errors };
  const oldest = slotAt(rule, nowMs) - slices;
  return sum(circuit.window.filter(({ slot }) => slot > oldest));
}
