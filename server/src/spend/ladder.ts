/** What the budgets say to a send before it is accepted, from memory: what was spent a moment ago. The caps are not kept here. */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import { listLadders } from './budget-store.ts';
import { type Budget, judgeLadder, type LadderAnswer, type LadderAsk } from './budgets.ts';

const everyMs = 500;
const none: LadderAnswer = { action: 'none', budgets: [] };

export interface Ladders {
  ask(ask: LadderAsk): LadderAnswer;
  /** Reads now. */
  look(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function createLadders({ db, log }: { db: Db; log: Log }): Ladders {
  let known = new Map<string, Budget[]>();

  async function look(): Promise<void> {
    known = Map.groupBy(await listLadders(db), ({ applicationId }) => applicationId);
  }

  const loop = createLoop({ work: look, everyMs, log, fault: 'the budgets could not be read yet' });
  return {
    look,
    ask(ask) {
      const own = known.get(ask.applicationId);
      return own ? judgeLadder(own, ask) : none;
    },
    start: () => loop.start(),
    stop: () => loop.stop(),
  };
}
