/**
 * The ceiling an application sets on guessing: a change of its policy or templates is made, weighed as it would stand, and taken
 * back where it exceeds the ceiling. What stood above it already may stay as it is or get better.
 */
import { refuse } from '../errors.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Policy } from '../policy.ts';
import { type ApplicationGuess, type CodeSpace, type GuessTemplate, guessProbability } from './guess.ts';
import { lockGuessing } from './guess-store.ts';

export interface GuessPorts {
  db: Db;
  codeSpace: CodeSpace;
  /** In force, as this connection sees it; null for an unknown application. */
  policy(on: Queryable, applicationId: string): Promise<Policy | null>;
  /** Of templates with a code: the revisions that serve sends, and those that serve once they are approved. */
  templates(on: Queryable, applicationId: string): Promise<(GuessTemplate & { live: boolean })[]>;
}

export interface Guessing extends ApplicationGuess {
  ceiling: number | null;
}

export interface GuessGuard {
  /** Of what serves sends now; null for an unknown application. */
  read(applicationId: string): Promise<Guessing | null>;
  /** 3003 and nothing written where the change would exceed the ceiling. */
  guarded<T>(applicationId: string, write: (tx: Queryable) => Promise<T>): Promise<T>;
}

export function createGuessGuard(ports: GuessPorts): GuessGuard {
  const { db, codeSpace } = ports;

  async function weigh(on: Queryable, applicationId: string, also: 'live' | 'pending'): Promise<Guessing | null> {
    const policy = await ports.policy(on, applicationId);
    if (!policy) return null;
    const templates = await ports.templates(on, applicationId);
    const weighed = templates.filter(({ live }) => live || also === 'pending');
    return { ...guessProbability(policy, weighed, codeSpace), ceiling: policy.guess_ceiling };
  }

  return {
    read: (applicationId) => weigh(db, applicationId, 'live'),
    guarded: (applicationId, write) =>
      db.transaction(async (tx) => {
        await lockGuessing(tx, applicationId);
        const before = await weigh(tx, applicationId, 'pending');
        const result = await write(tx);
        const after = await weigh(tx, applicationId, 'pending');
        if (exceeds(after) && !(exceeds(before) && isNoWorse(after, before)))
          throw refuse('guess_ceiling_exceeded', String(probabilityOf(after)));
        return result;
      }),
  };
}

const probabilityOf = (guessing: Guessing | null): number => guessing?.worst?.probabilityPerDay ?? 0;
const ceilingOf = (guessing: Guessing | null): number => guessing?.ceiling ?? 1;
const exceeds = (guessing: Guessing | null): boolean => probabilityOf(guessing) > ceilingOf(guessing);
const isNoWorse = (after: Guessing | null, before: Guessing | null): boolean =>
  probabilityOf(after) <= probabilityOf(before) && ceilingOf(after) >= ceilingOf(before);
