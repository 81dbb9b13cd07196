/** What hooks answered, counted in memory and added to the database now and then; a crash loses the last second. */
import type { HookAnswer } from './hook.ts';
import type { Noted } from './live.ts';

export interface Counts {
  allowed: number;
  denied: number;
  challenged: number;
  /** Without a good answer, the skipped among them. */
  failed: number;
  /** Not even asked: the circuit was open, or too many were under way. */
  skipped: number;
  lastFailure: string | null;
}

const zero: Counts = { allowed: 0, denied: 0, challenged: 0, failed: 0, skipped: 0, lastFailure: null };
const nameOf = { allow: 'allowed', deny: 'denied', challenge: 'challenged' } as const satisfies Record<
  HookAnswer['answer'],
  keyof Counts
>;

export interface Tally {
  note(applicationId: string, noted: Noted): void;
  /** All that was noted since, which counts anew from here. */
  take(): Map<string, Counts>;
  /** Puts back what could not be saved. */
  giveBack(taken: ReadonlyMap<string, Counts>): void;
}

export function createTally(): Tally {
  let counts = new Map<string, Counts>();
  const add = (applicationId: string, more: Counts): void => {
    const before = counts.get(applicationId) ?? zero;
    counts.set(applicationId, {
      allowed: before.allowed + more.allowed,
      denied: before.denied + more.denied,
      challenged: before.challenged + more.challenged,
      failed: before.failed + more.failed,
      skipped: before.skipped + more.skipped,
      lastFailure: more.lastFailure ?? before.lastFailure,
    });
  };
  return {
    note(applicationId, { answer: { answer, failed }, skipped }) {
      const one =
        failed === undefined
          ? { ...zero, [nameOf[answer]]: 1 }
          : { ...zero, failed: 1, skipped: skipped ? 1 : 0, lastFailure: failed };
      add(applicationId, one);
    },
    take() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    giveBack(taken) {
      for (const [applicationId, counted] of taken) add(applicationId, counted);
    },
  };
}
