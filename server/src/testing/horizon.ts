/**
 * Those who follow the ledger read below the oldest transaction under way, of whatever database of that server: other tests share
 * it. What a test wrote is theirs to read once this resolves.
 */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';
import { until } from './until.ts';

export async function untilLedgerIsSettled(db: Queryable): Promise<void> {
  await until('everything in the ledger lies below the oldest transaction under way', async () => {
    const [row] = await db.query<{ settled: boolean }>(sql`
      select not exists (select 1 from events where txid >= pg_snapshot_xmin(pg_current_snapshot())) as settled`);
    return row?.settled;
  });
}
