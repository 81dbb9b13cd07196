/** SQL on operator sessions. What happens to them is an account_login event of every application that wants to know (contract §10.5). */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { json, raw, type Sql, sql } from '../platform/sql.ts';
import { changesChannel } from './store.ts';

export interface OperatorSession {
  email: string | null;
  expiresAt: Date;
}

/** Who it was, what came of it, and which applications are told. */
export interface LoginEvent {
  action: 'login_success' | 'login_failed' | 'logout';
  failReason?: string;
  email: string | null;
  ip: string;
  listeners: readonly string[];
}

const hours = 12;

interface SessionRow {
  email: string | null;
  expires_at: Date;
}
const toSession = (row: SessionRow): OperatorSession => ({ email: row.email, expiresAt: row.expires_at });

/** `what` is the relation of what happened; without a row in it nothing is told. `email` is an expression over it. */
function loginRows({ action, failReason, ip, listeners }: LoginEvent, what: Sql, email: Sql): Sql {
  const details = { action, ...(failReason !== undefined && { fail_reason: failReason }) };
  return eventRows(sql`
    select application.id as application_id, 0::bigint as message_id, 'account_login' as cause, 'account_login' as status,
      null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel,
      null::integer as error_code,
      jsonb_build_object('org_id', application.organization_id::text,
        'operator', jsonb_strip_nulls(jsonb_build_object('email', ${email}, 'ip_address', ${ip}::text)),
        'account_login', ${json(details)}::jsonb) as data
    from ${what} cross join applications as application where application.id = any(${listeners}::bigint[])`);
}

/** Also clears away what has expired. */
export async function insertSession(db: Queryable, tokenHash: Buffer, event: LoginEvent): Promise<OperatorSession> {
  const rows = await db.query<SessionRow>(sql`
    with made as (
      insert into operator_sessions (token_hash, email, expires_at)
      values (${tokenHash}, ${event.email}, clock_now() + ${hours} * interval '1 hour')
      returning email, expires_at
    ), cleared as (delete from operator_sessions where expires_at <= clock_now()),
    event as (${loginRows(event, raw('made'), raw('made.email'))})
    select email, expires_at from made`);
  const [row] = rows;
  if (!row) throw new Error('an insert returned no row');
  return toSession(row);
}

export async function findSession(db: Queryable, tokenHash: Buffer): Promise<OperatorSession | null> {
  const rows = await db.query<SessionRow>(
    sql`select email, expires_at from operator_sessions where token_hash = ${tokenHash}`,
  );
  return rows.map(toSession)[0] ?? null;
}

/** False when there is none that lives. */
export async function deleteSession(
  db: Queryable,
  tokenHash: Buffer,
  event: Omit<LoginEvent, 'email'>,
): Promise<boolean> {
  const rows = await db.query<{ told: string }>(sql`
    with gone as (
      delete from operator_sessions where token_hash = ${tokenHash} and expires_at > clock_now() returning email
    ), event as (${loginRows({ ...event, email: null }, raw('gone'), raw('gone.email'))})
    select pg_notify(${raw(`'${changesChannel}'`)}, 'operator') as told from gone`);
  return rows.length > 0;
}

/** For what changes nothing. */
export async function noteLogin(db: Queryable, event: LoginEvent): Promise<void> {
  if (event.listeners.length === 0) return;
  await db.query(loginRows(event, raw('(select 1) attempt'), sql`${event.email}::text`));
}
