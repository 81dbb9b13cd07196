/**
 * Killed between the carrier's acceptance and our commit: nobody knows whether the message went out. The attempt is unknown, goes on by
 * the next provider with the same code, and never again by the one that may have sent it. The providers come from a file.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../server/src/testing/until.ts';
import { type Client, keyClient, operatorClient } from './client.ts';
import { openSite, temporaryDirectory } from './site.ts';

interface Taken {
  carrier: string;
  text: string;
  ref: string;
  status: string;
}

/** Two carriers in one server; the first takes a message and never answers. */
async function openCarriers(t: TestContext): Promise<{ url: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Omit<Taken, 'carrier'>;
    const carrier = request.url ?? '';
    taken.push({ carrier, ...body });
    if (carrier === '/second') response.writeHead(202).end(JSON.stringify({ id: `id-${taken.length}` }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

function providersFile(t: TestContext, url: string): string {
  const settings = (path: string) => ({
    url: url + path,
    auth: { type: 'bearer', token: { env: 'CARRIER_TOKEN' } },
    body: {
      type: 'json',
      template: '{"to":"{{to}}","text":"{{text}}","ref":"{{reference}}","status":"{{status_url}}"}',
    },
    id: { pointer: '/id' },
    receipts: { format: 'json', id: '/id', reference: '/ref', status: '/state', delivered: ['DELIVERED'] },
  });
  const provider = (id: string) => ({ id, adapter: 'sms-http', title: id, settings: settings(`/${id}`) });
  const entries = ['first', 'second'].map((id, i) => ({ provider: id, priority: i + 1, price_micros: 41_200 }));
  const file = join(temporaryDirectory(t), 'providers.json');
  const content = { providers: [provider('first'), provider('second')], routes: [{ channel: 'sms', entries }] };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const ok = async (reply: ReturnType<Client['call']>) => {
  const { status, body } = await reply;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

/** An application on live providers, with a template; a client with its key. */
async function liveApplication(address: string): Promise<(address: string) => Client> {
  const operator = operatorClient(address);
  const post = (path: string, body: object) => ok(operator.call('POST', `/admin/v1/${path}`, { body }));
  const organization = await post('organizations', { name: 'E2E' });
  const policy = { template_review: 'auto', limits: [] };
  const application = await post(`organizations/${organization.id}/applications`, {
    name: 'E2E',
    network: 'live',
    policy,
  });
  const key = await post(`applications/${application.id}/api-keys`, {});
  const client = (at: string): Client => keyClient(at, key.dev_key, key.dev_secret);
  const template = {
    template_id: 'login',
    send_channel_strategy: 'sms',
    brand_name: 'Acme',
    verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
    sms_config: { template_type: 1, template_default_config: {} },
  };
  await ok(client(address).call('POST', '/v1/template-configs', { body: template }));
  return client;
}

const codeIn = (text: string | undefined): string => /\d{6}/.exec(text ?? '')?.[0] ?? '';

describe('a crash while the carrier answers', { concurrency: true }, () => {
  for (const kind of ['pglite', 'postgres'] as const) {
    test(`leaves an unknown attempt that goes on by the next provider, once, with the same code (${kind})`, async (t) => {
      const carriers = await openCarriers(t);
      const site = await openSite(t, kind);
      const env = {
        PROVIDERS_FILE: providersFile(t, carriers.url),
        CARRIER_TOKEN: 'token-of-the-carrier',
        OUTBOUND_ALLOW: '127.0.0.0/8',
      };
      let server = await site.start(env);
      const clientAt = await liveApplication(server.address);
      const body = { to: '+6591234567', template: { id: 'login' } };
      const { message_id: id } = await ok(clientAt(server.address).call('POST', '/v1/messages', { body }));
      await until('the carrier took it', () => carriers.taken.length === 1);
      await server.kill();

      server = await site.start(env);
      const client = clientAt(server.address);
      await until('the next provider got it', () => carriers.taken.length > 1, 40_000);
      const story = await until('both are in the story', async () => {
        const now = await ok(client.call('GET', `/v1/messages/${id}`));
        return now.attempts.length === 2 && now;
      });
      const attempts: { provider: string; outcome: string }[] = story.attempts;
      assert.deepEqual(
        attempts.map(({ provider, outcome }) => [provider, outcome]),
        [
          ['first', 'unknown'],
          ['second', 'accepted'],
        ],
      );
      const [first, second, ...more] = carriers.taken;
      assert.deepEqual(more, []);
      assert.equal(codeIn(second?.text), codeIn(first?.text), 'the same code');

      // The first had sent it: its receipt finds the attempt by our reference, although its id was never seen.
      const report = { id: 'never-seen', ref: first?.ref, state: 'DELIVERED' };
      const status = (first?.status ?? '').replace(/^https?:\/\/[^/]+/, server.address);
      const answer = await fetch(status, {
        method: 'POST',
        body: JSON.stringify(report),
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(answer.status, 200);
      const after = await ok(client.call('GET', `/v1/messages/${id}`));
      assert.equal(after.state, 'delivered');
      const check = { message_id: id, verify_code: codeIn(first?.text) };
      assert.equal((await ok(client.call('POST', '/v1/verifications', { body: check }))).verified, true);
      assert.ok(!`${server.stdout()}${server.stderr()}`.includes('token-of-the-carrier'));
    });
  }
});
