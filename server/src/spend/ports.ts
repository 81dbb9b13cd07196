/** What the room is given by the wiring. */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/sql.ts';

export interface SpendPorts {
  db: Db;
  log: Log;
  /** ISO 4217 code of every amount. */
  currency: string;
  /** Null when there is none. */
  organization(id: string): Promise<object | null>;
  application(id: string): Promise<object | null>;
  /** Relation of every application: application_id, organization_id. */
  organizations: Sql;
}
