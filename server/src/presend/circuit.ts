/**
 * When to stop asking a hook that fails: after so many failures in a row it is left alone for some seconds, then asked once; a good
 * answer ends it, a bad one doubles the time. So a dead hook does not hold every send for its time limit. Pure.
 */
export interface Circuit {
  /** In a row. */
  failures: number;
  /** Milliseconds since 1970; 0: it is asked. */
  openUntilMs: number;
  openMs: number;
  /** When the one question after an open time went out; null: none is under way. */
  probeAtMs: number | null;
}

const failuresToOpen = 5;
const firstOpenMs = 5_000;
const maxOpenMs = 60_000;
/** A question nobody answered for is given up: longer than any takes. */
const probeMs = 10_000;

export const closedCircuit: Circuit = { failures: 0, openUntilMs: 0, openMs: 0, probeAtMs: null };

export const isClosed = ({ openMs }: Circuit): boolean => openMs === 0;

/** Whether a question may go out now. */
export function lets(circuit: Circuit, nowMs: number): boolean {
  if (isClosed(circuit)) return true;
  if (nowMs < circuit.openUntilMs) return false;
  return circuit.probeAtMs === null || nowMs >= circuit.probeAtMs + probeMs;
}

/** A question goes out, which `lets` allowed. */
export const begun = (circuit: Circuit, nowMs: number): Circuit =>
  isClosed(circuit) ? circuit : { ...circuit, probeAtMs: nowMs };

/** A question ended. One that went out before the circuit opened says nothing new about the hook now, unless it was answered well. */
export function ended(circuit: Circuit, good: boolean, probe: boolean, nowMs: number): Circuit {
  if (good) return closedCircuit;
  if (!isClosed(circuit) && !probe) return circuit;
  const failures = circuit.failures + 1;
  if (failures < failuresToOpen) return { ...circuit, failures };
  const openMs = isClosed(circuit) ? firstOpenMs : Math.min(circuit.openMs * 2, maxOpenMs);
  return { failures, openMs, openUntilMs: nowMs + openMs, probeAtMs: null };
}
