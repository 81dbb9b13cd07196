/** All SQL of the room. */
import type { Queryable } from '../platform/db.ts';
import { raw, relation, sql } from '../platform/sql.ts';
import type { KeptRefusal, Refusal } from './refusal.ts';

export interface AgedRefusal {
  refusal: Refusal;
  /** Milliseconds since it happened: the database is the clock. */
  ageMs: number;
}

export async function insertRefusals(db: Queryable, rows: readonly AgedRefusal[]): Promise<void> {
  const given = relation(rows, {
    application_id: ['bigint', ({ refusal }) => refusal.applicationId],
    age_ms: ['double precision', ({ ageMs }) => ageMs],
    recipient: ['text', ({ refusal }) => refusal.recipient],
    country: ['text', ({ refusal }) => refusal.country],
    template_id: ['text', ({ refusal }) => refusal.templateId],
    key_id: ['bigint', ({ refusal }) => refusal.keyId],
    request_id: ['text', ({ refusal }) => refusal.requestId],
    code: ['integer', ({ refusal }) => refusal.code],
    reason: ['text', ({ refusal }) => refusal.reason],
    decision: ['jsonb', ({ refusal }) => refusal.decision],
    ip: ['text', ({ refusal }) => refusal.ip],
  });
  await db.query(sql`
    insert into refusals (application_id, id, at, recipient, country, template_id, key_id, request_id, code, reason, decision, ip)
    select application_id, (((extract(epoch from at) * 1000)::bigint - 1288834974657) << 22) | nextval('refusal_numbers'), at,
      recipient, country, template_id, key_id, request_id, code, reason, decision, ip
    from (select g.*, clock_now() - age_ms * interval '1 millisecond' as at from (${given}) g) dated order by ord`);
}

interface RefusalRow {
  id: string;
  application_id: string;
  at: Date;
  recipient: string | null;
  country: string | null;
  template_id: string | null;
  key_id: string | null;
  request_id: string | null;
  code: number;
  reason: string | null;
  decision: Record<string, unknown> | null;
  ip: string | null;
}
const columns = raw(
  'id, application_id, at, recipient, country, template_id, key_id, request_id, code, reason, decision, ip',
);

export interface RefusalFilter {
  recipient: string | null;
  code: number | null;
  /** This id and those after it. */
  fromId: string;
  belowId: string;
  limit: number;
}

/** Newest first. */
export async function listRefusals(
  db: Queryable,
  applicationId: string,
  { recipient, code, fromId, belowId, limit }: RefusalFilter,
): Promise<KeptRefusal[]> {
  // Each condition only where it is asked for, so that the plan kept for the statement can use the index it has.
  const byRecipient = recipient === null ? raw('') : sql`and recipient = ${recipient}`;
  const byCode = code === null ? raw('') : sql`and code = ${code}`;
  const rows = await db.query<RefusalRow>(sql`
    select ${columns} from refusals
    where application_id = ${applicationId} and id >= ${fromId} and id < ${belowId} ${byRecipient} ${byCode}
    order by id desc limit ${limit}`);
  return rows.map((row) => ({
    id: row.id,
    applicationId: row.application_id,
    at: row.at,
    recipient: row.recipient,
    country: row.country,
    templateId: row.template_id,
    keyId: row.key_id,
    requestId: row.request_id,
    code: row.code,
    reason: row.reason,
    decision: row.decision,
    ip: row.ip,
  }));
}

/** Removes up to `limit` with ids below `belowId`; resolves with how many. */
export async function forgetRefusals(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from refusals where ctid = any(array(
        select ctid from refusals where application_id = ${applicationId} and id < ${belowId} order by id limit ${limit}))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
