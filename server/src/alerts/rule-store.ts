/** The statements on rules. Every change puts its line into the ledger of its application, or of the installation ('0'). */
import { appendEvents } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { raw, sql } from '../platform/sql.ts';
import { type Kind, type Notify, openToken, type Rule, sealToken, type Terms } from './rule.ts';

interface RuleRow {
  id: string;
  application_id: string | null;
  kind: Kind;
  threshold: number | null;
  clear_threshold: number | null;
  factor: number | null;
  min_samples: number;
  quiet_minutes: number;
  enabled: boolean;
  tell_callback: boolean;
  email_provider: string | null;
  email_to: string[];
  telegram_chat: string | null;
  telegram_token: Buffer | null;
  value: number | null;
  judged_at: Date | null;
  raised: boolean;
  created_at: Date;
  updated_at: Date;
}

const columns = raw(
  `id, application_id, kind, threshold, clear_threshold, factor, min_samples, quiet_minutes, enabled, tell_callback, email_provider,
  email_to, telegram_chat, telegram_token, value, judged_at, created_at, updated_at,
  exists (select 1 from alerts where rule_id = alert_rules.id and ended_at is null) as raised`,
);

/** A token that another master key sealed is lost: the way is there, and refuses. */
function tokenOf(keyring: Keyring, id: string, sealed: Buffer): string {
  try {
    return openToken(keyring, id, sealed);
  } catch {
    return '';
  }
}

const opener =
  (keyring: Keyring) =>
  (row: RuleRow): Rule => ({
    id: row.id,
    applicationId: row.application_id,
    kind: row.kind,
    threshold: row.threshold,
    clearThreshold: row.clear_threshold,
    factor: row.factor,
    minSamples: row.min_samples,
    quietMinutes: row.quiet_minutes,
    enabled: row.enabled,
    notify: {
      callback: row.tell_callback,
      email: row.email_provider === null ? null : { providerId: row.email_provider, addresses: row.email_to },
      telegram:
        row.telegram_chat === null || row.telegram_token === null
          ? null
          : { botToken: tokenOf(keyring, row.id, row.telegram_token), chatId: row.telegram_chat },
    },
    value: row.value,
    judgedAt: row.judged_at,
    raised: row.raised,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });

export type NewRule = Terms & Pick<Rule, 'applicationId' | 'kind' | 'enabled' | 'notify'>;

/** Drawn before the insert, because the token is sealed for it. */
export async function drawRuleId(db: Queryable): Promise<string> {
  const [row] = await db.query<{ id: string }>(sql`select account_id() as id`);
  return row?.id ?? '';
}

export async function insertRule(tx: Queryable, keyring: Keyring, id: string, made: NewRule): Promise<Rule> {
  const rows = await tx.query<RuleRow>(sql`
    insert into alert_rules (id, application_id, kind, threshold, clear_threshold, factor, min_samples, quiet_minutes, enabled,
      tell_callback, email_provider, email_to, telegram_chat, telegram_token)
    values (${id}, ${made.applicationId}, ${made.kind}, ${made.threshold}, ${made.clearThreshold}, ${made.factor},
      ${made.minSamples}, ${made.quietMinutes}, ${made.enabled}, ${made.notify.callback}, ${made.notify.email?.providerId ?? null},
      ${made.notify.email?.addresses ?? []}, ${made.notify.telegram?.chatId ?? null}, ${sealedToken(keyring, id, made.notify)})
    returning ${columns}`);
  return only(rows.map(opener(keyring)));
}

const sealedToken = (keyring: Keyring, id: string, { telegram }: Notify): Buffer | null =>
  telegram && sealToken(keyring, id, telegram.botToken);

function only(rows: Rule[]): Rule {
  const [rule] = rows;
  if (!rule) throw new Error('the rule was not written');
  return rule;
}

/** What it found before says nothing under other terms: it is judged anew at once. */
export async function updateRule(tx: Queryable, keyring: Keyring, rule: Rule): Promise<Rule> {
  const { notify } = rule;
  const rows = await tx.query<RuleRow>(sql`
    update alert_rules set threshold = ${rule.threshold}, clear_threshold = ${rule.clearThreshold}, factor = ${rule.factor},
      min_samples = ${rule.minSamples}, quiet_minutes = ${rule.quietMinutes}, enabled = ${rule.enabled},
      tell_callback = ${notify.callback}, email_provider = ${notify.email?.providerId ?? null},
      email_to = ${notify.email?.addresses ?? []}, telegram_chat = ${notify.telegram?.chatId ?? null},
      telegram_token = ${sealedToken(keyring, rule.id, notify)}, due_at = clock_now(), updated_at = clock_now()
    where id = ${rule.id} returning ${columns}`);
  return only(rows.map(opener(keyring)));
}

export async function findRule(db: Queryable, keyring: Keyring, id: string): Promise<Rule | null> {
  const rows = await db.query<RuleRow>(sql`select ${columns} from alert_rules where id = ${id}`);
  return rows.map(opener(keyring))[0] ?? null;
}

export async function lockRule(tx: Queryable, keyring: Keyring, id: string): Promise<Rule | null> {
  const rows = await tx.query<RuleRow>(sql`select ${columns} from alert_rules where id = ${id} for update`);
  return rows.map(opener(keyring))[0] ?? null;
}

export async function listRules(
  db: Queryable,
  keyring: Keyring,
  { applicationId, limit, before }: { applicationId: string | null; limit: number; before: string | null },
): Promise<Rule[]> {
  const rows = await db.query<RuleRow>(sql`
    select ${columns} from alert_rules
    where (${applicationId}::bigint is null or application_id = ${applicationId})
      and (${before}::bigint is null or id < ${before})
    order by id desc limit ${limit}`);
  return rows.map(opener(keyring));
}

/** Its history stays: alerts end with it, and what was not posted yet is given up. */
export async function deleteRule(tx: Queryable, id: string): Promise<void> {
  await tx.query(sql`
    with rule as (delete from alert_rules where id = ${id}), ended as (
      update alerts set ended_at = clock_now() where rule_id = ${id} and ended_at is null)
    update alert_messages set state = 'given_up', due_at = null, ended_at = clock_now(), last_error = 'the rule was deleted'
    where rule_id = ${id} and due_at is not null`);
}

export interface DueRule {
  id: string;
  applicationId: string | null;
  kind: Kind;
}

export async function listDueRules(db: Queryable): Promise<DueRule[]> {
  return db.query<DueRule>(sql`
    select id, application_id as "applicationId", kind from alert_rules where enabled and due_at <= clock_now() order by id`);
}

/** Null when another node judges it, has judged it, or it is gone. Until the transaction ends nobody else judges it. */
export async function claimRule(
  tx: Queryable,
  keyring: Keyring,
  id: string,
): Promise<{ rule: Rule; nowMs: number } | null> {
  const [row] = await tx.query<RuleRow & { now: Date }>(sql`
    select ${columns}, clock_now() as now from alert_rules
    where id = ${id} and enabled and due_at <= clock_now() for update skip locked`);
  return row ? { rule: opener(keyring)(row), nowMs: row.now.getTime() } : null;
}

export async function noteJudged(tx: Queryable, id: string, value: number | null, everySeconds: number): Promise<void> {
  await tx.query(sql`
    update alert_rules set value = ${value}, judged_at = clock_now(), due_at = clock_now() + ${everySeconds} * interval '1 second'
    where id = ${id}`);
}

export type Actor = { ip: string };

export const noteManaged = (
  tx: Queryable,
  action: string,
  { id, applicationId, kind }: Pick<Rule, 'id' | 'applicationId' | 'kind'>,
  actor: Actor,
): Promise<void> =>
  appendEvents(tx, [
    {
      applicationId: applicationId ?? '0',
      messageId: '0',
      cause: 'alert_managed',
      data: { action, rule_id: id, kind, operator: { ip_address: actor.ip } },
    },
  ]);
