/** All SQL on the ledger. */
import type { ErrorCode } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import { timeOfId } from '../platform/ids.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import { type Cause, type EventDraft, eventColumns, type LedgerEntry, personalCauses } from './ledger.ts';

/**
 * An insert for a `with` clause of another room's statement. `rows` is a relation with the columns application_id, message_id,
 * cause, status, sequence, step, attempt, channel, error_code, data; rows are written in its order.
 */
export function eventRows(rows: Sql): Sql {
  return sql`insert into events (application_id, message_id, cause, status, sequence, step, attempt, channel, error_code, data)
    select application_id, message_id, cause, status, sequence, step, attempt, channel, error_code, data from (${rows}) as event`;
}

export async function appendEvents(db: Queryable, drafts: readonly EventDraft[]): Promise<void> {
  if (drafts.length > 0)
    await db.query(eventRows(sql`select * from (${relation(drafts, eventColumns)}) as draft order by ord`));
}

export interface LedgerRow {
  position: string;
  at: Date;
  application_id: string;
  message_id: string;
  cause: Cause;
  status: string | null;
  sequence: number | null;
  step: number | null;
  attempt: number | null;
  channel: string | null;
  error_code: ErrorCode | null;
  data: Record<string, unknown> | null;
}

const entryColumns = raw(
  'position, at, application_id, message_id, cause, status, sequence, step, attempt, channel, error_code, data',
);

/** The entries of one message, oldest first. */
export async function listEvents(db: Queryable, applicationId: string, messageId: string): Promise<LedgerEntry[]> {
  const rows = await db.query<LedgerRow>(sql`
    select ${entryColumns} from events where application_id = ${applicationId} and message_id = ${messageId} order by position`);
  return rows.map(toEntry);
}

export function toEntry(row: LedgerRow): LedgerEntry {
  return {
    position: row.position,
    at: row.at,
    applicationId: row.application_id,
    messageId: row.message_id,
    cause: row.cause,
    ...(row.status !== null && { status: row.status }),
    ...(row.sequence !== null && { sequence: row.sequence }),
    ...(row.step !== null && { step: row.step }),
    ...(row.attempt !== null && { attempt: row.attempt }),
    ...(row.channel !== null && { channel: row.channel }),
    ...(row.error_code !== null && { errorCode: row.error_code }),
    ...(row.data !== null && { data: row.data }),
  };
}

/** The relation other rooms join to what they keep of an event, by application_id, message_id and position. */
export const ledgerEntries = (): Sql => sql`select ${entryColumns} from events`;

/**
 * Removes up to `limit` entries of messages below the id. What belongs to no message stays, but for entries about people of the
 * time before it. Resolves with how many.
 */
export async function forgetEvents(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from events where ctid = any(array(
        (select ctid from events
          where application_id = ${applicationId} and message_id > 0 and message_id < ${belowId} limit ${limit})
        union all
        (select ctid from events
          where application_id = ${applicationId} and message_id = 0 and cause = any(${personalCauses}::text[])
            -- Positions follow the time, so that what is young is not gone through.
            and position < coalesce((
              select position from events where application_id = ${applicationId} and message_id = 0
                and at >= ${new Date(timeOfId(belowId))} order by position limit 1), 9223372036854775807)
          limit ${limit})
        limit ${limit}))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
