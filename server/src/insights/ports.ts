/** What the room is given by the wiring. The relations are what the ledger does not say of its entries, found by primary key. */
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/sql.ts';

export interface Relations {
  /** application_id, message_id, template_id, country, verification_id, created_at. */
  facts: Sql;
  /** Calls an upstream accepted: application_id, message_id, attempt, try, provider, answered_at. */
  acceptances: Sql;
  /** application_id, id, message_ids. */
  verifications: Sql;
}

export interface InsightsPorts {
  db: Db;
  clock: Clock;
  log: Log;
  relations: Relations;
  /** ISO 4217 code of every cost. */
  currency: string;
}
