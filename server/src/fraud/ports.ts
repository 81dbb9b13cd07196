/** What the room is given by the wiring. The relations are what the ledger does not say of its entries, found by primary key. */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/sql.ts';
import type { Application } from '../policy.ts';

export interface LedgerRelations {
  /** application_id, message_id, recipient, country, signals, verification_id, created_at, expires_at. */
  facts: Sql;
  /** Calls an upstream accepted: application_id, message_id, attempt, try, provider, answered_at. */
  acceptances: Sql;
  /** application_id, country, day: where something was sent to, on which day (UTC). */
  countries: Sql;
}

export interface FraudPorts {
  db: Db;
  log: Log;
  relations: LedgerRelations;
  /** Whether this process closes prefixes; every one judges by what is closed. */
  worker: boolean;
  /** From memory where known; null when there is none. */
  application(id: string): Promise<Application | null>;
  /** Test numbers, of which nothing is learnt. */
  isExempt(recipient: string): boolean;
}
