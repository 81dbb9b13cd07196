/**
 * All SQL on `opt_outs` but the look of the accepting statement. Who opts out also changes the target's version: a send that began
 * before and has not locked its target yet is judged again, and one that has is waited for. So every code sent to its main address
 * is either accepted before the opt-out is committed, or refused by it. Other sends are decided by what their statement sees.
 */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { raw, type Sql, sql } from '../platform/sql.ts';
import type { NewOptOut, OptOut, OptOutPage, OptOutSource } from './opt-outs.ts';

interface OptOutRow {
  target: string;
  source: OptOutSource;
  keyword: string | null;
  created_at: Date;
  number: string;
}
const columns = raw('target, source, keyword, created_at, number');
const toOptOut = (row: OptOutRow): OptOut => ({
  target: row.target,
  source: row.source,
  keyword: row.keyword,
  createdAt: row.created_at,
  number: row.number,
});

/** Who did it, for the ledger: an operator's address; null where another event tells of it. */
type Actor = { ip: string } | null;

/** Runs a write that returns opt-outs as `changed`; an operator's stands in the ledger beside it. */
async function change(db: Queryable, action: 'add' | 'remove', actor: Actor, write: Sql): Promise<OptOut | null> {
  const rows = await db.query<OptOutRow>(sql`
    with changed as (${write} returning application_id, ${columns}),
    touched as (
      insert into targets as t (application_id, target, version) select application_id, target, 1 from changed
      on conflict (application_id, target) do update set version = t.version + 1
    ),
    logged as (${eventRows(sql`
      select application_id, 0::bigint as message_id, 'opt_out_managed' as cause, null::text as status, null::integer as sequence,
        null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
        jsonb_build_object('action', ${action}::text, 'target', target, 'source', source,
          'operator', jsonb_build_object('ip_address', ${actor?.ip ?? null}::text)) as data
      from changed where ${actor !== null}::boolean`)})
    select ${columns} from changed`);
  return rows.map(toOptOut)[0] ?? null;
}

/** Null when it stands already: the first word about it is kept. */
export function insertOptOut(db: Queryable, made: NewOptOut, actor: Actor): Promise<OptOut | null> {
  return change(
    db,
    'add',
    actor,
    sql`insert into opt_outs (application_id, target, source, keyword)
      values (${made.applicationId}, ${made.target}, ${made.source}, ${made.keyword}) on conflict do nothing`,
  );
}

/** Null when there was none. */
export function deleteOptOut(
  db: Queryable,
  applicationId: string,
  target: string,
  actor: Actor,
): Promise<OptOut | null> {
  return change(
    db,
    'remove',
    actor,
    sql`delete from opt_outs where application_id = ${applicationId} and target = ${target}`,
  );
}

/** Those of the addresses that are opted out. A hint for sends: the accepting statement decides. */
export async function findOptOuts(db: Queryable, applicationId: string, targets: readonly string[]): Promise<string[]> {
  if (targets.length === 0) return [];
  const rows = await db.query<{ target: string }>(sql`
    select target from opt_outs where application_id = ${applicationId} and target = any(${targets}::text[])`);
  return rows.map(({ target }) => target);
}

export async function findOptOut(db: Queryable, applicationId: string, target: string): Promise<OptOut | null> {
  const rows = await db.query<OptOutRow>(
    sql`select ${columns} from opt_outs where application_id = ${applicationId} and target = ${target}`,
  );
  return rows.map(toOptOut)[0] ?? null;
}

export async function listOptOuts(db: Queryable, applicationId: string, page: OptOutPage): Promise<OptOut[]> {
  const rows = await db.query<OptOutRow>(sql`
    select ${columns} from opt_outs
    where application_id = ${applicationId} and (${page.before}::bigint is null or number < ${page.before}::bigint)
    order by number desc limit ${page.limit}`);
  return rows.map(toOptOut);
}

/** The applications that the address is opted out of, the newest opt-out first. */
export async function listOptedOutApplications(db: Queryable, target: string): Promise<string[]> {
  const rows = await db.query<{ application_id: string }>(
    sql`select application_id from opt_outs where target = ${target} order by number desc limit 100`,
  );
  return rows.map((row) => row.application_id);
}
