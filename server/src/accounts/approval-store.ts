/**
 * SQL on the approval of agent keys. The key's own column decides; a request is what an operator is shown. Both change in one
 * statement that holds the key's row, so that they never disagree and a change of terms and a decision about them take turns. A change
 * of terms takes the row in a statement before: one that waits for a row does not see the request that was made meanwhile.
 */
import type { Queryable } from '../platform/db.ts';
import { json, raw, sql } from '../platform/sql.ts';
import type { AgentStanding, AgentTerms, Approval, ApprovalAsk } from '../policy.ts';
import type { Actor, Page } from './records.ts';
import { changeKey } from './store.ts';

export const requestStates = ['pending', 'approved', 'refused', 'outdated'] as const;
export type RequestState = (typeof requestStates)[number];

export interface ApprovalRequest extends ApprovalAsk {
  id: string;
  applicationId: string;
  keyDescription: string;
  state: RequestState;
  /** Of the key as it is while pending, else as they were decided about. */
  terms: AgentTerms;
  note: string | null;
  askedAt: Date;
  decidedAt: Date | null;
}

/** Notes the first of them, and resolves with how the key stands by now; null where there is no such key. */
export async function askApproval(db: Queryable, ask: ApprovalAsk): Promise<AgentStanding | null> {
  const rows = await db.query<{ approval: Approval; agent: AgentTerms }>(sql`
    with asking as (
      update api_keys set approval = 'pending'
      where id = ${ask.keyId} and approval = 'none' and agent ->> 'mode' = 'live'
      returning id, application_id, agent
    ), made as (
      insert into approval_requests (api_key_id, application_id, terms, operation, recipient, recipients, template_id, channels,
        currency, client, request_id)
      select id, application_id, agent, ${ask.operation}, ${ask.recipient}, ${ask.recipients}, ${ask.templateId},
        ${json(ask.channels)}::jsonb, ${ask.currency}, ${ask.client}::text, ${ask.requestId}::text
      from asking
    )
    select agent, case when exists (select 1 from asking) then 'pending' else approval end as approval
    from api_keys where id = ${ask.keyId} and kind = 'agent'`);
  const [row] = rows;
  return row ? { ...row.agent, unattended: row.agent.unattended ?? false, approval: row.approval } : null;
}

interface RequestRow {
  id: string;
  api_key_id: string;
  application_id: string;
  key_description: string;
  state: RequestState;
  terms: AgentTerms;
  operation: string;
  recipient: string;
  recipients: number;
  template_id: string;
  channels: ApprovalAsk['channels'];
  currency: string;
  client: string | null;
  request_id: string | null;
  note: string | null;
  asked_at: Date;
  decided_at: Date | null;
}
const toRequest = (row: RequestRow): ApprovalRequest => ({
  id: row.id,
  keyId: row.api_key_id,
  applicationId: row.application_id,
  keyDescription: row.key_description,
  state: row.state,
  terms: { ...row.terms, unattended: row.terms.unattended ?? false },
  operation: row.operation,
  recipient: row.recipient,
  recipients: row.recipients,
  templateId: row.template_id,
  channels: row.channels,
  currency: row.currency,
  client: row.client,
  requestId: row.request_id,
  note: row.note,
  askedAt: row.asked_at,
  decidedAt: row.decided_at,
});
const shown = raw(`
  select r.id, r.api_key_id, r.application_id, k.description as key_description, r.state, r.operation, r.recipient, r.recipients,
    case when r.state = 'pending' then k.agent else r.terms end as terms, r.template_id, r.channels, r.currency, r.client,
    r.request_id, r.note, r.asked_at, r.decided_at
  from approval_requests r join api_keys k on k.id = r.api_key_id`);

export interface RequestFilter {
  state: RequestState;
  applicationId: string | null;
}

/** Newest first. */
export async function listRequests(
  db: Queryable,
  { state, applicationId }: RequestFilter,
  page: Page,
): Promise<ApprovalRequest[]> {
  const rows = await db.query<RequestRow>(sql`${shown}
    where r.state = ${state} and (${applicationId}::bigint is null or r.application_id = ${applicationId}::bigint)
      and (${page.before}::bigint is null or r.id < ${page.before}::bigint)
    order by r.id desc limit ${page.limit}`);
  return rows.map(toRequest);
}

export async function findRequest(db: Queryable, id: string): Promise<ApprovalRequest | null> {
  const rows = await db.query<RequestRow>(sql`${shown} where r.id = ${id}`);
  return rows.map(toRequest)[0] ?? null;
}

/** About the key's terms as they are; false where the request is not pending any more. */
export async function decide(
  db: Queryable,
  id: string,
  { state, note }: { state: 'approved' | 'refused'; note: string | null },
  actor: Actor,
): Promise<boolean> {
  const decided = await changeKey(
    db,
    actor,
    'update api_key',
    sql`update api_keys set approval = ${state} where id in (select api_key_id from decided)`,
    {
      // The key's row before the request's, in the order in which a change of terms takes them.
      first: sql`
        held as (select k.id, k.agent from api_keys k
          where k.id = (select api_key_id from approval_requests where id = ${id}) for update),
        decided as (update approval_requests r set state = ${state}, note = ${note}::text, decided_at = clock_now(), terms = held.agent
          from held where r.id = ${id} and r.api_key_id = held.id and r.state = 'pending' returning r.api_key_id),`,
    },
  );
  return decided !== null;
}
