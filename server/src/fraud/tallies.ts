/** How often rules were asked and matched on this node, until it is written. */
import type { Queryable } from '../platform/db.ts';
import { addTallies, type Tally } from './tally-store.ts';

export interface Tallies {
  asked(applicationId: string, rule: string, nowMs: number, matched: boolean | null, isShadow: boolean): void;
  /** Writes what was counted; what could not be written is counted on. */
  flush(db: Queryable): Promise<void>;
}

const dayMs = 86_400_000;
const rowsAtOnce = 1_000;

export function createTallies(): Tallies {
  let counted = new Map<string, Tally>();
  let dayNumber = 0;
  let day = '';

  function tallyOf(applicationId: string, rule: string, nowMs: number): Tally {
    const number = Math.floor(nowMs / dayMs);
    if (number !== dayNumber) {
      dayNumber = number;
      day = new Date(nowMs).toISOString().slice(0, 10);
    }
    const key = `${applicationId} ${rule} ${day}`;
    let tally = counted.get(key);
    if (!tally) {
      tally = { applicationId, day, rule, evaluated: 0, fired: 0, shadow: 0, unreadable: 0 };
      counted.set(key, tally);
    }
    return tally;
  }

  return {
    asked(applicationId, rule, nowMs, matched, isShadow) {
      const tally = tallyOf(applicationId, rule, nowMs);
      tally.evaluated++;
      if (matched === null) tally.unreadable++;
      else if (matched) tally[isShadow ? 'shadow' : 'fired']++;
    },
    async flush(db) {
      const writing = counted;
      counted = new Map();
      const tallies = [...writing.values()];
      for (let from = 0; from < tallies.length; from += rowsAtOnce) {
        try {
          await addTallies(db, tallies.slice(from, from + rowsAtOnce));
        } catch (error) {
          for (const left of tallies.slice(from)) keep(counted, left);
          throw error;
        }
      }
    },
  };
}

function keep(counted: Map<string, Tally>, left: Tally): void {
  const key = `${left.applicationId} ${left.rule} ${left.day}`;
  const now = counted.get(key);
  if (!now) counted.set(key, left);
  else for (const name of ['evaluated', 'fired', 'shadow', 'unreadable'] as const) now[name] += left[name];
}
