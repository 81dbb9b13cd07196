/** What the operator's deeds share: their tools, the answer for an unknown id, and lists that go on where the last page ended. */

import { ApiError, invalid } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';
import type { NormaliseRecipient } from './agent-terms.ts';
import type { Memory } from './memory.ts';
import type { Page } from './records.ts';

export interface Office {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  memory: Memory;
  /** Gives a sandbox application just made what it starts with (its templates); answered only afterwards. */
  furnishSandbox(application: Application): Promise<void>;
  normaliseRecipient: NormaliseRecipient;
  /** Runs a change of a policy in a transaction, and refuses it where codes become easier to guess than allowed. */
  guarded<T>(applicationId: string, write: (tx: Queryable) => Promise<T>): Promise<T>;
}

type Thing = 'organization' | 'application' | 'API key' | 'approval';

/** 404: unlike the objects of a key, those of the operator hide from nobody. */
export function found<Row>(thing: Thing, row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

/** The id, if it can be one at all; else the answer for an unknown one, without asking the database. */
export function knownForm(thing: Thing, id: string): string {
  return found(thing, isId(id) ? id : null);
}

export interface ListRequest {
  limit: number;
  cursor?: string | undefined;
}

export interface Listed<Row> {
  rows: Row[];
  /** The id of the last row when more follow. */
  next: string | null;
}

/** One row more than asked for shows whether the list goes on. */
export async function listPage<Row extends { id: string }>(
  { limit, cursor }: ListRequest,
  read: (page: Page) => Promise<Row[]>,
): Promise<Listed<Row>> {
  if (cursor !== undefined && !isId(cursor)) throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
  const rows = await read({ limit: limit + 1, before: cursor ?? null });
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
