/** The SQL that reads attempts alone: for the story, for conversion feedback, for receipts that know only our reference. */
import type { Channel, SendOutcome } from '../channels/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Sql, sql } from '../platform/sql.ts';
import type { Ids } from './content.ts';

export interface Acceptance {
  provider: string;
  upstreamId: string;
}

/** Calls to configured providers that were accepted, newest first. */
export async function findAcceptances(db: Queryable, ids: Ids): Promise<Acceptance[]> {
  return db.query<Acceptance>(sql`select provider, upstream_id as "upstreamId" from attempts
    where application_id = ${ids.applicationId} and message_id = ${ids.messageId} and route is not null
      and outcome = 'accepted' and upstream_id is not null order by answered_at desc`);
}

export interface AttemptRecord {
  step: number;
  attempt: number;
  try: number;
  channel: Channel;
  provider: string;
  why: string | null;
  sender: string | null;
  upstreamId: string | null;
  outcome: SendOutcome['kind'];
  errorCode: number | null;
  detail: string | null;
  startedAt: Date;
  answeredAt: Date;
  costMicros: number;
}

/** Every provider call of a message, in order. */
export async function listAttempts(db: Queryable, ids: Ids): Promise<AttemptRecord[]> {
  return db.query<AttemptRecord>(sql`select step, attempt, try, channel, provider, route ->> 'why' as why,
      route ->> 'sender' as sender, upstream_id as "upstreamId", outcome, error_code as "errorCode", reason as detail,
      started_at as "startedAt", answered_at as "answeredAt", cost_micros::double precision as "costMicros"
    from attempts where application_id = ${ids.applicationId} and message_id = ${ids.messageId} order by attempt, try`);
}

export interface Answer {
  /** 1-based. */
  step: number;
  try: number;
  channel: Channel;
  provider: string;
  outcome: SendOutcome['kind'];
  /** What it costs should it turn out to have been accepted; 0 where it had an answer. */
  owedMicros: number;
}

/** The calls of an attempt, in order. */
export async function listAnswers(db: Queryable, ids: Ids & { attempt: number }): Promise<Answer[]> {
  return db.query<Answer>(sql`select step, try, channel, provider, outcome,
      coalesce((route ->> 'owed_micros')::double precision, 0) as "owedMicros"
    from attempts where application_id = ${ids.applicationId} and message_id = ${ids.messageId} and attempt = ${ids.attempt} order by try`);
}

/**
 * Relation of the calls an upstream accepted: application_id, message_id, attempt, try, channel, provider, answered_at, cost_micros, and
 * segments where they are counted.
 */
export const acceptedAttempts = (): Sql =>
  sql`select application_id, message_id, attempt, try, channel, provider, answered_at, cost_micros,
    (route ->> 'segments')::integer as segments from attempts where outcome = 'accepted'`;
