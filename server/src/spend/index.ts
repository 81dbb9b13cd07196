/**
 * Money: what organizations have, and how much applications may spend. A send reserves its estimate, or is refused, in the accepting
 * statement; a hand-over is charged in the statement that records it; what ends without one gives back. So balance and budgets add up
 * whatever dies in between, and no number of nodes together passes a cap or spends what is not there.
 *
 * Organizations are `unlimited` unless the operator says `prepaid`: nothing is charged, reserved or locked for them. A balance may fall
 * below zero all the same, by later steps of messages that were accepted and by costs above their estimate; then sends are refused
 * until it is topped up. A cap is exact at acceptance in the same way. The budget of an agent's key counts every step that may follow.
 */
import type { Queryable } from '../platform/db.ts';
import { findBindingBalance, forgetUses } from './balance-store.ts';
import type { LadderAnswer, LadderAsk } from './budgets.ts';
import { type Charges, createCharges } from './charge-store.ts';
import { createLadders } from './ladder.ts';
import { createOperations, type Operation } from './operations.ts';
import type { SpendPorts } from './ports.ts';

export { chargeKey, findAgainst } from './again-store.ts';
export type { SpendAsk } from './ask.ts';
export type { LadderAction, LadderAnswer, LadderAsk } from './budgets.ts';
export type { SpendPorts } from './ports.ts';
export { spendShare } from './share-store.ts';

export interface Spend {
  operations: readonly Operation[];
  /** What delivery writes with hand-overs and endings. */
  charges: Charges;
  /** What the budgets of an application say before a send is accepted, from memory that is a second old at most. */
  ladder(ask: LadderAsk): LadderAnswer;
  /** What is left to the organization of an application; null where nothing binds it. For alerts. */
  balance(tx: Queryable, applicationId: string): Promise<{ micros: number; currency: string } | null>;
  /** Removes up to `limit` marks of messages below the id; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
  /** Reads the budgets now. For tests, and for a start that must not begin without them. */
  look(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export function createSpend(ports: SpendPorts): Spend {
  const { db, currency, organizations } = ports;
  const ladders = createLadders(ports);
  return {
    operations: createOperations(ports),
    charges: createCharges(organizations),
    ladder: ladders.ask,
    async balance(tx, applicationId) {
      const micros = await findBindingBalance(tx, applicationId, organizations);
      return micros === null ? null : { micros, currency };
    },
    forget: (applicationId, belowId, limit) => forgetUses(db, applicationId, belowId, limit),
    look: ladders.look,
    start: ladders.start,
    stop: ladders.stop,
  };
}
