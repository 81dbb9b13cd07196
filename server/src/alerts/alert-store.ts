/** The statements on alerts and their history. */
import type { Queryable } from '../platform/db.ts';
import { raw, sql } from '../platform/sql.ts';
import type { AlertState } from './judge.ts';
import type { Message } from './outbox-store.ts';
import type { Kind } from './rule.ts';

export interface Alert {
  id: string;
  ruleId: string;
  applicationId: string | null;
  kind: Kind;
  subject: string;
  value: number;
  threshold: number;
  text: string;
  raisedAt: Date;
  endedAt: Date | null;
  endedValue: number | null;
}

const columns = raw(
  `id, rule_id as "ruleId", application_id as "applicationId", kind, subject, value, threshold, text, raised_at as "raisedAt",
  ended_at as "endedAt", ended_value as "endedValue"`,
);

/** How each subject of a rule stands: its last alert. */
export async function readStates(
  tx: Queryable,
  ruleId: string,
): Promise<Map<string, AlertState & { alertId: string }>> {
  const rows = await tx.query<{ id: string; subject: string; raised_at: Date; ended_at: Date | null }>(sql`
    select distinct on (subject) id, subject, raised_at, ended_at from alerts where rule_id = ${ruleId} order by subject, id desc`);
  return new Map(
    rows.map((row) => [
      row.subject,
      { alertId: row.id, raised: row.ended_at === null, raisedAtMs: row.raised_at.getTime() },
    ]),
  );
}

export type NewAlert = Pick<Alert, 'ruleId' | 'applicationId' | 'kind' | 'subject' | 'value' | 'threshold' | 'text'>;

export async function insertAlert(tx: Queryable, made: NewAlert): Promise<string> {
  const [row] = await tx.query<{ id: string }>(sql`
    insert into alerts (rule_id, application_id, kind, subject, value, threshold, text)
    values (${made.ruleId}, ${made.applicationId}, ${made.kind}, ${made.subject}, ${made.value}, ${made.threshold}, ${made.text})
    returning id`);
  return row?.id ?? '';
}

export async function endAlert(tx: Queryable, id: string, value: number | null): Promise<void> {
  await tx.query(sql`update alerts set ended_at = clock_now(), ended_value = ${value} where id = ${id}`);
}

export interface AlertFilter {
  applicationId: string | null;
  ruleId: string | null;
  kind: Kind | null;
  /** Whether it goes on. */
  raised: boolean | null;
  limit: number;
  before: string | null;
}

export type ToldAlert = Alert & { messages: Message[] };

/** Newest first, each with what was sent about it. */
export async function listAlerts(db: Queryable, filter: AlertFilter): Promise<ToldAlert[]> {
  const { applicationId, ruleId, kind, raised, limit, before } = filter;
  const alerts = await db.query<Alert>(sql`
    select ${columns} from alerts
    where (${applicationId}::bigint is null or application_id = ${applicationId}) and (${ruleId}::bigint is null or rule_id = ${ruleId})
      and (${kind}::text is null or kind = ${kind}) and (${raised}::boolean is null or (ended_at is null) = ${raised})
      and (${before}::bigint is null or id < ${before})
    order by id desc limit ${limit}`);
  const messages = await db.query<Message>(sql`
    select alert_id as "alertId", about, way, recipient, state, tries, last_error as "lastError", due_at as "dueAt",
      created_at as "createdAt", ended_at as "endedAt"
    from alert_messages where alert_id = any(${alerts.map(({ id }) => id)}::bigint[]) order by alert_id, id`);
  return alerts.map((alert) => ({ ...alert, messages: messages.filter(({ alertId }) => alertId === alert.id) }));
}

const historyDays = 90;

/** Forgets up to `limit` alerts that ended long ago, with their messages. */
export async function sweepAlerts(db: Queryable, limit: number): Promise<void> {
  await db.query(sql`
    delete from alerts where id = any(array(
      select id from alerts where ended_at <= clock_now() - ${historyDays} * interval '1 day' order by ended_at limit ${limit}))`);
}
