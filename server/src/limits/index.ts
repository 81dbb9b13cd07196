/**
 * Who may send how much to whom: allow and block lists, opt-outs, the resend lock of a template and target, sends per target, wrong codes per target;
 * and what these rules leave to a guesser.
 * All of it is decided and counted in the accepting (or checking) statement itself, on one locked row per target, so that
 * parallel requests on any number of nodes never pass more than the rule (contract §5.6, §6).
 */

export { type GrantRow, grantColumns, type Verdict } from './grant.ts';
export { createGuessGuard, type GuessGuard } from './guess-guard.ts';
export { createListOperations } from './list-operations.ts';
export { findListed, type ListAsk, toHit } from './list-store.ts';
export type { ListHit } from './lists.ts';
export { createOperations as createLimitOperations } from './operations.ts';
export {
  deleteOptOut,
  findOptOut,
  findOptOuts,
  insertOptOut,
  listOptedOutApplications,
  listOptOuts,
} from './opt-out-store.ts';
export type { OptOut } from './opt-outs.ts';
export { type RefusalRow, refusalOf } from './refusal.ts';
export {
  countRows,
  countWrongCodes,
  findLock,
  grantAgain,
  judgeRows,
  type LiveLock,
  type Released,
  release,
  settleTargets,
  sweepTargets,
  targetRows,
} from './store.ts';
