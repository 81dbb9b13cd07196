/** What other rooms write in the statements that record hand-overs and endings, so that it is written exactly once. */
import { type Sql, sql } from '../platform/sql.ts';
import { type State, usableAfter } from './state.ts';

/** Clauses of a `with`; the relations handed over have application_id and message_id. */
export interface Charges {
  /**
   * Locks that come before those of deliveries. `rows`: what may be settled, with `costs` where a call was accepted. The last clause
   * is `charge_locks`, which is read from before a row is written.
   */
  lock(rows: Sql): Sql;
  /**
   * `accepted`: attempt, try and cost_micros of the calls that became known as accepted; `over`: see becomesOver; `corrected`: attempt,
   * try and micros that receipts give back, below zero what they take again.
   */
  settle(accepted: Sql, over: Sql, corrected: Sql | null): Sql;
  /** `ended`: deliveries that ended or stopped with nothing under way. */
  giveBack(ended: Sql): Sql;
}

/** Nothing is under way and nothing will be, unless somebody asks. */
const isOver = (state: State): boolean =>
  state.active === null &&
  state.request === null &&
  (state.ended !== null || state.satisfied || isGivenUp(state) || usableAfter(state, state.position) === null);

const isGivenUp = ({ state }: State): boolean => state === 'failed' || state === 'invalid' || state === 'cancelled';

/** Whether it is the change that makes it so. */
export const becomesOver = ({ before, state }: { before: State; state: State }): boolean =>
  isOver(state) && (state.ended !== null || !isOver(before));

const nothing = { before: sql``, first: sql``, after: sql`` };

/** For the saving statement, whose clauses are `called` and `saved`; nothing where nothing can cost. */
export function chargeClauses(charges: Charges | undefined, rows: Sql | null, corrections: Sql | null): typeof nothing {
  if (!charges || !rows) return nothing;
  return {
    before: sql`${charges.lock(rows)},`,
    first: sql`and (select count(*) from charge_locks) >= 0`,
    after: sql`, ${charges.settle(
      sql`select application_id, message_id, attempt, try, cost_micros from called where outcome = 'accepted'`,
      sql`select application_id, message_id from saved where over`,
      corrections && sql`select c.* from (${corrections}) c join saved using (application_id, message_id)`,
    )}`,
  };
}

/** `ended`: deliveries that ended or stopped with nothing under way. */
export const givesBack = (charges: Charges | undefined, ended: Sql): Sql =>
  charges ? sql`, ${charges.giveBack(ended)}` : sql``;
