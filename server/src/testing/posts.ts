/** For tests of posts: endpoints, messages and events straight into the database, and a dispatcher over it. */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { type Endpoint, type EndpointSecrets, sealSecrets } from '../callbacks/index.ts';
import { appendEvents, type EventDraft, eventNames } from '../events/index.ts';
import { messageFacts } from '../messages/index.ts';
import type { Queryable } from '../platform/db.ts';
import { createIdSource } from '../platform/ids.ts';
import { createOutbound } from '../platform/outbound.ts';
import { createKeyring } from '../platform/seal.ts';
import { sql } from '../platform/sql.ts';
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { createPosting, type Posting, type PostingOptions } from '../posting/index.ts';
import type { TestDatabase } from './database.ts';

const keyring = createKeyring(randomBytes(32));
const signingSecret = createSigningSecret();
const silent = pino({ level: 'silent' });
const ids = createIdSource({ now: () => Date.now() }, () => 7);

/** An application of its own for each test. */
export const newApplication = (): string => ids.next();

export interface OpenDispatcher {
  dispatcher: Posting;
  close(): Promise<void>;
}

/** One that may reach 127.0.0.1 and does not jitter. */
export function openDispatcher({ db, clock }: TestDatabase, options: Partial<PostingOptions> = {}): OpenDispatcher {
  const outbound = createOutbound({ allow: ['127.0.0.1'] });
  const dispatcher = createPosting({
    db,
    clock,
    log: silent,
    keyring,
    outbound,
    facts: messageFacts,
    application: async () => null,
    chance: () => 0,
    ...options,
  });
  return {
    dispatcher,
    async close() {
      await dispatcher.stop();
      await outbound.close();
    },
  };
}

type NewEndpoint = Pick<Endpoint, 'applicationId' | 'url'> & Partial<Endpoint>;

/** Resolves with its id. */
export async function insertEndpoint(db: Queryable, made: NewEndpoint): Promise<string> {
  const secrets: EndpointSecrets = made.secrets ?? {
    secret: null,
    authorization: null,
    signing: [{ secret: signingSecret, untilMs: null }],
  };
  const sealed = sealSecrets(keyring, made.applicationId, secrets);
  const [row] = await db.query<{ id: string }>(sql`
    insert into callback_endpoints (application_id, description, url, username, secrets, event_types, format, retry_schedule,
      batch_rows, timeout_ms, concurrency, rate_per_second, enabled, reachable, probe_note, probed_at)
    values (${made.applicationId}, '', ${made.url}, ${made.username ?? null}, ${sealed},
      ${made.eventTypes ?? eventNames}::text[], ${made.format ?? 'vendor'}, ${made.retrySchedule ?? 'vendor'},
      ${made.batchRows ?? 1}, ${made.timeoutMs ?? 5000}, ${made.concurrency ?? 20}, ${made.ratePerSecond ?? null},
      ${made.enabled ?? true}, true, '', clock_now()) returning id`);
  return row?.id ?? '';
}

/** A message of an application; resolves with its id. */
export async function insertMessage(db: Queryable, applicationId: string): Promise<string> {
  const id = ids.next();
  await db.query(sql`
    insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, created_at)
    values (${applicationId}, ${id}, 'otp', '+6598120044', 'login', 1, 'en', clock_now())`);
  return id;
}

/** A status, or an entry of the ledger. */
export type Event = string | (Partial<EventDraft> & { status: string });

/** One transaction per call; sequence numbers from `first` on. */
export async function tell(
  db: Queryable,
  ids: { applicationId: string; messageId: string },
  steps: readonly Event[],
  first = 1,
): Promise<void> {
  await appendEvents(
    db,
    steps.map((step, i) => {
      const given = typeof step === 'string' ? { status: step } : step;
      return {
        ...ids,
        cause: 'accepted',
        channel: 'sms',
        ...(ids.messageId !== '0' && { sequence: first + i }),
        ...given,
      };
    }),
  );
}

/** What waits for an endpoint, in the order of the ledger. */
export const queueOf = (db: Queryable, endpointId: string) =>
  db.query<{ status: string; tries: number; wait_s: number | null; given_up: boolean }>(sql`
    select status, tries, extract(epoch from due_at - clock_now())::double precision as wait_s, given_up_at is not null as given_up
    from callback_queue where endpoint_id = ${endpointId} order by position`);

/** The log of an endpoint, oldest first. */
export const attemptsOf = (db: Queryable, endpointId: string) =>
  db.query<{
    status: string;
    try: number;
    rows: number;
    outcome: string;
    http_status: number | null;
    detail: string | null;
    response: string | null;
    next_s: number | null;
  }>(sql`
    select status, try, rows, outcome, http_status, detail, response, extract(epoch from next_at - at)::double precision as next_s
    from callback_attempts where endpoint_id = ${endpointId} order by id`);
