/**
 * The whole product with providers at emulated vendors: real HTTP both ways, a real database, time that tests move. What is asserted
 * is what a customer sees (answers, story) and what arrived at the vendor.
 */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { AttemptStory } from '../../messages/index.ts';
import { openTestApp, type TestApp } from '../../testing/app.ts';
import { bodyOf, openApplication, type TestApplication } from '../../testing/application.ts';
import { openTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { until } from '../../testing/until.ts';

export interface Whole extends AsyncDisposable {
  box: TestApp;
  database: TestDatabase;
  application: TestApplication;
  /** Everything logged so far. */
  logged(): string;
  /** Makes a provider; resolves with its webhook address. */
  provider(id: string, adapter: string, settings: object, more?: object): Promise<string>;
  /** Makes a route of a channel through these providers, in this order; the default one unless its reach says otherwise. */
  route(channel: string, providers: readonly string[], entry?: object, reach?: object): Promise<void>;
  /** Moves time and does what falls due. */
  pass(seconds: number): Promise<void>;
  send(to: string, template?: string, more?: object): Promise<string>;
  story(messageId: string): Promise<Story>;
  /** For what comes by another way than HTTP: the story once it has this state. */
  settledStory(messageId: string, state: string): Promise<Story>;
}

export interface Story {
  state: string;
  send_channel: string;
  cost: { amount: number; currency: string };
  verification: { state: string } | null;
  steps: { channel: string; state: string; error_code?: number }[];
  attempts: AttemptStory[];
  timeline: { cause: string; event: string | null }[];
  explanation: { cause: string; next_step: string };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function openWhole(
  engine: 'pglite' | 'postgres',
  templates: readonly Record<string, unknown>[],
): Promise<Whole> {
  const database = await openTestDatabase(engine);
  const port = await freePort();
  const lines: string[] = [];
  const env = { PUBLIC_URL: `http://127.0.0.1:${port}`, OUTBOUND_ALLOW: '127.0.0.0/8' };
  const box = await openTestApp(database, { env, logTo: { write: (line: string) => void lines.push(line) } });
  await box.app.frontDoor.listen('127.0.0.1', port);
  const operate = async (path: string, body: object) => bodyOf(await box.operator({ path: `/admin/v1/${path}`, body }));
  let application: TestApplication | undefined;
  const whole: Whole = {
    box,
    database,
    get application() {
      assert.ok(application);
      return application;
    },
    logged: () => lines.join(''),
    async provider(id, adapter, settings, more = {}) {
      const made = await operate('providers', { id, adapter, title: id, settings, ...more });
      return made.webhook_url;
    },
    async route(channel, providers, entry = {}, reach = {}) {
      const entries = providers.map((provider, i) => ({ provider, priority: i + 1, price_micros: 41_200, ...entry }));
      await operate('routes', { channel, entries, ...reach });
    },
    async pass(seconds) {
      await database.clock.travel(seconds * 1000);
      await box.settle();
    },
    async send(to, template = 'login', more = {}) {
      const sent = bodyOf(await whole.application.send(to, { template: { id: template }, ...more }));
      await box.app.delivery.runUntilIdle();
      return sent.message_id;
    },
    story: async (messageId) => bodyOf(await whole.application.call({ path: `/v1/messages/${messageId}` })) as Story,
    settledStory: (messageId, state) =>
      until(`the message is ${state}`, async () => {
        const story = await whole.story(messageId);
        return story.state === state && story;
      }),
    async [Symbol.asyncDispose]() {
      await box.close();
      await database.close();
    },
  };
  application = await openApplication(box, { network: 'live', templates });
  return whole;
}
