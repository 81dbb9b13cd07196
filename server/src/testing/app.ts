/**
 * The whole app in a box, over a test database, answering without a socket. Every reply is compared with its declared schema.
 * Tests assert the reply and the ledger: what was refused has sent nothing.
 */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { DestinationStream } from 'pino';
import { type App, type AppOptions, createApp } from '../app.ts';
import type { Adapter } from '../channels/index.ts';
import { readConfig } from '../config.ts';
import { listEvents } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import { createLog } from '../platform/log.ts';
import { sql } from '../platform/sql.ts';
import { engines, openTestDatabase, type TestDatabase } from './database.ts';

export interface TestReply {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: the body of any operation; its schema was compared already
  body: any;
}

export interface TestCall {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  /** `key:secret`; null sends no credential. */
  credential?: string | null;
  headers?: Record<string, string>;
  /** Sent as it stands instead of `body`. */
  payload?: string | Buffer;
}

export interface TestAppOptions {
  env?: Record<string, string>;
  drawCode?: (type: number, length: number) => string;
  /** Receives every log line. */
  logTo?: DestinationStream;
  adapters?: readonly Adapter[];
  watched?: AppOptions['watched'];
  extendAgents?: AppOptions['extendAgents'];
}

export interface NewApplication {
  policy?: object;
  network?: 'virtual' | 'live';
  /** Settings of its key. */
  key?: object;
}

export interface OtherApplication {
  id: string;
  keyId: string;
  credential: string;
}

export type TestApp = Awaited<ReturnType<typeof openTestApp>>;

export const testCredential = 'dk_test:secret-of-the-test-key';
export const operatorToken = 'operator-token-of-the-tests';

export async function openTestApp(database: TestDatabase, options: TestAppOptions = {}) {
  const { db, clock } = database;
  const [devKey = '', devSecret = ''] = testCredential.split(':');
  const config = readConfig({
    ENGAGELAB_DEV_KEY: devKey,
    ENGAGELAB_DEV_SECRET: devSecret,
    OPERATOR_TOKEN: operatorToken,
    // Receivers of tests are on this machine; what is not there refuses at once.
    OUTBOUND_ALLOW: '127.0.0.1',
    ...options.env,
  });
  const app = await createApp({
    db,
    clock,
    config,
    masterKey: Buffer.alloc(32, 7),
    log: options.logTo ? createLog('trace', options.logTo) : createLog('silent'),
    checkOutput: true,
    ...(options.drawCode && { drawCode: options.drawCode }),
    ...(options.adapters && { adapters: options.adapters }),
    ...(options.watched && { watched: options.watched }),
    ...(options.extendAgents && { extendAgents: options.extendAgents }),
  });
  const first = await app.furnish();
  const applicationId = first?.applicationId ?? (await applicationOf(db, devKey));
  const callers = createCallers(app);
  return {
    app,
    applicationId,
    ...callers,
    ...createTime(app, clock),
    ...createWitness(app, db, applicationId),
    ...createCodes(app, callers.call),
    close: () => app.stop(),
  };
}

/** Of a key made by an earlier app over the same database. */
async function applicationOf(db: Db, devKey: string): Promise<string> {
  const [row] = await db.query<{ application_id: string }>(
    sql`select application_id from api_keys where dev_key = ${devKey}`,
  );
  return row?.application_id ?? '';
}

const isJson = (type: unknown): boolean => String(type).startsWith('application/json');

function createCallers(app: App) {
  async function call({
    method,
    path,
    body,
    credential = testCredential,
    headers = {},
    payload,
  }: TestCall): Promise<TestReply> {
    const sent = payload ?? (body === undefined ? undefined : JSON.stringify(body));
    const reply = await app.frontDoor.inject({
      method: method ?? (sent === undefined ? 'GET' : 'POST'),
      url: path,
      headers: {
        ...(credential !== null && { authorization: `Basic ${Buffer.from(credential).toString('base64')}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent !== undefined && { payload: sent }),
    });
    return {
      status: reply.statusCode,
      headers: reply.headers,
      body: reply.body === '' ? null : isJson(reply.headers['content-type']) ? JSON.parse(reply.body) : reply.body,
    };
  }

  const operator = (request: TestCall): Promise<TestReply> =>
    call({ ...request, credential: null, headers: { authorization: `Bearer ${operatorToken}`, ...request.headers } });

  /** A further application with a key of its own, made by the operator. */
  async function makeApplication({ key = {}, ...application }: NewApplication = {}): Promise<OtherApplication> {
    const organization = await operator({ path: '/admin/v1/organizations', body: { name: 'Another' } });
    const under = `/admin/v1/organizations/${organization.body.id}/applications`;
    const made = await operator({ path: under, body: { name: 'Another', ...application } });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return { id: made.body.id, ...(await makeKey(made.body.id, key)) };
  }

  async function makeKey(application: string, key: object = {}): Promise<{ keyId: string; credential: string }> {
    const { status, body } = await operator({ path: `/admin/v1/applications/${application}/api-keys`, body: key });
    assert.equal(status, 200, JSON.stringify(body));
    return { keyId: body.id, credential: `${body.dev_key}:${body.dev_secret}` };
  }

  return { call, operator, makeApplication, makeKey };
}

function createTime(app: App, clock: TestDatabase['clock']) {
  /** Does everything that is due by now: hand-overs, receipts, expiries. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      await app.delivery.runUntilIdle();
      const receipts = await app.sandbox.runUntilIdle();
      const expired = await app.verifications.expireDue();
      if (receipts + expired === 0) return;
    }
    throw new Error('the app does not come to rest');
  }

  /** Moves time in steps of half a second, doing what falls due in each, so that events get the times they would have. */
  async function live(seconds: number): Promise<void> {
    for (let half = 0; half < seconds * 2; half++) {
      await clock.travel(500);
      await settle();
    }
  }

  return { settle, live };
}

function createWitness(app: App, db: Db, applicationId: string) {
  /** `plan, target_valid, sent(sms), …` of a message, callback statuses only. */
  async function statusesOf(messageId: string, application = applicationId): Promise<string[]> {
    const events = await listEvents(db, application, messageId);
    return events.flatMap(({ status, channel, errorCode, data }) => {
      if (status === undefined) return [];
      const marks = [channel, errorCode, data?.['fallback_pending'] && 'P', data?.['late'] && 'L'].filter(Boolean);
      return [`${status}(${marks.join(', ')})`];
    });
  }

  /** Runs work that must be refused: nothing is written anywhere but notes of its arrival (last use of a key, quotas, reads). */
  async function expectNothingHappened<T>(work: () => Promise<T>): Promise<T> {
    await app.delivery.runUntilIdle();
    const before = await traces(db);
    const result = await work();
    const after = await traces(db);
    if (!isDeepStrictEqual(after, before))
      assert.deepEqual(after, before, `a refused request had an effect: ${JSON.stringify(result)?.slice(0, 500)}`);
    return result;
  }

  return { statusesOf, expectNothingHappened };
}

async function traces(db: Db): Promise<unknown> {
  const [row] = await db.query(sql`
    select (select count(*) from events where cause <> 'history_read') as events, (select count(*) from messages) as messages,
      (select count(*) from deliveries) as deliveries, (select count(*) from attempts) as attempts,
      (select count(*) from verifications) as verifications, (select count(*) from verification_messages) as joined,
      (select coalesce(sum(version), 0) from targets) as targets, (select count(*) from handset_messages) as handset,
      (select count(*) from handset_receipts) as receipts, (select count(*) from handset_scripts) as scripts,
      (select coalesce(sum(version), 0) from callback_endpoints) as endpoints, (select count(*) from callback_queue where status <> 'msg_history') as queued,
      (select count(*) from callback_attempts) as posts, (select count(*) from templates) as templates,
      (select count(*) from template_revisions) as revisions, (select count(*) from api_keys) as keys,
      (select md5(coalesce(string_agg(name || policy::text || network, ',' order by id), '')) from applications) as applications,
      (select count(*) from opt_outs) as opt_outs, (select count(*) from list_entries) as list_entries, (select count(*) from uplinks) as uplinks,
      (select count(*) from organizations) as organizations,
      (select md5(coalesce(string_agg(b::text, ',' order by organization_id), '')) from balances b) as balances,
      (select count(*) from balance_reservations) as reservations, (select count(*) from budget_uses) as budget_uses,
      (select md5(coalesce(string_agg(g::text, ',' order by id), '')) from budgets g) as budgets,
      (select coalesce(sum(version), 0) from providers) as providers, (select coalesce(sum(version), 0) from routes) as routes,
      (select version from price_book) as prices,
      (select count(*) from alert_rules) as alert_rules, (select max(updated_at) from alert_rules) as alert_rules_changed,
      (select count(*) from fraud_rule_sets) as fraud_rule_sets, (select changes from fraud_state) as fraud_changes,
      (select count(*) from alerts) as alerts, (select count(*) from alert_messages) as alert_messages,
      (select count(*) || ' ' || coalesce(sum(version), 0) from presend_hooks) as presend_hooks,
      (select count(*) from idempotency_keys) as stored`);
  return row;
}

function createCodes(app: App, call: (request: TestCall) => Promise<TestReply>) {
  /** Sends a code and resolves with its id and the code from the handset. */
  async function sendCode(
    to: string,
    template: Record<string, unknown> = { id: 'login' },
    more: Record<string, unknown> = {},
  ) {
    const sent = await call({ path: '/v1/messages', body: { to, template, ...more } });
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    await app.delivery.runUntilIdle();
    const inbox = await call({ path: `/v1/sandbox/messages?to=${encodeURIComponent(to)}&limit=1` });
    const [message] = inbox.body.messages;
    return {
      messageId: sent.body.message_id as string,
      code: String(message?.code ?? ''),
      text: String(message?.text ?? ''),
    };
  }

  const verify = (messageId: string, code: string, more: Record<string, unknown> = {}): Promise<TestReply> =>
    call({ path: '/v1/verifications', body: { message_id: messageId, verify_code: code, ...more } });

  return { sendCode, verify };
}

/** Declares the same tests once per engine, each over an app of its own. `get()` may be called inside tests and hooks. */
export function onEachApp(
  title: string,
  declare: (get: () => TestApp & { database: TestDatabase }) => void,
  options: TestAppOptions = {},
): void {
  for (const kind of engines) {
    describe(`${title} (${kind})`, () => {
      let opened: (TestApp & { database: TestDatabase }) | undefined;
      before(async () => {
        const database = await openTestDatabase(kind);
        opened = { ...(await openTestApp(database, options)), database };
      });
      after(async () => {
        await opened?.close();
        await opened?.database.close();
      });
      declare(() => {
        if (!opened) throw new Error('the app is opened in a before hook');
        return opened;
      });
    });
  }
}
