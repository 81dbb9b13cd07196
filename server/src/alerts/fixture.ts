/** For the tests of this room: the whole app with a Telegram and a mail relay at 127.0.0.1 to tell, and words for what tests do. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { type LedgerEntry, listEvents, rowOf } from '../events/index.ts';
import { openTestApp, type TestApp, type TestReply } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication, wrongFor } from '../testing/application.ts';
import { engines, openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import type { Balance, FailingEndpoint } from './index.ts';

export const botToken = '123456789:AAF-the-token-of-the-bot_42';
export const chatId = '-1001234567890';

export interface Telegram {
  url: string;
  /** What was posted to it. */
  posted: { token: string; chat_id: string; text: string }[];
  /** Answers of the next requests, in order; then it accepts. */
  answers: { status: number; body?: object | string; headers?: Record<string, string> }[];
  /** Called with each request before it is answered; what it returns is awaited. */
  onPost: (() => Promise<void>) | null;
  close(): Promise<void>;
}

/** The Bot API as far as one method of it. */
async function openTelegram(): Promise<Telegram> {
  const telegram: Telegram = { url: '', posted: [], answers: [], onPost: null, close };
  const server = createServer(async (request, response) => {
    const [, token = ''] = /^\/bot([^/]+)\/sendMessage$/.exec(request.url ?? '') ?? [];
    const sent = JSON.parse(await text(request)) as { chat_id: string; text: string };
    telegram.posted.push({ token, ...sent });
    await telegram.onPost?.();
    const { status, body, headers } = telegram.answers.shift() ?? { status: 200, body: { ok: true, result: {} } };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? { ok: false }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  telegram.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return telegram;
}

export interface MailServer {
  port: number;
  taken: { to: string; raw: Buffer }[];
  close(): Promise<void>;
}

/** Takes all mail but that for `gone@…`. */
export async function openMailServer(): Promise<MailServer> {
  const taken: MailServer['taken'] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    onRcptTo({ address }, _session, done) {
      const gone = Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 });
      done(address.startsWith('gone@') ? gone : null);
    },
    onData(stream, { envelope }, done) {
      buffer(stream).then((raw) => {
        taken.push({ to: envelope.rcptTo[0]?.address ?? '', raw });
        done(null);
      }, done);
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return { port, taken, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

export interface Scene extends TestApp {
  database: TestDatabase;
  telegram: Telegram;
  /** What the wiring says of balances and endpoints. */
  world: { balance: Balance | null; endpoints: FailingEndpoint[] };
  /** Everything logged so far. */
  logged(): string;
  /** Another app over the same database, as another node or after a restart. */
  anotherNode(): Promise<TestApp>;
  makeRule(body: object): Promise<Rule>;
  ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<TestReply>;
  /** A rule whose balance is too low from the next round on. */
  makeLow(notify: object): Promise<{ app: TestApplication; rule: Rule }>;
  dropRule(rule: Rule): Promise<void>;
  messagesOf(rule: Rule): Promise<AlertMessage[]>;
  /** An e-mail provider for a server at this port; its id. */
  mailProvider(port: number, more?: object): Promise<string>;
  /** What customers are called back with. */
  rowsOf(applicationId: string): Promise<{ event: string; notification_data: Record<string, unknown> }[]>;
  /** Lets time pass and judges; resolves with how many alerts began or ended. */
  round(seconds?: number): Promise<number>;
  alerts(rule: Rule): Promise<Alert[]>;
  /** Events that belong to no message, with a status, of alerts. */
  notices(applicationId: string): Promise<LedgerEntry[]>;
  /** Events of what the operator did with rules. */
  managed(applicationId: string): Promise<LedgerEntry[]>;
  /** Sends codes and ends each, verified or exhausted. */
  endCodes(application: TestApplication, counts: { verified?: number; failed?: number }): Promise<void>;
}

export interface Rule {
  id: string;
  [field: string]: unknown;
}

interface AlertMessage {
  about: string;
  way: string;
  to: string;
  state: string;
  tries: number;
  last_error: string | null;
}

export interface Alert {
  id: string;
  kind: string;
  subject: string | null;
  state: 'raised' | 'ended';
  value: number;
  threshold: number;
  text: string;
  messages: AlertMessage[];
  [field: string]: unknown;
}

export const telegramTo = { callback: false, telegram: { bot_token: botToken, chat_id: chatId } };

async function openScene(kind: 'pglite' | 'postgres'): Promise<Scene & { end(): Promise<void> }> {
  const database = await openTestDatabase(kind);
  const telegram = await openTelegram();
  const world: Scene['world'] = { balance: null, endpoints: [] };
  const lines: string[] = [];
  const nodes: TestApp[] = [];
  const anotherNode = async (): Promise<TestApp> => {
    const node = await openTestApp(database, {
      env: { OUTBOUND_ALLOW: '127.0.0.0/8', TELEGRAM_API_URL: telegram.url },
      logTo: { write: (line: string) => void lines.push(line) },
      watched: { balance: async () => world.balance, failingEndpoints: async () => world.endpoints },
    });
    nodes.push(node);
    return node;
  };
  const box = await anotherNode();
  return {
    ...box,
    ...createWords(box, database, world),
    database,
    telegram,
    world,
    anotherNode,
    logged: () => lines.join(''),
    async end() {
      for (const node of nodes) await node.close();
      await telegram.close();
      await database.close();
    },
  };
}

type Words = Omit<Scene, keyof TestApp | 'database' | 'telegram' | 'world' | 'logged' | 'anotherNode'>;

/** What tests do and ask again and again. */
function createWords(box: TestApp, database: TestDatabase, world: Scene['world']): Words {
  const eventsOf = (id: string): Promise<LedgerEntry[]> => listEvents(database.db, id, '0');
  let servers = 0;
  const words: Words = {
    ask: (method, path, body) => box.operator({ method, path: `/admin/v1/${path}`, body }),
    makeRule: async (body) => bodyOf(await words.ask('POST', 'alert-rules', body)),
    async makeLow(notify) {
      const app = await openApplication(box, { templates: [] });
      world.balance = { micros: 1_000_000, currency: 'EUR' };
      const rule = { kind: 'balance', application_id: app.id, threshold: 2, notify };
      return { app, rule: await words.makeRule(rule) };
    },
    dropRule: async ({ id }) => void bodyOf(await words.ask('DELETE', `alert-rules/${id}`)),
    messagesOf: async (rule) => (await words.alerts(rule)).flatMap(({ messages }) => messages),
    async mailProvider(port, more = {}) {
      const id = `mail-${++servers}`;
      const settings = { host: '127.0.0.1', port, security: 'none', from: 'codes@example.com' };
      bodyOf(await words.ask('POST', 'providers', { id, adapter: 'email-smtp', title: 'Relay', settings, ...more }));
      return id;
    },
    async round(seconds = 15) {
      await database.clock.travel(seconds * 1000);
      await untilLedgerIsSettled(database.db);
      return box.app.alerts.round();
    },
    alerts: async ({ id }) => bodyOf(await words.ask('GET', `alerts?rule_id=${id}&limit=100`)).alerts,
    notices: async (id) => (await eventsOf(id)).filter(({ cause }) => /^alert_(raised|ended)$/.test(cause)),
    managed: async (id) => (await eventsOf(id)).filter(({ cause }) => cause === 'alert_managed'),
    rowsOf: async (id) =>
      (await words.notices(id)).map((entry) => {
        const row = entry.status === undefined ? null : rowOf({ ...entry, status: entry.status }, null);
        return row?.['notification'] as { event: string; notification_data: Record<string, unknown> };
      }),
    async endCodes(application, { verified = 0, failed = 0 }) {
      for (let i = 0; i < verified + failed; i++) {
        const { messageId, code } = await application.sendCode(newNumber());
        const { body } = await application.verify(messageId, i < verified ? code : wrongFor(code));
        assert.equal(body.verified, i < verified);
      }
    },
  };
  return words;
}

/** An application in which one wrong code ends a verification. */
export const openStrict = (scene: Scene): Promise<TestApplication> =>
  openApplication(scene, { policy: { max_attempts: 1, target_attempts: 100 } });

/** Declares the same tests once per engine, each over a scene of its own. */
export function onEachScene(title: string, declare: (get: () => Scene) => void): void {
  for (const kind of engines) {
    describe(`${title} (${kind})`, () => {
      let scene: Awaited<ReturnType<typeof openScene>> | undefined;
      before(async () => {
        scene = await openScene(kind);
      });
      after(() => scene?.end());
      declare(() => {
        assert.ok(scene, 'the scene is opened in a before hook');
        return scene;
      });
    });
  }
}
