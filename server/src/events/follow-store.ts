/** The ledger as those read it who follow an application: what has a status, and is committed for good. */
import { raw, type Sql, sql } from '../platform/sql.ts';

const followed = raw(
  'txid, position, at, application_id, message_id, cause, status, sequence, step, attempt, channel, error_code, data',
);

/**
 * A relation in the order of (application_id, txid, position), by that index. It stops at the oldest transaction still under way:
 * what is read behind a cursor of (txid, position) is whole, nothing is put before it later.
 */
export const followedEntries = (): Sql => sql`
  select ${followed} from events where status is not null and txid < pg_snapshot_xmin(pg_current_snapshot())`;

/** Where to begin for all of an application's messages from `fromId` on: a row with txid and position, or none. */
export const firstFollowed = (applicationId: string, fromId: string): Sql => sql`
  select txid, position from events where application_id = ${applicationId} and message_id >= ${fromId}
  order by message_id, position limit 1`;
