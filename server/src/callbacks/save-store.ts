/** What changes endpoints by the hand of their owner. A change names the version it read, and puts its line into the ledger. */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { type Sql, sql } from '../platform/sql.ts';
import type { Endpoint, EndpointSettings } from './endpoint.ts';
import { type EndpointRow, endpointColumns, opener } from './endpoint-store.ts';
import type { Actor } from './office.ts';
import type { ProbeResult } from './probe.ts';

/** A line of the ledger per row of `changed`, which must have id and application_id. No secret, and no address, stands in it. */
const note = (actor: Actor, action: string): Sql =>
  eventRows(sql`select application_id, 0::bigint as message_id, 'callback_managed'::text as cause,
      null::text as status, null::integer as sequence, null::smallint as step, null::smallint as attempt,
      null::text as channel, null::integer as error_code,
      jsonb_build_object('action', ${action}::text, 'endpoint', id::text,
        'operator', jsonb_build_object('ip_address', ${actor?.ip ?? null}::text)) as data
    from changed where ${actor !== null}::boolean`);

async function change(
  db: Queryable,
  keyring: Keyring,
  [actor, action]: [actor: Actor, action: string],
  write: Sql,
): Promise<Endpoint | null> {
  const rows = await db.query<EndpointRow>(sql`
    with changed as (${write} returning ${endpointColumns}), event as (${note(actor, action)})
    select ${endpointColumns} from changed`);
  return rows.map(opener(keyring))[0] ?? null;
}

/** Held to the end of the transaction: endpoints of one application are made one after the other. */
export async function lockApplication(tx: Queryable, applicationId: string): Promise<void> {
  await tx.query(
    sql`select pg_advisory_xact_lock(hashtextextended('callback_endpoints ' || ${applicationId}::text, 0))`,
  );
}

export interface NewEndpoint {
  applicationId: string;
  settings: EndpointSettings;
  secrets: Buffer;
  ofSandbox: boolean;
  probed: ProbeResult;
}

/** Null when the application has `limit` of them already; that of the sandbox is not counted. Under the lock of the application. */
export function insertEndpoint(
  tx: Queryable,
  keyring: Keyring,
  { applicationId, settings, secrets, ofSandbox, probed }: NewEndpoint,
  limit: number,
  actor: Actor,
): Promise<Endpoint | null> {
  return change(
    tx,
    keyring,
    [actor, 'create callback endpoint'],
    sql`insert into callback_endpoints (application_id, description, url, username, secrets, event_types, format, retry_schedule,
        batch_rows, timeout_ms, concurrency, rate_per_second, enabled, of_sandbox, reachable, probe_note, probed_at)
      select ${applicationId}, ${settings.description}, ${settings.url}, ${settings.username}, ${secrets},
        ${settings.eventTypes}::text[], ${settings.format}, ${settings.retrySchedule}, ${settings.batchRows},
        ${settings.timeoutMs}, ${settings.concurrency}, ${settings.ratePerSecond}::numeric, ${settings.enabled}, ${ofSandbox},
        ${probed.reachable}, ${probed.note}, clock_now()
      where ${ofSandbox}::boolean
        or (select count(*) from callback_endpoints where application_id = ${applicationId} and not of_sandbox) < ${limit}`,
  );
}

type Read = Pick<Endpoint, 'id' | 'version'>;

export interface EndpointChange {
  settings: Omit<EndpointSettings, 'enabled'>;
  /** Null leaves it as it is by now: the platform may have switched it off since it was read. */
  enabled: boolean | null;
  secrets: Buffer;
  /** Null where nothing was probed. */
  probed: ProbeResult | null;
  /** Its failures belong to another address. */
  moved: boolean;
}

/** Null when it is no longer as `read`. Switched on again, it begins without a past. */
export function updateEndpoint(
  db: Queryable,
  keyring: Keyring,
  read: Read,
  { settings, enabled, secrets, probed, moved }: EndpointChange,
  actor: Actor,
): Promise<Endpoint | null> {
  return change(
    db,
    keyring,
    [actor, 'update callback endpoint'],
    sql`update callback_endpoints set description = ${settings.description}, url = ${settings.url},
        username = ${settings.username}, secrets = ${secrets}, event_types = ${settings.eventTypes}::text[],
        format = ${settings.format}, retry_schedule = ${settings.retrySchedule}, batch_rows = ${settings.batchRows},
        timeout_ms = ${settings.timeoutMs}, concurrency = ${settings.concurrency},
        rate_per_second = ${settings.ratePerSecond}::numeric, enabled = coalesce(${enabled}::boolean, enabled),
        disabled_because = case when ${enabled}::boolean then null else disabled_because end,
        failing_since = case when ${moved}::boolean or (${enabled}::boolean and not enabled) then null else failing_since end,
        reachable = coalesce(${probed?.reachable ?? null}::boolean, reachable),
        probe_note = coalesce(${probed?.note ?? null}::text, probe_note),
        probed_at = case when ${probed !== null}::boolean then clock_now() else probed_at end,
        version = version + 1, updated_at = clock_now()
      where id = ${read.id} and version = ${read.version}`,
  );
}

export function updateSecrets(
  db: Queryable,
  keyring: Keyring,
  read: Read,
  secrets: Buffer,
  actor: Actor,
): Promise<Endpoint | null> {
  return change(
    db,
    keyring,
    [actor, 'rotate signing secret'],
    sql`update callback_endpoints set secrets = ${secrets}, version = version + 1, updated_at = clock_now()
      where id = ${read.id} and version = ${read.version}`,
  );
}

/** What a probe saw is no change of the endpoint: its version stays, and nothing is noted. */
export async function updateProbe(
  db: Queryable,
  keyring: Keyring,
  read: Read,
  probed: ProbeResult,
): Promise<Endpoint | null> {
  const rows = await db.query<EndpointRow>(sql`
    update callback_endpoints set reachable = ${probed.reachable}, probe_note = ${probed.note}, probed_at = clock_now()
    where id = ${read.id} and version = ${read.version} returning ${endpointColumns}`);
  return rows.map(opener(keyring))[0] ?? null;
}

/**
 * One by its id, or that of the sandbox. The id, null when there is none. What was queued for it is the posting room's to remove. Its
 * secrets are not opened: also what was sealed under another master key can go.
 */
export async function deleteEndpoint(
  db: Queryable,
  applicationId: string,
  which: { id: string } | 'of_sandbox',
  actor: Actor,
): Promise<string | null> {
  const chosen = which === 'of_sandbox' ? sql`of_sandbox` : sql`id = ${which.id}`;
  const rows = await db.query<{ id: string }>(sql`
    with changed as (
      delete from callback_endpoints where application_id = ${applicationId} and ${chosen} returning id, application_id
    ), event as (${note(actor, 'delete callback endpoint')})
    select id from changed`);
  return rows[0]?.id ?? null;
}
