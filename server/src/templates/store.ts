/**
 * All SQL on templates. Every change is one statement (a review: one transaction of the caller) that also writes its ledger events and tells the
 * other nodes. A template's row is locked before its revisions, so that changes of one template queue up.
 */
import { type EventDraft, eventColumns, eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { json, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { TemplateBody } from './body.ts';

/** 1 pending, 2 approved, 3 rejected. */
export type Status = 1 | 2 | 3;

export interface TemplateRow {
  application_id: string;
  template_id: string;
  revision: number;
  live_revision: number | null;
  status: Status;
  audit_remark: string;
  created_at: Date;
  updated_at: Date;
  body: TemplateBody;
}

/** Also the name under which nodes listen. Payload: `applicationId:templateId`. */
export const changes = 'templates';
const told = sql`pg_notify(${changes}, head.application_id || ':' || head.template_id)`;

/** The events, if the statement's `head` has a row at all. */
const eventsOfHead = (events: readonly EventDraft[]): Sql =>
  eventRows(sql`select draft.* from (${relation(events, eventColumns)}) as draft, head order by draft.ord`);

interface Change {
  applicationId: string;
  templateId: string;
  events: readonly EventDraft[];
}

/** False when the id is taken; of two simultaneous inserts one wins. */
export async function insertTemplate(
  db: Queryable,
  { applicationId, templateId, body, status, events }: Change & { body: TemplateBody; status: Status },
): Promise<boolean> {
  const live = status === 2 ? 1 : null;
  const rows = await db.query(sql`
    with head as (
      insert into templates (application_id, template_id, live) values (${applicationId}, ${templateId}, ${live})
      on conflict do nothing returning application_id, template_id, newest
    ), revision as (
      insert into template_revisions (application_id, template_id, revision, body, status)
      select application_id, template_id, newest, ${json(body)}::jsonb, ${status}::smallint from head
    ), event as (${eventsOfHead(events)})
    select ${told} from head`);
  return rows.length > 0;
}

/** The number of the new revision, or null when there is no such template. */
export async function insertRevision(
  db: Queryable,
  change: Change & { body: TemplateBody; status: Status; withdraw: boolean },
): Promise<number | null> {
  const { applicationId, templateId, body, status, withdraw, events } = change;
  const rows = await db.query<{ revision: number }>(sql`
    with head as (
      update templates set newest = newest + 1, updated_at = clock_now(),
        live = case when ${status === 2}::boolean then newest + 1 when not ${withdraw}::boolean then live end,
        live_from = case when ${withdraw}::boolean then newest + 1 else live_from end
      where application_id = ${applicationId} and template_id = ${templateId}
      returning application_id, template_id, newest
    ), revision as (
      insert into template_revisions (application_id, template_id, revision, body, status)
      select application_id, template_id, newest, ${json(body)}::jsonb, ${status}::smallint from head
    ), event as (${eventsOfHead(events)})
    select newest as revision, ${told} from head`);
  return rows[0]?.revision ?? null;
}

/** Revisions go with their template. False when there is none. */
export async function deleteTemplate(db: Queryable, { applicationId, templateId, events }: Change): Promise<boolean> {
  const rows = await db.query(sql`
    with head as (
      delete from templates where application_id = ${applicationId} and template_id = ${templateId}
      returning application_id, template_id
    ), event as (${eventsOfHead(events)})
    select ${told} from head`);
  return rows.length > 0;
}

export interface ReviewedRow {
  revision: number;
  live_revision: number | null;
}

interface Review {
  applicationId: string;
  templateId: string;
  /** Null: the newest. */
  revision: number | null;
  status: 2 | 3;
  remark: string;
  events: readonly EventDraft[];
}

/** Null when there is no such template or revision. Repeating a review changes nothing and writes no event. */
export async function reviewRevision(tx: Queryable, review: Review): Promise<ReviewedRow | null> {
  const { applicationId, templateId, status, remark } = review;
  const [head] = await tx.query<{ newest: number; live: number | null }>(sql`
    select newest, live from templates where application_id = ${applicationId} and template_id = ${templateId} for update`);
  if (!head) return null;
  const revision = review.revision ?? head.newest;
  const [found] = await tx.query<{ same: boolean }>(sql`
    select status = ${status} and audit_remark = ${remark} as same from template_revisions
    where application_id = ${applicationId} and template_id = ${templateId} and revision = ${revision}`);
  if (!found) return null;
  if (found.same) return { revision, live_revision: head.live };
  const [row] = await tx.query<ReviewedRow>(setReview(review, revision));
  return row ?? null;
}

function setReview({ applicationId, templateId, status, remark, events }: Review, revision: number): Sql {
  return sql`
    with reviewed as (
      update template_revisions set status = ${status}, audit_remark = ${remark}, reviewed_at = clock_now()
      where application_id = ${applicationId} and template_id = ${templateId} and revision = ${revision}
      returning revision, status
    ), head as (
      update templates t set live = case
        when r.status = 2 and r.revision >= t.live_from then greatest(t.live, r.revision)
        when r.status = 3 and t.live = r.revision then (
          select max(older.revision) from template_revisions older
          where older.application_id = t.application_id and older.template_id = t.template_id
            and older.status = 2 and older.revision >= t.live_from and older.revision <> r.revision)
        else t.live end
      from reviewed r where t.application_id = ${applicationId} and t.template_id = ${templateId}
      returning t.application_id, t.template_id, t.live, r.revision
    ), event as (${eventsOfHead(events)})
    select head.revision, head.live as live_revision, ${told} from head`;
}

/** What serves sends; `live` is null when no revision is approved. */
export async function findLive(
  db: Queryable,
  applicationId: string,
  templateId: string,
): Promise<{ live: number | null; body: TemplateBody | null } | null> {
  const [row] = await db.query<{ live: number | null; body: TemplateBody | null }>(sql`
    select t.live, r.body from templates t
    left join template_revisions r
      on r.application_id = t.application_id and r.template_id = t.template_id and r.revision = t.live
    where t.application_id = ${applicationId} and t.template_id = ${templateId}`);
  return row ?? null;
}

const rowsOf = (revision: Sql, where: Sql): Sql => sql`
  select t.application_id, t.template_id, r.revision, t.live as live_revision, r.status, r.audit_remark,
    t.created_at, t.updated_at, r.body
  from templates t
  join template_revisions r
    on r.application_id = t.application_id and r.template_id = t.template_id and r.revision = ${revision}
  where ${where}`;
const newest = raw('t.newest');

/** With its newest revision, or the one asked for. */
export async function findTemplate(
  db: Queryable,
  applicationId: string,
  templateId: string,
  revision?: number,
): Promise<TemplateRow | null> {
  const number = revision === undefined ? newest : sql`${revision}`;
  const [row] = await db.query<TemplateRow>(
    rowsOf(number, sql`t.application_id = ${applicationId} and t.template_id = ${templateId}`),
  );
  return row ?? null;
}

export interface ServingRow {
  revision: number;
  live: boolean;
  body: TemplateBody;
}

/** The revisions of an application that serve sends, and the newest ones that a review may make serve. */
export function listServing(db: Queryable, applicationId: string): Promise<ServingRow[]> {
  return db.query<ServingRow>(sql`
    select r.revision, r.revision is not distinct from t.live as live, r.body from templates t
    join template_revisions r on r.application_id = t.application_id and r.template_id = t.template_id
    where t.application_id = ${applicationId} and (r.revision = t.live or r.revision = t.newest and r.status = 1)
    order by t.template_id, r.revision`);
}

/** All templates of an application with their newest revisions, newest template first. */
export function listTemplates(db: Queryable, applicationId: string): Promise<TemplateRow[]> {
  return db.query<TemplateRow>(
    sql`${rowsOf(newest, sql`t.application_id = ${applicationId}`)} order by t.created_at desc, t.template_id`,
  );
}

/** Templates of all applications whose newest revision has the status, longest waiting first. */
export function listByStatus(db: Queryable, status: Status, limit: number): Promise<TemplateRow[]> {
  return db.query<TemplateRow>(
    sql`${rowsOf(newest, sql`r.status = ${status}`)} order by r.created_at, t.application_id, t.template_id limit ${limit}`,
  );
}
