/** What the operations of the room work with. */
import type { Db } from '../platform/db.ts';
import type { Sql } from '../platform/sql.ts';
import type { Memory } from './memory.ts';

export interface Relations {
  /** application_id, message_id, country, created_at. */
  facts: Sql;
  /** Calls an upstream accepted: application_id, message_id, attempt, try, channel, provider, segments, cost_micros. */
  acceptances: Sql;
}

export interface Office {
  db: Db;
  memory: Memory;
  /** ISO 4217 code of every price. */
  currency: string;
  /** ISO 3166, of a number in E.164 form. */
  countryOf(number: string): string | null;
  relations: Relations;
  /** Applications in the order of their ids. */
  applicationsAfter(afterId: string, limit: number): Promise<readonly { id: string }[]>;
  application(id: string): Promise<object | null>;
}
