/** All SQL on `uplinks`. */
import type { Queryable } from '../platform/db.ts';
import { timeOfId } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';

export interface UplinkRow {
  provider: string;
  upstreamId: string;
  applicationId: string | null;
  from: string;
  to: string;
  sealedBody: Buffer;
}

/** False when it was taken before. Waits for another transaction that is taking the same. */
export async function insertUplink(tx: Queryable, row: UplinkRow): Promise<boolean> {
  const rows = await tx.query<{ provider: string }>(sql`
    insert into uplinks (provider, upstream_id, application_id, from_address, to_address, body)
    values (${row.provider}, ${row.upstreamId}, ${row.applicationId}, ${row.from}, ${row.to}, ${row.sealedBody})
    on conflict do nothing returning provider`);
  return rows.length > 0;
}

/**
 * Removes up to `limit` uplinks of the application from before the id's time, and those without an application from before
 * `unclaimedBefore`; resolves with how many.
 */
export async function forgetUplinks(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
  unclaimedBefore: Date,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from uplinks where ctid = any(array(
        (select ctid from uplinks
          where application_id = ${applicationId} and received_at < ${new Date(timeOfId(belowId))} limit ${limit})
        union all
        (select ctid from uplinks where application_id is null and received_at < ${unclaimedBefore} limit ${limit})
        limit ${limit}))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
