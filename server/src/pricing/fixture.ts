/** For the tests of this room: the whole app with carriers that take everything, and words for prices, routes and sends. */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { z } from 'zod';
import type { Adapter, OutgoingMessage, Receipt, SendOutcome } from '../channels/index.ts';
import { openTestApp, type TestApp, type TestReply } from '../testing/app.ts';
import { bodyOf, openApplication, type TestApplication } from '../testing/application.ts';
import { engines, openTestDatabase, type TestDatabase } from '../testing/database.ts';

/** What carriers were handed, and what they answer. */
export interface World {
  handed: OutgoingMessage[];
  answer(message: OutgoingMessage): SendOutcome | Promise<SendOutcome>;
}

export const accepts = ({ reference }: OutgoingMessage): SendOutcome => ({ kind: 'accepted', upstreamId: reference });

const carrierOf = (world: World): Adapter => ({
  id: 'carrier',
  title: 'Carrier of tests',
  channels: ['sms', 'voice', 'whatsapp', 'email'],
  settings: z.object({}),
  limits: { maxConcurrency: 100, idempotent: false },
  open: () => ({
    async send(message) {
      world.handed.push(message);
      return world.answer(message);
    },
    close: async () => undefined,
  }),
});

/** Of two parts, whatever the code. */
const long = `${'x'.repeat(150)} {{code}} ${'y'.repeat(20)}`;
const ownText = {
  template_type: 2,
  template_custom_config: { custom_sub_type: 'authentication', custom_content: long },
};

export type Scene = Awaited<ReturnType<typeof openScene>>;

async function openScene(database: TestDatabase) {
  const world: World = { handed: [], answer: accepts };
  const openNode = (): Promise<TestApp> => openTestApp(database, { adapters: [carrierOf(world)] });
  const box = await openNode();
  const operate = async (path: string, body: object) => bodyOf(await box.operator({ path: `/admin/v1/${path}`, body }));
  for (const id of ['carrier-a', 'carrier-b'])
    await operate('providers', { id, adapter: 'carrier', title: id, settings: {} });
  /** At 1000 micros by its entry. */
  const route = async (channel: string, providers: readonly string[], more: object = {}): Promise<void> => {
    const entries = providers.map((provider, i) => ({ provider, priority: i + 1, price_micros: 1000 }));
    await operate('routes', { channel, entries, ...more });
  };
  for (const channel of ['sms', 'voice', 'whatsapp', 'email']) await route(channel, ['carrier-a', 'carrier-b']);

  const newApplication = (network: 'live' | 'virtual' = 'live'): Promise<TestApplication> =>
    openApplication(box, {
      network,
      templates: [
        {},
        { template_id: 'long', sms_config: ownText },
        { template_id: 'voice', send_channel_strategy: 'voice' },
        { template_id: 'mail', send_channel_strategy: 'email' },
        { template_id: 'chain', send_channel_strategy: 'voice|sms' },
      ],
    });

  /** Sends, hands over, and reads what it cost: of the message, as called back at `sent`, of each attempt. */
  async function costOf(application: TestApplication, to: string, template = 'login', node: TestApp = box) {
    const { message_id: id } = bodyOf(await application.send(to, { template: { id: template } }));
    await node.app.delivery.runUntilIdle();
    return { id: String(id), micros: micros((await application.story(id)).cost.amount) };
  }

  return {
    box,
    database,
    world,
    openNode,
    route,
    newApplication,
    costOf,
    prices: async (body: object) => bodyOf(await setPrice(body)),
    setPrice,
    importCsv: (csv: string, more: object = {}): Promise<TestReply> =>
      box.operator({ path: '/admin/v1/price-list', body: { csv, ...more } }),
    exportCsv: async (): Promise<string> => bodyOf(await box.operator({ path: '/admin/v1/price-list' })),
    /** What the carrier says of the newest hand-over, or one before it; false where it took none. */
    async report(outcome: Receipt['outcome'], back = 1): Promise<boolean> {
      const receipt = { upstreamId: world.handed.at(-back)?.reference ?? '', outcome };
      const { receive } = box.app.delivery;
      return (await receive('carrier-a', receipt)) || receive('carrier-b', receipt);
    },
    lookUp: async (query: Record<string, string>) =>
      bodyOf(await box.operator({ path: `/admin/v1/price-lookup?${new URLSearchParams(query)}` })),
    /** Nothing is priced any more. */
    async clear(): Promise<void> {
      const csv = 'provider,channel,country,price';
      bodyOf(await box.operator({ path: '/admin/v1/price-list', body: { csv, mode: 'replace' } }));
    },
  };

  function setPrice(body: object): Promise<TestReply> {
    return box.operator({ path: '/admin/v1/prices', body: { channel: 'sms', ...body } });
  }
}

function micros(amount: number): number {
  const whole = Math.round(amount * 1_000_000);
  assert.equal(whole / 1_000_000, amount);
  return whole;
}

/** Declares the same tests once per engine. */
export function onEachScene(title: string, declare: (get: () => Scene) => void): void {
  for (const kind of engines) {
    describe(`${title} (${kind})`, () => {
      let scene: Scene | undefined;
      before(async () => {
        scene = await openScene(await openTestDatabase(kind));
      });
      after(async () => {
        await scene?.box.close();
        await scene?.database.close();
      });
      declare(() => {
        if (!scene) throw new Error('the scene is opened in a before hook');
        return scene;
      });
    });
  }
}
