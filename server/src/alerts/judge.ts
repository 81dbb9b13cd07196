/**
 * Whether a value begins or ends an alert. Pure. An alert begins beyond the threshold and ends only beyond the clear threshold, so
 * that a value swinging about one of them tells once; and none begins before its quiet period since the last one began is over.
 */

export interface Bounds {
  /** `below`: too little is the trouble; `above`: too much. */
  trouble: 'below' | 'above';
  threshold: number;
  /** On the good side of the threshold, or the threshold itself. */
  clear: number;
}

export interface AlertState {
  raised: boolean;
  /** Milliseconds since 1970 of the last one, ended or not; null before the first. */
  raisedAtMs: number | null;
}

export type Verdict = 'nothing' | 'raise' | 'stay' | 'end';

/** `value` null: nothing can be said now. */
export function judge(
  bounds: Bounds,
  { raised, raisedAtMs }: AlertState,
  value: number | null,
  { nowMs, quietMs }: { nowMs: number; quietMs: number },
): Verdict {
  if (raised) return value !== null && isClear(bounds, value) ? 'end' : 'stay';
  if (value === null || !isTrouble(bounds, value)) return 'nothing';
  const quiet = raisedAtMs !== null && nowMs - raisedAtMs < quietMs;
  return quiet ? 'nothing' : 'raise';
}

const isTrouble = ({ trouble, threshold }: Bounds, value: number): boolean =>
  trouble === 'below' ? value < threshold : value > threshold;

const isClear = ({ trouble, clear }: Bounds, value: number): boolean =>
  trouble === 'below' ? value >= clear : value <= clear;
