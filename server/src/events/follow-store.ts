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

/** The same without the stop: for asking what somebody behind a cursor has not read yet. */
export const committedEntries = (): Sql => sql`select ${followed} from events where status is not null`;

/** As followedEntries, of what is told to nobody and yet counted: wrong codes and resends. */
export const uncalledEntries = (): Sql => sql`
  select ${followed} from events
  where status is null and cause in ('wrong_code', 'resent') and txid < pg_snapshot_xmin(pg_current_snapshot())`;

/** A relation of every application with an entry to follow: one step of the index for each, whatever it wrote. */
export const followedApplications = (): Sql => sql`
  with recursive holder as (
    (select application_id from events where status is not null and application_id > 0 order by application_id limit 1)
    union all
    select (select e.application_id from events e where e.status is not null and e.application_id > h.application_id
      order by e.application_id limit 1)
    from holder h where h.application_id is not null
  )
  select application_id from holder where application_id is not null`;

/** Where to begin for all of an application's messages from `fromId` on: a row with txid and position, or none. */
export const firstFollowed = (applicationId: string, fromId: string): Sql => sql`
  select txid, position from events where application_id = ${applicationId} and message_id >= ${fromId}
  order by message_id, position limit 1`;
