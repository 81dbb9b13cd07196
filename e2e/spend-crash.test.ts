/**
 * Money under crashes: two nodes over one database, two applications of one prepaid organization, and random top-ups, sends, cancels,
 * resends, next channels and refunds, while nodes are killed. E2E_SPEND_OPERATIONS sets how many operations, E2E_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { sql } from '../server/src/platform/sql.ts';
import { assertAddsUp, assertChargedOnce } from '../server/src/testing/sums.ts';
import { until } from '../server/src/testing/until.ts';
import { type Client, keyClient, newRecipient, operatorClient, type Reply } from './client.ts';
import type { ServerProcess } from './server-process.ts';
import { openSite, type Site } from './site.ts';

const operations = Number(process.env['E2E_SPEND_OPERATIONS'] ?? 1_500);
const seed = Number(process.env['E2E_SEED'] ?? Date.now() % 1_000_000);
const kills = Number(process.env['E2E_KILLS'] ?? 4);
const connections = 24;
const prices = { sms: 41_200, voice: 90_000 };
const env = { OUTBOUND_ALLOW: '127.0.0.0/8' };

/** By the end of the number: refuses, fails without a word of what became of it, or takes the message. */
async function openCarrier(t: TestContext): Promise<string> {
  let taken = 0;
  const server = createServer(async (request, response) => {
    const { to } = (await json(request)) as { to: string };
    if (to.endsWith('7') || (to.endsWith('75') && request.url === '/voice')) response.writeHead(422).end();
    else if (to.endsWith('9')) response.writeHead(503).end();
    else response.writeHead(202).end(JSON.stringify({ id: `id-${++taken}` }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ok = async (reply: Promise<Reply>) => {
  const { status, body } = await reply;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

interface Shop {
  organization: string;
  applications: { id: string; key: string; secret: string }[];
}

/** The carrier's lines with their prices, an organization that pays beforehand, and its two applications. */
async function openShop(address: string, carrier: string): Promise<Shop> {
  const operator = operatorClient(address);
  const post = (path: string, body: object) => ok(operator.call('POST', `/admin/v1/${path}`, { body }));
  for (const [channel, price] of Object.entries(prices)) {
    const settings = {
      url: `${carrier}/${channel}`,
      auth: { type: 'none' },
      body: { type: 'json', template: '{"to":"{{to}}","text":"{{text}}"}' },
      id: { pointer: '/id' },
      answers: [{ status: '422', outcome: { reason: 'unreachable', temporary: false } }],
    };
    const circuit = { min_calls: 10_000, error_ratio: 1 };
    await post('providers', { id: channel, adapter: `${channel}-http`, title: channel, settings, circuit });
    await post('routes', { channel, entries: [{ provider: channel, priority: 1, price_micros: price }] });
  }
  const { id: organization } = await post('organizations', { name: 'Pays beforehand' });
  const path = `/admin/v1/organizations/${organization}/balance`;
  await ok(operator.call('PATCH', path, { body: { mode: 'prepaid' } }));
  return {
    organization,
    applications: [await openApplication(post, organization), await openApplication(post, organization)],
  };

  async function openApplication(make: typeof post, owner: string): Promise<Shop['applications'][number]> {
    const policy = {
      template_review: 'auto',
      request_rate: 10_000_000,
      limits: [],
      resend_policy: { mode: 'reuse', resend_after: 0, max_sends: 1000 },
      fallback_wait_seconds: { sms: 5, voice: 5 },
    };
    const application = await make(`organizations/${owner}/applications`, { name: 'Shop', network: 'live', policy });
    const key = await make(`applications/${application.id}/api-keys`, {});
    await make(`applications/${application.id}/budgets`, { scope: 'all', period: 'month', cap_micros: 9_000_000_000 });
    const builtIn = { template_type: 1, template_default_config: {} };
    const template = {
      template_id: 'login',
      send_channel_strategy: 'sms|voice',
      brand_name: 'Acme',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 1 },
      sms_config: builtIn,
      voice_config: builtIn,
    };
    const client = keyClient(address, key.dev_key, key.dev_secret);
    await ok(client.call('POST', '/v1/template-configs', { body: template }));
    return { id: application.id, key: key.dev_key, secret: key.dev_secret };
  }
}

/** Numbers from 0 to 1 that a seed repeats. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Tally {
  done: number;
  paid: number;
  answers: Map<string, number>;
  recent: { id: string; client: (address: string) => Client }[];
}

/** One operation after the other on whichever node is up. What breaks off is nobody's promise, but a top-up is asked until it is answered. */
async function operate(shop: Shop, addresses: () => string[], random: () => number, tally: Tally): Promise<void> {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const balance = `/admin/v1/organizations/${shop.organization}/balance`;
  const note = (what: string, { status, body }: Reply): void => {
    const answer = `${what} ${status}${body.reason ? ` ${body.reason}` : ''}`;
    tally.answers.set(answer, (tally.answers.get(answer) ?? 0) + 1);
    assert.ok(
      status === 200 || status === 503 || body.code === 3003 || body.code === 3004,
      `${answer} ${JSON.stringify(body)}`,
    );
  };
  const calls: [number, string, () => Promise<Reply | null>][] = [
    [0.72, 'send', send],
    [0.8, 'cancel', () => act('cancel')],
    [0.84, 'resend', () => act('resend')],
    [0.88, 'next-channel', () => act('next-channel')],
    [0.92, 'refund', refund],
    [1, 'top-up', topUp],
  ];
  const address = (): string => pick(addresses()) ?? '';

  async function send(): Promise<Reply> {
    const app = pick(shop.applications);
    const client = (at: string): Client => keyClient(at, app?.key, app?.secret);
    const body = { to: newRecipient(), template: { id: 'login' } };
    const reply = await client(address()).call('POST', '/v1/messages', { body });
    if (reply.status === 200) tally.recent.push({ id: reply.body.message_id, client });
    if (tally.recent.length > 500) tally.recent.shift();
    return reply;
  }

  async function act(action: string): Promise<Reply | null> {
    const message = pick(tally.recent);
    return message?.client(address()).call('POST', `/v1/messages/${message.id}/${action}`, { body: {} }) ?? null;
  }

  async function refund(): Promise<Reply | null> {
    const { body } = await operatorClient(address()).call('GET', `${balance}/entries?limit=100`);
    const charge = pick<{ id: string; kind: string }>(body.entries ?? []);
    if (charge?.kind !== 'charge') return null;
    return operatorClient(address()).call('POST', `${balance}/refunds`, { body: { charge_id: charge.id } });
  }

  async function topUp(): Promise<Reply> {
    const amount = 1 + Math.floor(random() * 1_500_000);
    const body = { amount, key: `${seed}-${Math.floor(random() * 2 ** 52)}` };
    for (;;) {
      const reply = await operatorClient(address())
        .call('POST', `${balance}/top-ups`, { body })
        .catch(() => null);
      if (reply?.status !== 200) continue;
      tally.paid += amount;
      return reply;
    }
  }

  while (tally.done++ < operations) {
    const chance = random();
    const [, what, call] = calls.find(([below]) => chance < below) ?? calls[0]!;
    const reply = await call().catch((error: unknown) => {
      if (error instanceof assert.AssertionError) throw error;
      return null;
    });
    if (reply) note(what, reply);
  }
}

/** Kills a node and starts it again, so many times while the operations go on. */
async function crash(site: Site, nodes: ServerProcess[], tally: Tally, failed: () => boolean): Promise<void> {
  for (let kill = 1; kill <= kills; kill++) {
    const at = (operations * kill) / (kills + 1);
    await until(`operation ${at}`, () => tally.done >= at || failed(), 1_200_000);
    const index = kill % nodes.length;
    await nodes[index]?.kill();
    await site.withDb((db) => assertAddsUp(db));
    nodes[index] = await site.start(env);
  }
}

test(`balance, reservations, budgets and charges add up after ${operations} random operations and ${kills} kills`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const site = await openSite(t, 'postgres');
  const nodes = [await site.start(env), await site.start(env)];
  const shop = await openShop(nodes[0]?.address ?? '', await openCarrier(t));
  const tally: Tally = { done: 0, paid: 0, answers: new Map(), recent: [] };
  const random = randomFrom(seed);
  const up = (): string[] => nodes.filter((node) => node.isRunning()).map(({ address }) => address);
  const startedAt = performance.now();
  let failed = false;
  const working = Promise.all(Array.from({ length: connections }, () => operate(shop, up, random, tally)));
  working.catch(() => {
    failed = true;
  });
  await crash(site, nodes, tally, () => failed);
  await working;
  const seconds = (performance.now() - startedAt) / 1000;

  await site.withDb(async (db) => {
    await until(
      'everything has come to its end',
      async () => {
        const [left] = await db.query<{ open: number }>(
          sql`select count(*)::integer as open from deliveries where in_flight or plan ? 'active' or due_at < now() + interval '1 day'`,
        );
        if (left?.open !== 0) throw new Error(`${left?.open} deliveries are under way`);
        return true;
      },
      180_000,
    );
    await assertAddsUp(db);
    const charges = await assertChargedOnce(db);
    const [totals] = await db.query<Record<string, string>>(sql`
      select b.balance_micros as balance, b.reserved_micros as reserved,
        (select sum(amount_micros) from balance_entries where kind = 'top_up') as paid,
        (select count(*) from balance_entries where kind = 'refund') as refunds,
        (select count(*) from balance_reservations) as reservations, (select count(*) from messages) as messages,
        (select count(*) from budget_uses where open_micros > 0) as open
      from balances b`);
    assert.equal(totals?.['reserved'], '0');
    assert.equal(totals['reservations'], '0');
    assert.equal(totals['open'], '0');
    assert.equal(totals['paid'], String(tally.paid), 'every top-up is there once');
    assert.ok(Number(totals['messages']) > operations / 4, 'most sends are accepted');
    assert.ok(charges > operations / 4);
    t.diagnostic(
      `${operations} operations in ${seconds.toFixed(1)} s, ${kills} kills; ${JSON.stringify(totals)}, ${charges} charges; ` +
        JSON.stringify(Object.fromEntries([...tally.answers].sort())),
    );
  });
  for (const node of nodes) assert.equal(await node.stop(), 0);
});
