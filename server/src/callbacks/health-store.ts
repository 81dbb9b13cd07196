/** All SQL on how endpoints fare, which whoever posts to them finds out. */
import { type EventName, eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Sql, sql } from '../platform/sql.ts';
import type { DisabledBecause } from './endpoint.ts';

/** The relation of those to be posted to. */
export const enabledEndpoints = (): Sql => sql`select id, version from callback_endpoints where enabled`;

/** The first failure since the last success, or the success that ends it. */
export async function noteHealth(db: Queryable, id: string, failing: boolean): Promise<void> {
  await db.query(sql`
    update callback_endpoints set failing_since = case when ${failing}::boolean then coalesce(failing_since, clock_now()) end
    where id = ${id} and (failing_since is null) = ${failing}::boolean`);
}

/**
 * Switches an endpoint off and tells the ledger, so that the application's other endpoints learn of it. `failing` only if it has
 * failed for so many days. Resolves with whether it did.
 */
export async function disableEndpoint(
  db: Queryable,
  id: string,
  because: DisabledBecause,
  host: string,
  days: number,
): Promise<boolean> {
  const rows = await db.query<{ id: string }>(sql`
    with changed as (
      update callback_endpoints set enabled = false, disabled_because = ${because}, version = version + 1, updated_at = clock_now()
      where id = ${id} and enabled
        and (${because} = 'gone' or failing_since <= clock_now() - ${days} * interval '1 day')
      returning id, application_id, failing_since
    ), told as (${eventRows(sql`
      select application_id, 0::bigint as message_id, 'callback_disabled' as cause, 'callback_endpoint_disabled' as status,
        null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel,
        null::integer as error_code,
        jsonb_build_object('endpoint_id', id::text, 'host', ${host}::text, 'because', ${because}::text,
          'failing_since', failing_since) as data
      from changed`)})
    select id from changed`);
  return rows.length > 0;
}

export interface Failing {
  id: string;
  applicationId: string;
  /** Its address may carry a secret in path or query. */
  host: string;
  failingSince: Date | null;
  disabledBecause: DisabledBecause | null;
}

/** Endpoints that have failed since their last success, and those the platform switched off. */
export async function listFailing(db: Queryable): Promise<Failing[]> {
  const rows = await db.query<{
    id: string;
    application_id: string;
    url: string;
    failing_since: Date | null;
    disabled_because: DisabledBecause | null;
  }>(sql`select id, application_id, url, failing_since, disabled_because from callback_endpoints
    where disabled_because is not null or (enabled and failing_since is not null)`);
  return rows.map((row) => ({
    id: row.id,
    applicationId: row.application_id,
    host: new URL(row.url).host,
    failingSince: row.failing_since,
    disabledBecause: row.disabled_because,
  }));
}

/** Applications with an enabled endpoint that chose the event. */
export async function listSubscribers(db: Queryable, event: EventName): Promise<string[]> {
  const rows = await db.query<{ application_id: string }>(sql`
    select distinct application_id from callback_endpoints where enabled and ${event} = any (event_types)`);
  return rows.map((row) => row.application_id);
}
