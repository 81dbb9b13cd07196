/** All SQL on messages, and the one statement that accepts: message, code, delivery and first events in one durable write. */

import type { Channel, Delivery, MessageState, Prepared } from '../delivery/index.ts';
import { eventRows } from '../events/index.ts';
import {
  type GrantRow,
  grantColumns,
  grantRows,
  type RefusalRow,
  toRefusalRow,
  type VerdictRow,
  verdictColumns,
} from '../limits/index.ts';
import type { Queryable } from '../platform/db.ts';
import { allSettled, type Share } from '../platform/share.ts';
import { type Column, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { RateAsk } from '../rates/index.ts';
import type { Language } from '../templates/index.ts';
import {
  acceptVerifications,
  type VerificationRow,
  type VerificationState,
  verificationColumns,
  verificationStates,
} from '../verifications/index.ts';
import type { StoredDecision } from './decision.ts';
import type { ChainStep } from './plan.ts';
import type { SpendAsk } from './spend-ask.ts';

export type MessageKind = 'otp' | 'code' | 'custom';

export interface MessageRow {
  kind: MessageKind;
  templateRevision: number;
  language: string;
  country: string | null;
  purpose: string | null;
  customArgs: Record<string, string> | null;
  signals: Record<string, unknown> | null;
  /** Parameters and the code's shape, sealed; kept only where a resend makes a new code and must render again. */
  sealedParams: Buffer | null;
  hasCode: boolean;
  /** The address of the steps that do not go to the recipient. */
  otherRecipient: string | null;
  /** Of an address that cannot exist: written as target_invalid in place of target_valid. */
  invalid: Pick<ChainStep, 'channel' | 'to'> | null;
  /** What rules, budgets and the customer's hook said; null where none was asked. */
  decision: Record<string, unknown> | null;
}

/** What a send or resend is granted by. */
export interface Granted {
  grant: GrantRow;
  /** The limits it meets beside those of its target. */
  rates: readonly RateAsk[];
}

/** Everything one accepted send writes. */
export interface Acceptance extends Granted {
  /** Null where nothing can cost. */
  spend: SpendAsk | null;
  message: MessageRow;
  verification: VerificationRow | null;
  delivery: Prepared;
}

export interface AcceptResult extends RefusalRow {
  /** Null when refused, or for a message without a code. */
  expiresAt: Date | null;
}

const messageColumns: Record<string, Column<Acceptance>> = {
  kind: ['text', ({ message }) => message.kind],
  template_revision: ['integer', ({ message }) => message.templateRevision],
  language: ['text', ({ message }) => message.language],
  country: ['text', ({ message }) => message.country],
  message_purpose: ['text', ({ message }) => message.purpose],
  custom_args: ['jsonb', ({ message }) => message.customArgs],
  signals: ['jsonb', ({ message }) => message.signals],
  sealed_params: ['bytea', ({ message }) => message.sealedParams],
  other_recipient: ['text', ({ message }) => message.otherRecipient],
  decision: ['jsonb', ({ message }) => message.decision],
  has_code: ['boolean', ({ message }) => message.hasCode],
  invalid_channel: ['text', ({ message }) => message.invalid?.channel ?? null],
  invalid_to: ['text', ({ message }) => message.invalid?.to ?? null],
  // A step to another address follows: the row announces it.
  announces: ['boolean', ({ delivery }) => delivery.state.promised],
  silent: ['boolean', ({ delivery }) => delivery.state.silent],
  first_channel: ['text', ({ delivery }) => delivery.state.channel],
  skipped: ['jsonb', ({ delivery }) => delivery.events],
};

const columnsOfPart = (columns: Delivery['columns']): Record<string, Column<Acceptance>> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, [type, value]]): [string, Column<Acceptance>] => [
      name,
      [type, ({ delivery }) => value(delivery)],
    ]),
  );

type Parts = Pick<Delivery, 'columns' | 'insertRows' | 'endRows'>;

/** Makes the accepting statement's runner, with what other rooms count in it. Two items of one target must not share a call. */
export function createAccept(delivery: Parts, shares: readonly Share<Acceptance>[]) {
  const columns: Record<string, Column<Acceptance>> = Object.assign(
    { ...grantColumns, ...verificationColumns, ...messageColumns, ...columnsOfPart(delivery.columns) },
    ...shares.map((share) => share.columns),
  );
  return async (db: Queryable, items: readonly Acceptance[]): Promise<AcceptResult[]> => {
    const concerned = shares.filter((share) => share.concerns(items));
    const rows = await db.query<ResultRow>(statement(items, relation(items, columns), delivery, concerned));
    return rows.map((row) => ({ ...toRefusalRow(row), expiresAt: row.expires_at }));
  };
}

interface ResultRow extends VerdictRow {
  expires_at: Date | null;
}

function statement(
  items: readonly Acceptance[],
  input: Sql,
  delivery: Parts,
  shares: readonly Share<Acceptance>[],
): Sql {
  return sql`
    with input as materialized (${input}), ${grantRows(items, raw('input'), shares)},
    written as (
      insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, country, purpose,
        verification_id, custom_args, signals, sealed_params, other_recipient, decision, created_at, expires_at)
      select application_id, message_id, kind, target, template_id, template_revision, language, country, message_purpose,
        verification_id, custom_args, signals, sealed_params, other_recipient,
        case when decision is null then notes when notes is null then decision else decision || notes end, clock_now(),
        case when has_code then coalesce(lives_until, clock_now() + ttl_ms * interval '1 millisecond') end
      from granted
      returning application_id, id, expires_at
    ),
    ${acceptVerifications(raw('granted'))},
    planned as (${delivery.insertRows(raw('select * from granted'))}),
    ${delivery.endRows(replaced, raw('select application_id, unnest(message_ids) as message_id from joined'))},
    logged as (${eventRows(acceptEvents)})
    select ${verdictColumns}, w.id is not null as granted, w.expires_at
    from verdicts v left join written w on w.application_id = v.application_id and w.id = v.message_id
    where ${allSettled(shares)} order by v.ord`;
}

/** What a new send ends: every message of the code it supersedes, or the one that had no code of the platform. */
const replaced = raw(`
  select application_id, unnest(message_ids) as message_id, 'superseded' as reason, false as numbered, false as spares_expired
  from superseded
  union all
  select application_id, previous_message_id, 'superseded', false, true from granted
  where previous_message_id is not null and counted and (verification_id is null or verification_id = message_id)`);

/** plan, target_valid or target_invalid, the steps skipped; and the ends of what the new send replaces. */
const acceptEvents = raw(`
  select application_id, message_id, cause, status, sequence, step, attempt, channel, error_code, data from (
    select ord, 1 as place, application_id, message_id, 'accepted' as cause, case when not silent then 'plan' end as status,
      case when not silent then 1 end as sequence, null::smallint as step, null::smallint as attempt, first_channel as channel,
      null::integer as error_code, null::jsonb as data from granted
    union all
    select ord, 2, application_id, message_id, 'target_checked',
      case when silent then null when invalid_channel is not null then 'target_invalid' else 'target_valid' end,
      case when not silent then 2 end, null, null, coalesce(invalid_channel, first_channel), case when invalid_channel is not null then 5020 end,
      nullif(jsonb_strip_nulls(jsonb_build_object('fallback_pending', case when announces then true end,
        'current_to', case when invalid_to <> target then invalid_to end)), '{}'::jsonb) from granted
    union all
    select a.ord, 3, a.application_id, a.message_id, s.cause, null, null, s.step, null, s.channel, s."errorCode", s.data
    from granted a cross join lateral jsonb_to_recordset(a.skipped) as s(cause text, step smallint, channel text, "errorCode" integer, data jsonb)
    union all
    select 0, 4, application_id, message_id, 'superseded', null, null, null, null, null, null, null from superseded
    union all
    select 0, 5, application_id, message_id, 'fallback_cancelled', null, null, waiting_step, null, waiting_channel, null,
      jsonb_build_object('steps', waiting, 'reason', 'superseded') from ended where waiting > 0
    union all
    select 0, 5, application_id, message_id, 'fallback_cancelled', null, null, waiting_step, null, waiting_channel, null,
      jsonb_build_object('steps', waiting, 'reason', 'newer_send') from stopped where waiting > 0
  ) event order by ord, place`);

export interface MessageRecord {
  id: string;
  kind: MessageKind;
  recipient: string;
  other_recipient: string | null;
  template_id: string;
  template_revision: number;
  language: Language;
  country: string | null;
  purpose: string | null;
  verification_id: string | null;
  custom_args: Record<string, string> | null;
  sealed_params: Buffer | null;
  decision: StoredDecision | null;
  created_at: Date;
  expires_at: Date | null;
}

export async function findMessage(
  db: Queryable,
  applicationId: string,
  messageId: string,
): Promise<MessageRecord | null> {
  const rows = await db.query<MessageRecord>(sql`
    select id, kind, recipient, other_recipient, template_id, template_revision, language, country, purpose, verification_id, custom_args, sealed_params, decision, created_at,
      expires_at
    from messages where application_id = ${applicationId} and id = ${messageId}`);
  return rows[0] ?? null;
}

/** A resend with a new code moves the expiry of the message (contract §5.6). */
export async function moveExpiry(
  tx: Queryable,
  applicationId: string,
  messageId: string,
  expiresAt: Date,
): Promise<void> {
  await tx.query(
    sql`update messages set expires_at = ${expiresAt} where application_id = ${applicationId} and id = ${messageId}`,
  );
}

/** The newest message of an application to an address. */
export interface LastMessage {
  applicationId: string;
  messageId: string;
  /** Accepted within the last 24 hours. */
  recent: boolean;
}

/**
 * Newest first, one of each application that knows the address: `recipient` or the address of a message's other steps. For what
 * people answer, which names no application; so it goes from one application to the next instead of through an index of its own.
 */
export async function listLastMessages(db: Queryable, address: string): Promise<LastMessage[]> {
  const rows = await db.query<{ application_id: string; id: string; recent: boolean }>(sql`
    with recursive holder as (
      (select application_id from messages order by application_id limit 1)
      union all
      select (select m.application_id from messages m where m.application_id > h.application_id order by m.application_id limit 1)
      from holder h where h.application_id is not null
    )
    select h.application_id, last.id, last.created_at > clock_now() - interval '24 hours' as recent
    from holder h cross join lateral (
      (select m.id, m.created_at from messages m
        where m.application_id = h.application_id and m.recipient = ${address} order by m.id desc limit 1)
      union all
      (select m.id, m.created_at from messages m
        where m.application_id = h.application_id and m.other_recipient = ${address} order by m.id desc limit 1)
      order by id desc limit 1
    ) last
    order by last.id desc`);
  return rows.map((row) => ({ applicationId: row.application_id, messageId: row.id, recent: row.recent }));
}

export interface MessageFilter {
  recipient?: string | undefined;
  templateId?: string | undefined;
  state?: string | undefined;
  channel?: string | undefined;
  country?: string | undefined;
  /** Ids from (inclusive) and below (exclusive): time-ordered, so they bound the time too. */
  fromId: string;
  belowId: string;
  limit: number;
}

export interface MessageSummary {
  id: string;
  kind: MessageKind;
  recipient: string;
  template_id: string;
  country: string | null;
  created_at: Date;
  state: MessageState;
  channel: Channel;
  cost_micros: string;
  verification_state: VerificationState | null;
}

/** Newest first. */
export function listMessages(
  db: Queryable,
  applicationId: string,
  filter: MessageFilter,
  deliveryStates: Sql,
): Promise<MessageSummary[]> {
  return db.query<MessageSummary>(sql`
    select m.id, m.kind, m.recipient, m.template_id, m.country, m.created_at, d.state, d.channel, d.cost_micros, v.state as verification_state
    from messages m
    join (${deliveryStates}) d on d.application_id = m.application_id and d.message_id = m.id
    left join (${verificationStates()}) v on v.application_id = m.application_id and v.id = m.verification_id
    where m.application_id = ${applicationId} and m.id >= ${filter.fromId} and m.id < ${filter.belowId}
      and (${filter.recipient ?? null}::text is null or m.recipient = ${filter.recipient ?? null})
      and (${filter.templateId ?? null}::text is null or m.template_id = ${filter.templateId ?? null})
      and (${filter.country ?? null}::text is null or m.country = ${filter.country ?? null})
      and (${filter.channel ?? null}::text is null or d.channel = ${filter.channel ?? null})
      and (${filter.state ?? null}::text is null or ${filter.state ?? null} in (d.state, v.state))
    order by m.id desc limit ${filter.limit}`);
}

/** The relation that callbacks, the stream, insights and fraud rules join to events: what the ledger does not hold of a message. */
export const messageFacts = (): Sql =>
  sql`select application_id, id as message_id, recipient, template_id, country, verification_id, custom_args, signals, created_at, expires_at from messages`;

/** Removes up to `limit` messages below the id; resolves with how many. */
export async function forgetMessages(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from messages where ctid = any(array(
        select ctid from messages where application_id = ${applicationId} and id < ${belowId} limit ${limit}))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
