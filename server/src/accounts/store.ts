/**
 * All SQL of the room. Every write that other nodes may have cached says so with pg_notify in its `returning`, so the word goes
 * out exactly when the change commits; the payload is `key:<dev_key>`, `application:<id>` or `operator`.
 */
import { eventRows } from '../events/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { json, raw, type Sql, sql } from '../platform/sql.ts';
import {
  type AgentTerms,
  type Application,
  type Approval,
  type Permission,
  policySchema,
  type RateLimit,
} from '../policy.ts';
import type {
  Actor,
  ApiKey,
  ApplicationRecord,
  KeyAction,
  KeySettings,
  NewApplication,
  NewKey,
  Organization,
  Page,
  PolicyChange,
  StoredKey,
} from './records.ts';
import { approvalAfter, outdateRequests } from './terms-store.ts';

export const changesChannel = 'accounts_changed';
const channel = raw(`'${changesChannel}'`);
const tellKey = sql`pg_notify(${channel}, 'key:' || dev_key) as told`;
const tellApplication = sql`pg_notify(${channel}, 'application:' || id) as told`;

// organizations

interface OrganizationRow {
  id: string;
  name: string;
  created_at: Date;
}
const toOrganization = (row: OrganizationRow): Organization => ({
  id: row.id,
  name: row.name,
  createdAt: row.created_at,
});

export async function insertOrganization(db: Queryable, name: string): Promise<Organization> {
  const rows = await db.query<OrganizationRow>(
    sql`insert into organizations (name) values (${name}) returning id, name, created_at`,
  );
  return toOrganization(only(rows));
}

export async function findOrganization(db: Queryable, id: string): Promise<Organization | null> {
  const rows = await db.query<OrganizationRow>(sql`select id, name, created_at from organizations where id = ${id}`);
  return rows.map(toOrganization)[0] ?? null;
}

export async function listOrganizations(db: Queryable, page: Page): Promise<Organization[]> {
  const rows = await db.query<OrganizationRow>(
    sql`select id, name, created_at from organizations where ${before(page)} order by id desc limit ${page.limit}`,
  );
  return rows.map(toOrganization);
}

export async function updateOrganization(db: Queryable, id: string, name: string | null): Promise<Organization | null> {
  const rows = await db.query<OrganizationRow>(
    sql`update organizations set name = coalesce(${name}, name) where id = ${id} returning id, name, created_at`,
  );
  return rows.map(toOrganization)[0] ?? null;
}

// applications

interface ApplicationRow {
  id: string;
  organization_id: string;
  name: string;
  network: Application['network'];
  sandbox: Application['sandbox'];
  policy: unknown;
  created_at: Date;
}
const applicationColumns = raw('id, organization_id, name, network, sandbox, policy, created_at');
const toApplication = (row: ApplicationRow): ApplicationRecord => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  network: row.network,
  sandbox: row.sandbox,
  policy: policySchema.parse(row.policy),
  createdAt: row.created_at,
});

/** Null when the organization does not exist. */
export async function insertApplication(db: Queryable, made: NewApplication): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(sql`
    insert into applications (organization_id, name, network, sandbox, policy)
    select id, ${made.name}, ${made.network}, ${made.sandbox}, ${json(made.policy)}::jsonb
    from organizations where id = ${made.organizationId}
    returning ${applicationColumns}, ${tellApplication}`);
  return rows.map(toApplication)[0] ?? null;
}

/** Relation of every application: application_id, organization_id. */
export const applicationOrganizations = (): Sql => sql`select id as application_id, organization_id from applications`;

export async function findApplication(db: Queryable, id: string): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(sql`select ${applicationColumns} from applications where id = ${id}`);
  return rows.map(toApplication)[0] ?? null;
}

export async function listApplications(
  db: Queryable,
  organizationId: string,
  page: Page,
): Promise<ApplicationRecord[]> {
  const rows = await db.query<ApplicationRow>(sql`
    select ${applicationColumns} from applications
    where organization_id = ${organizationId} and ${before(page)} order by id desc limit ${page.limit}`);
  return rows.map(toApplication);
}

/** Applications of all organizations, by id, behind `afterId`. */
export async function listAfter(db: Queryable, afterId: string, limit: number): Promise<ApplicationRecord[]> {
  const rows = await db.query<ApplicationRow>(
    sql`select ${applicationColumns} from applications where id > ${afterId} order by id limit ${limit}`,
  );
  return rows.map(toApplication);
}

/** Null when it does not exist. A sandbox keeps its network: the table refuses another. */
export async function updateApplication(
  db: Queryable,
  id: string,
  change: { name: string | null; network: Application['network'] | null },
): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(sql`
    update applications set name = coalesce(${change.name}, name), network = coalesce(${change.network}, network)
    where id = ${id} returning ${applicationColumns}, ${tellApplication}`);
  return rows.map(toApplication)[0] ?? null;
}

export async function replacePolicy(
  db: Queryable,
  id: string,
  policy: PolicyChange,
): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(sql`
    update applications set policy = ${json(policy)}::jsonb where id = ${id}
    returning ${applicationColumns}, ${tellApplication}`);
  return rows.map(toApplication)[0] ?? null;
}

/** Lays the given settings over the stored ones, nested objects member by member. */
export async function mergePolicy(db: Queryable, id: string, change: PolicyChange): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(sql`
    update applications set policy = policy || (
      select coalesce(jsonb_object_agg(key, case jsonb_typeof(value)
        when 'object' then coalesce(policy -> key, '{}') || value else value end), '{}')
      from jsonb_each(${json(change)}::jsonb))
    where id = ${id} returning ${applicationColumns}, ${tellApplication}`);
  return rows.map(toApplication)[0] ?? null;
}

// api keys

interface KeyRow {
  id: string;
  application_id: string;
  dev_key: string;
  kind: ApiKey['kind'];
  agent: (Omit<AgentTerms, 'unattended'> & Partial<AgentTerms>) | null;
  approval: Approval;
  description: string;
  permissions: Permission[];
  ip_allowlist: string[];
  expires_at: Date | null;
  enabled: boolean;
  limits: RateLimit[];
  last_used_at: Date | null;
  created_at: Date;
}
const keyColumns = raw(
  'id, application_id, dev_key, kind, agent, approval, description, permissions, ip_allowlist, expires_at, enabled, limits, last_used_at, created_at',
);
const toKey = (row: KeyRow): ApiKey => ({
  id: row.id,
  applicationId: row.application_id,
  devKey: row.dev_key,
  kind: row.kind,
  // Keys made before the term was known ask each time.
  agent: row.agent && { unattended: false, ...row.agent },
  approval: row.approval,
  description: row.description,
  permissions: row.permissions,
  ipAllowlist: row.ip_allowlist,
  expiresAt: row.expires_at,
  enabled: row.enabled,
  limits: row.limits,
  lastUsedAt: row.last_used_at,
  createdAt: row.created_at,
});

/**
 * Runs a write that returns keys as `changed` and puts one key_manage event per key beside it. `first`: clauses that the write
 * reads; `beside`: clauses that read what it changed. Either ends or begins with a comma.
 */
export async function changeKey(
  db: Queryable,
  actor: Actor | null,
  action: KeyAction,
  write: Sql,
  { first = raw(''), beside = raw('') }: { first?: Sql; beside?: Sql } = {},
): Promise<ApiKey | null> {
  const rows = await db.query<KeyRow>(sql`
    with ${first} changed as (${write} returning ${keyColumns}, ${tellKey})${beside},
    event as (${eventRows(keyEvents(actor, action))})
    select ${keyColumns} from changed`);
  return rows.map(toKey)[0] ?? null;
}

function keyEvents(actor: Actor | null, action: KeyAction): Sql {
  return sql`select changed.application_id, 0::bigint as message_id, 'key_managed' as cause, 'key_manage' as status,
      null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel,
      null::integer as error_code,
      jsonb_build_object('org_id', application.organization_id::text,
        'operator', jsonb_build_object('ip_address', ${actor?.ip ?? null}::text),
        'key_manage', jsonb_build_object('action', ${action}::text, 'api_key', dev_key, 'description', description)) as data
    from changed join applications as application on application.id = changed.application_id
    where ${actor !== null}::boolean`;
}

/** Null when the application does not exist. Without an actor (first start) nothing goes into the ledger. */
export function insertKey(db: Queryable, made: NewKey, actor: Actor | null): Promise<ApiKey | null> {
  return changeKey(
    db,
    actor,
    'create api_key',
    sql`insert into api_keys
      (application_id, dev_key, secret_hash, kind, agent, description, permissions, ip_allowlist, expires_at, enabled, limits)
      select id, ${made.devKey}, ${made.secretHash}, ${made.kind}, ${made.agent && json(made.agent)}::jsonb, ${made.description}, ${made.permissions}::text[],
        ${made.ipAllowlist}::text[], ${made.expiresAt}::timestamptz, ${made.enabled}, ${json(made.limits)}::jsonb
      from applications where id = ${made.applicationId}`,
  );
}

export async function findKey(db: Queryable, id: string): Promise<ApiKey | null> {
  const rows = await db.query<KeyRow>(sql`select ${keyColumns} from api_keys where id = ${id}`);
  return rows.map(toKey)[0] ?? null;
}

/** In the order of `devKeys`; null where there is none. */
export async function findKeysForLogin(db: Queryable, devKeys: readonly string[]): Promise<(StoredKey | null)[]> {
  const rows = await db.query<KeyRow & { secret_hash: Buffer }>(
    sql`select ${keyColumns}, secret_hash from api_keys where dev_key = any(${devKeys}::text[])`,
  );
  const byDevKey = new Map(rows.map((row) => [row.dev_key, { key: toKey(row), secretHash: row.secret_hash }]));
  return devKeys.map((devKey) => byDevKey.get(devKey) ?? null);
}

export async function listKeys(db: Queryable, applicationId: string, page: Page): Promise<ApiKey[]> {
  const rows = await db.query<KeyRow>(sql`
    select ${keyColumns} from api_keys
    where application_id = ${applicationId} and ${before(page)} order by id desc limit ${page.limit}`);
  return rows.map(toKey);
}

/**
 * What is undefined stays as it is, also among the terms of an agent; a key that is none has no terms to change. Wider terms are
 * terms that nobody approved, and after a refusal every change of them may be asked about.
 */
export function updateKey(
  db: Db,
  id: string,
  change: { [Name in keyof KeySettings]: KeySettings[Name] | undefined } & { agent: Partial<AgentTerms> },
  actor: Actor,
): Promise<ApiKey | null> {
  const write = sql`update api_keys set
      description = coalesce(${change.description ?? null}, description),
      permissions = coalesce(${change.permissions ?? null}::text[], permissions),
      ip_allowlist = coalesce(${change.ipAllowlist ?? null}::text[], ip_allowlist),
      enabled = coalesce(${change.enabled ?? null}, enabled),
      limits = coalesce(${change.limits ? json(change.limits) : null}::jsonb, limits),
      agent = agent || ${json(change.agent)}::jsonb,
      approval = ${approvalAfter(change.agent)},
      expires_at = case when ${change.expiresAt !== undefined}::boolean
        then ${change.expiresAt ?? null}::timestamptz else expires_at end
      where id = ${id}`;
  return db.transaction(async (tx) => {
    // A statement of its own: the next one sees what was asked while this one waited.
    await tx.query(sql`select 1 from api_keys where id = ${id} for no key update`);
    return changeKey(tx, actor, 'update api_key', write, { beside: outdateRequests });
  });
}

export function updateSecret(
  db: Queryable,
  devKey: string,
  secretHash: Buffer,
  actor: Actor | null,
): Promise<ApiKey | null> {
  return changeKey(
    db,
    actor,
    'update api_key',
    sql`update api_keys set secret_hash = ${secretHash} where dev_key = ${devKey}`,
  );
}

export function deleteKey(db: Queryable, id: string, actor: Actor): Promise<ApiKey | null> {
  return changeKey(db, actor, 'delete api_key', sql`delete from api_keys where id = ${id}`);
}

/** No notification: last_used_at decides nothing. */
export async function touchKeys(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(sql`update api_keys set last_used_at = clock_now() where id = any(${ids}::bigint[])`);
}

// master key

/** The check that is kept: this one, where none is. */
export async function keepKeyCheck(db: Queryable, check: Buffer): Promise<Buffer> {
  const [row] = await db.query<{ key_check: Buffer }>(sql`
    insert into master_key_checks as kept (key_check) values (${check})
    on conflict (is_only) do update set key_check = kept.key_check returning key_check`);
  if (!row) throw new Error('an upsert returns its row');
  return row.key_check;
}

// operator tokens

export async function listTokenHashes(db: Queryable): Promise<Buffer[]> {
  const rows = await db.query<{ token_hash: Buffer }>(sql`select token_hash from operator_tokens`);
  return rows.map((row) => row.token_hash);
}

/** Leaves this one token, and no session of another; false when it was the only one already. */
export async function replaceTokens(db: Queryable, hash: Buffer): Promise<boolean> {
  const rows = await db.query<{ told: string }>(sql`
    with gone as (delete from operator_tokens where token_hash <> ${hash} returning token_hash),
    ended as (delete from operator_sessions where exists (select 1 from gone)),
    made as (insert into operator_tokens (token_hash) values (${hash}) on conflict do nothing returning token_hash)
    select pg_notify(${channel}, 'operator') as told
    from (select token_hash from gone union all select token_hash from made) as change limit 1`);
  return rows.length > 0;
}

// first start

/** Held to the end of the transaction, so that nodes that start together take turns. */
export async function lockBootstrap(tx: Queryable): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(${bootstrapLock})`);
}
const bootstrapLock = 7_261_002;

/** The application made on the first start: the oldest that is no sandbox. */
export async function findFirstApplication(db: Queryable): Promise<ApplicationRecord | null> {
  const rows = await db.query<ApplicationRow>(
    sql`select ${applicationColumns} from applications where sandbox = 'none' order by created_at, id limit 1`,
  );
  return rows.map(toApplication)[0] ?? null;
}

/** Makes the application with an id of our choice where it is missing. */
export async function ensureApplication(db: Queryable, id: string, made: NewApplication): Promise<void> {
  await db.query(sql`
    insert into applications (id, organization_id, name, network, sandbox, policy)
    values (${id}, ${made.organizationId}, ${made.name}, ${made.network}, ${made.sandbox}, ${json(made.policy)}::jsonb)
    on conflict (id) do nothing returning ${tellApplication}`);
}

function before(page: Page): Sql {
  return sql`(${page.before}::bigint is null or id < ${page.before}::bigint)`;
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('a statement that returns one row returned none');
  return row;
}
