/** Changes that make codes of an application easier or harder to guess take turns, so that none is judged by what another just left. */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

const guessLock = 7_261_003;

/** To the end of the transaction. */
export async function lockGuessing(tx: Queryable, applicationId: string): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(${guessLock}::integer, hashtext(${applicationId}))`);
}
