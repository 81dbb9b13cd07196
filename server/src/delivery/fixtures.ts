/** For the tests of this room: an upstream that answers as told, and a message's life from acceptance to its ledger rows. */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import {
  type Channel,
  type OutgoingMessage,
  type Receipt,
  reasonOf,
  type SendOutcome,
  type Upstream,
  undelivered,
} from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';
import { type EventDraft, eventColumns, eventRows, type LedgerEntry, listEvents } from '../events/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { createKeyring } from '../platform/seal.ts';
import { relation, sql } from '../platform/sql.ts';
import {
  createDelivery,
  type Delivery,
  type DeliveryPorts,
  type Draft,
  type EndedRow,
  type Ids,
  type Release,
} from './index.ts';
import type { Line } from './line.ts';

export const phone = '+6598120044';
export const email = 'ana@example.com';
export const keyring = createKeyring(randomBytes(32));
export const silentLog = pino({ level: 'silent' });

type Answer = (message: OutgoingMessage, signal: AbortSignal) => SendOutcome | Promise<SendOutcome>;

/** An upstream on the outside edge: keeps what it was handed, answers as told, accepts unless told otherwise. */
export class ScriptedUpstream implements Upstream {
  readonly handed: OutgoingMessage[] = [];
  answer: Answer = (message) => accepted(message);
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    this.handed.push(message);
    return this.answer(message, signal);
  }
  async close(): Promise<void> {}
}

export const accepted = ({ messageId, attempt }: OutgoingMessage): SendOutcome => ({
  kind: 'accepted',
  upstreamId: `${messageId}-${attempt}`,
  costMicros: 41_200,
});
export const refused = (errorCode: ErrorCode, temporary = false, retryAfterMs?: number): SendOutcome => ({
  kind: 'refused',
  temporary,
  errorCode,
  reason: reasonOf(errorCode),
  detail: 'scripted',
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});
export const unknown: SendOutcome = { kind: 'unknown', detail: 'scripted' };

/** An answer that comes when it is let go. */
export function held(): { answer: Promise<SendOutcome>; letGo(outcome: SendOutcome): void } {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>();
  return { answer: promise, letGo: resolve };
}

/** Answers in this order; the last one for good. */
export const inTurn = (
  upstream: ScriptedUpstream,
  ...answers: (SendOutcome | Promise<SendOutcome> | 'accept')[]
): void => {
  let turn = 0;
  upstream.answer = (message) => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    return answer === undefined || answer === 'accept' ? accepted(message) : answer;
  };
};

/** Resolves when the upstream is handed the next message. */
export const nextHanded = (upstream: ScriptedUpstream): Promise<OutgoingMessage> =>
  new Promise((resolve) => {
    const usual = upstream.answer;
    upstream.answer = (message, signal) => {
      upstream.answer = usual;
      resolve(message);
      return usual(message, signal);
    };
  });

let lastId = 2_072_832_692_843_466_759n;
const waits = { whatsapp: 20_000, sms: 30_000, voice: 60_000, email: 120_000 };

/** A message over the channels of `chain`, `|` between them; five minutes to live. */
export function draftOf(chain: string, changes: Partial<Draft> = {}): Draft {
  return {
    applicationId: '7',
    messageId: (++lastId).toString(),
    to: phone,
    hasVerification: true,
    silent: false,
    code: '482913',
    deadlineMs: 300_000,
    releaseKey: { target: phone, templateId: 'login' },
    steps: (chain.split('|') as Channel[]).map((channel) => ({
      channel,
      to: channel === 'email' ? email : phone,
      skip: null,
      content: { text: `482913 is your code (${channel})`, language: 'en' },
      waitMs: waits[channel],
      startDelayMs: 0,
    })),
    ...changes,
  };
}

/** The line of an upstream that drops repetitions, as the virtual network does. */
export const lineOn = (upstream: Upstream, changes: Partial<Line> = {}): Line => ({
  provider: 'scripted',
  upstream,
  idempotent: true,
  senderReplaced: false,
  costMicros: 41_200,
  currency: 'USD',
  why: 'scripted',
  admit: () => 0,
  done: () => undefined,
  ...changes,
});

/** One engine over a database, with what left through it. */
export interface Node {
  delivery: Delivery;
  upstream: ScriptedUpstream;
  released: Release[];
}

const nodes = new Set<Node>();

/** For afterEach: ends every engine made, calls that hang among them. */
export async function stopNodes(): Promise<void> {
  await Promise.all([...nodes].map(({ delivery }) => delivery.stop(0)));
  nodes.clear();
}

export function createNode(db: Db, clock: Clock, ports: Partial<DeliveryPorts> = {}): Node {
  const upstream = new ScriptedUpstream();
  const released: Release[] = [];
  const delivery = createDelivery({
    db,
    keyring,
    clock,
    log: silentLog,
    worker: true,
    currency: 'USD',
    lineOf: () => lineOn(upstream),
    linesFor: () => [],
    async release(_tx, rows) {
      released.push(...rows);
    },
    ...ports,
  });
  const node = { delivery, upstream, released };
  nodes.add(node);
  return node;
}

/** The accepting statement as the messages room writes it: plan and target_valid, the delivery, its skipped steps. */
export async function accept(db: Db, { delivery }: Node, draft: Draft): Promise<Ids> {
  const prepared = delivery.prepare(draft);
  const ids = {
    application_id: ['bigint', () => draft.applicationId],
    message_id: ['bigint', () => draft.messageId],
  } as const;
  const first = {
    applicationId: draft.applicationId,
    messageId: draft.messageId,
    channel: draft.steps[0]?.channel ?? 'sms',
  };
  const events: EventDraft[] = [
    { ...first, cause: 'accepted', ...(!draft.silent && { status: 'plan', sequence: 1 }) },
    { ...first, cause: 'target_checked', ...(!draft.silent && { status: 'target_valid', sequence: 2 }) },
    ...prepared.events,
  ];
  await db.query(sql`with input as (${relation([prepared], { ...ids, ...delivery.columns })}),
    delivered as (${delivery.insertRows(sql`select * from input`)}),
    told as (${eventRows(relation(events, eventColumns))}) select from input`);
  delivery.accepted(prepared);
  return { applicationId: draft.applicationId, messageId: draft.messageId };
}

/** What a successful check does to the messages of its verification, in one statement. */
export async function check(db: Queryable, { delivery }: Node, ids: Ids, reason = 'verified'): Promise<EndedRow[]> {
  const rows = sql`select ${ids.applicationId}::bigint as application_id, ${ids.messageId}::bigint as message_id,
    ${reason}::text as reason, ${reason === 'verified' || reason === 'exhausted'}::boolean as numbered, false as spares_expired`;
  const status = reason === 'verified' ? 'verified' : 'verified_failed';
  return db.query<EndedRow>(
    sql`with ${delivery.endRows(rows)}, told as (${eventRows(sql`
    select application_id, message_id, ${'verified'}::text as cause, case when not silent then ${status}::text end as status,
      case when not silent then sequence end as sequence, step, attempt, channel, null::integer as error_code, null::jsonb as data
    from ended`)}) select * from ended`,
  );
}

/** What a newer send of the same verification does to a message. */
export async function overtake(db: Queryable, { delivery }: Node, ids: Ids): Promise<StoppedRow[]> {
  const nothing = sql`select null::bigint as application_id, null::bigint as message_id, null as reason, false as numbered,
    false as spares_expired where false`;
  const overtaken = sql`select ${ids.applicationId}::bigint as application_id, ${ids.messageId}::bigint as message_id`;
  return db.query<StoppedRow>(
    sql`with ${delivery.endRows(nothing, overtaken)} select waiting, waiting_step, waiting_channel from stopped`,
  );
}

type StoppedRow = Pick<EndedRow, 'waiting' | 'waiting_step' | 'waiting_channel'>;

export const received = (node: Node, { messageId }: Ids, attempt: number, errorCode?: ErrorCode): Promise<boolean> => {
  const outcome: Receipt['outcome'] =
    errorCode === undefined ? { kind: 'delivered' } : undelivered(reasonOf(errorCode), 'scripted', errorCode);
  return node.delivery.receive('scripted', { upstreamId: `${messageId}-${attempt}`, outcome });
};

const short = (channel: string | undefined): string => (channel === 'whatsapp' ? 'wa' : (channel ?? ''));

/** `sent_failed(wa, 5001, P)`; attempts from the second on are named when they are of the same step as one before. */
function written(entry: LedgerEntry): string {
  const marks = [
    short(entry.channel),
    entry.errorCode === undefined || entry.status === 'verified_timeout' ? '' : String(entry.errorCode),
    entry.data?.['fallback_pending'] ? 'P' : '',
    entry.data?.['late'] ? 'L' : '',
  ].filter((mark) => mark !== '');
  return `${entry.status}(${marks.join(', ')})`;
}

/** The callback rows of a message after plan and target_valid. */
export async function rowsOf(db: Queryable, { applicationId, messageId }: Ids): Promise<string> {
  const events = await listEvents(db, applicationId, messageId);
  const rows = events.filter((entry) => entry.status !== undefined);
  rows.forEach((entry, i) => {
    if (entry.sequence !== i + 1) throw new Error(`sequence ${entry.sequence} at place ${i + 1}`);
  });
  return rows.slice(2).map(written).join(' ');
}

/** The causes of the timeline in order, without the two of acceptance. */
export async function causesOf(db: Queryable, { applicationId, messageId }: Ids): Promise<string[]> {
  return (await listEvents(db, applicationId, messageId)).slice(2).map((entry) => entry.cause);
}
