/** The statements on messages to people: written with the change they tell of, claimed by one node at a time. */
import type { Queryable } from '../platform/db.ts';
import { type Column, relation, sql } from '../platform/sql.ts';

export interface Message {
  alertId: string;
  about: 'raised' | 'ended';
  way: 'email' | 'telegram';
  recipient: string;
  state: 'waiting' | 'sent' | 'given_up';
  tries: number;
  lastError: string | null;
  dueAt: Date | null;
  createdAt: Date;
  endedAt: Date | null;
}

export interface NewMessage extends Pick<Message, 'alertId' | 'about' | 'way' | 'recipient'> {
  ruleId: string;
  /** Of an e-mail. */
  provider: string | null;
  title: string;
  text: string;
}

const columns: Record<string, Column<NewMessage>> = {
  alert_id: ['bigint', (message) => message.alertId],
  rule_id: ['bigint', (message) => message.ruleId],
  about: ['text', (message) => message.about],
  way: ['text', (message) => message.way],
  recipient: ['text', (message) => message.recipient],
  provider: ['text', (message) => message.provider],
  title: ['text', (message) => message.title],
  text: ['text', (message) => message.text],
};

export async function insertMessages(tx: Queryable, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(sql`
    insert into alert_messages (alert_id, rule_id, about, way, recipient, provider, title, text)
    select alert_id, rule_id, about, way, recipient, provider, title, text from (${relation(messages, columns)}) as made order by ord`);
}

export interface ClaimedMessage extends NewMessage {
  id: string;
  /** This one counted. */
  tries: number;
}

/** Counts a try and keeps others off for `leaseSeconds`: after that the try is taken for lost with its node. */
export async function claimMessages(db: Queryable, limit: number, leaseSeconds: number): Promise<ClaimedMessage[]> {
  return db.query<ClaimedMessage>(sql`
    update alert_messages set tries = tries + 1, due_at = clock_now() + ${leaseSeconds} * interval '1 second'
    where id = any(array(
      select id from alert_messages where due_at <= clock_now() order by due_at, id limit ${limit} for update skip locked))
    returning id, alert_id as "alertId", rule_id as "ruleId", about, way, recipient, provider, title, text, tries`);
}

/** What became of a try: `retryInSeconds` null where none follows. A try that took longer than its lease changes nothing. */
export async function concludeMessage(
  db: Queryable,
  { id, tries }: Pick<ClaimedMessage, 'id' | 'tries'>,
  { sent, error, retryInSeconds }: { sent: boolean; error: string | null; retryInSeconds: number | null },
): Promise<void> {
  const state = sent ? 'sent' : retryInSeconds === null ? 'given_up' : 'waiting';
  await db.query(sql`
    update alert_messages set state = ${state}, last_error = ${error},
      due_at = clock_now() + ${retryInSeconds}::double precision * interval '1 second',
      ended_at = case when ${state === 'waiting'}::boolean then null else clock_now() end
    where id = ${id} and tries = ${tries} and state = 'waiting'`);
}
