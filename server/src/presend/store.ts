/** All SQL of the room. Every change says so to the other nodes when it commits, and puts its line into the ledger. */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Counts } from './counts.ts';
import { type Hook, type HookSettings, openSecrets } from './hook.ts';

export const changesChannel = 'presend_changed';
const channel = raw(`'${changesChannel}'`);

interface HookRow {
  application_id: string;
  url: string;
  timeout_ms: number;
  on_failure: Hook['onFailure'];
  secrets: Buffer;
  enabled: boolean;
  version: string;
  created_at: Date;
  updated_at: Date;
}
const columns = raw('application_id, url, timeout_ms, on_failure, secrets, enabled, version, created_at, updated_at');

const opener =
  (keyring: Keyring) =>
  (row: HookRow): Hook => ({
    applicationId: row.application_id,
    url: row.url,
    timeoutMs: row.timeout_ms,
    onFailure: row.on_failure,
    secrets: openSecrets(keyring, row.application_id, row.secrets),
    enabled: row.enabled,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });

/** Another one after every change: versions only grow, whatever the order of their commits. */
export async function findStamp(db: Queryable): Promise<string> {
  const [row] = await db.query<{ stamp: string }>(
    sql`select count(*) || ' ' || coalesce(sum(version), 0) as stamp from presend_hooks`,
  );
  return row?.stamp ?? '';
}

export async function listHooks(db: Queryable, keyring: Keyring): Promise<Hook[]> {
  return (await db.query<HookRow>(sql`select ${columns} from presend_hooks`)).map(opener(keyring));
}

export async function findHook(db: Queryable, keyring: Keyring, applicationId: string): Promise<Hook | null> {
  const rows = await db.query<HookRow>(sql`
    select ${columns} from presend_hooks where application_id = ${applicationId}`);
  return rows.map(opener(keyring))[0] ?? null;
}

/** Held to the end of the transaction: changes of one application's hook are made one after the other, its first one too. */
export async function lockHook(tx: Queryable, applicationId: string): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(hashtextextended('presend_hooks ' || ${applicationId}::text, 0))`);
}

/** Who did it, for the ledger. */
export interface Actor {
  ip: string;
}

async function change(
  db: Queryable,
  keyring: Keyring,
  [actor, action]: [actor: Actor, action: string],
  write: Sql,
): Promise<Hook | null> {
  const rows = await db.query<HookRow>(sql`
    with changed as (${write} returning ${columns}),
    logged as (${eventRows(sql`
      select application_id, 0::bigint as message_id, 'presend_managed'::text as cause, null::text as status,
        null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel,
        null::integer as error_code,
        jsonb_build_object('action', ${action}::text, 'operator', jsonb_build_object('ip_address', ${actor.ip}::text)) as data
      from changed`)})
    select ${columns}, pg_notify(${channel}, '') as told from changed`);
  return rows.map(opener(keyring))[0] ?? null;
}

export async function saveHook(
  tx: Queryable,
  keyring: Keyring,
  applicationId: string,
  { url, timeoutMs, onFailure, enabled }: HookSettings,
  secrets: Buffer,
  actor: Actor,
): Promise<Hook> {
  const hook = await change(
    tx,
    keyring,
    [actor, 'set pre-send hook'],
    sql`insert into presend_hooks (application_id, url, timeout_ms, on_failure, secrets, enabled)
      values (${applicationId}, ${url}, ${timeoutMs}, ${onFailure}, ${secrets}, ${enabled})
      on conflict (application_id) do update set url = excluded.url, timeout_ms = excluded.timeout_ms,
        on_failure = excluded.on_failure, secrets = excluded.secrets, enabled = excluded.enabled,
        version = nextval('presend_versions'), updated_at = clock_now()`,
  );
  if (!hook) throw new Error('an upsert returns its row');
  return hook;
}

/** Null when there was none. */
export const updateSecrets = (
  tx: Queryable,
  keyring: Keyring,
  applicationId: string,
  secrets: Buffer,
  actor: Actor,
): Promise<Hook | null> =>
  change(
    tx,
    keyring,
    [actor, 'rotate pre-send secret'],
    sql`update presend_hooks set secrets = ${secrets}, version = nextval('presend_versions'), updated_at = clock_now()
      where application_id = ${applicationId}`,
  );

/** With its counts. Null when there was none. */
export async function deleteHook(
  tx: Queryable,
  keyring: Keyring,
  applicationId: string,
  actor: Actor,
): Promise<Hook | null> {
  await tx.query(sql`delete from presend_counts where application_id = ${applicationId}`);
  return change(
    tx,
    keyring,
    [actor, 'delete pre-send hook'],
    sql`delete from presend_hooks where application_id = ${applicationId}`,
  );
}

/** Adds what one node has counted, for hooks that are still there. */
export async function addCounts(db: Queryable, counts: ReadonlyMap<string, Counts>): Promise<void> {
  // In one order on every node, so that two of them never wait for each other.
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const given = relation(rows, {
    application_id: ['bigint', ([applicationId]) => applicationId],
    allowed: ['bigint', ([, { allowed }]) => allowed],
    denied: ['bigint', ([, { denied }]) => denied],
    challenged: ['bigint', ([, { challenged }]) => challenged],
    failed: ['bigint', ([, { failed }]) => failed],
    skipped: ['bigint', ([, { skipped }]) => skipped],
    last_failure: ['text', ([, { lastFailure }]) => lastFailure],
  });
  await db.query(sql`
    insert into presend_counts as c (application_id, allowed, denied, challenged, failed, skipped, last_failure, last_failure_at)
    select g.application_id, allowed, denied, challenged, failed, skipped, last_failure,
      case when last_failure is not null then clock_now() end
    from (${given}) g join presend_hooks h on h.application_id = g.application_id order by ord
    on conflict (application_id) do update set allowed = c.allowed + excluded.allowed, denied = c.denied + excluded.denied,
      challenged = c.challenged + excluded.challenged, failed = c.failed + excluded.failed,
      skipped = c.skipped + excluded.skipped, last_failure = coalesce(excluded.last_failure, c.last_failure),
      last_failure_at = coalesce(excluded.last_failure_at, c.last_failure_at)`);
}

export type SavedCounts = Counts & { lastFailureAt: Date | null };

export async function findCounts(db: Queryable, applicationId: string): Promise<SavedCounts> {
  const [row] = await db.query<{
    allowed: string;
    denied: string;
    challenged: string;
    failed: string;
    skipped: string;
    last_failure: string | null;
    last_failure_at: Date | null;
  }>(sql`select allowed, denied, challenged, failed, skipped, last_failure, last_failure_at
    from presend_counts where application_id = ${applicationId}`);
  return {
    allowed: Number(row?.allowed ?? 0),
    denied: Number(row?.denied ?? 0),
    challenged: Number(row?.challenged ?? 0),
    failed: Number(row?.failed ?? 0),
    skipped: Number(row?.skipped ?? 0),
    lastFailure: row?.last_failure ?? null,
    lastFailureAt: row?.last_failure_at ?? null,
  };
}
