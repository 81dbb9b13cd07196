import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { createOutbound } from '../platform/outbound.ts';
import { raw } from '../platform/sql.ts';
import { callbackId, webhookSignature } from '../platform/webhook-signature.ts';
import { onEachEngine } from '../testing/database.ts';
import { never, newApplication, openSandbox } from './fixture.ts';

const login = { username: 'sandbox_demo', secret: 'sandbox_webhook_secret' };

interface Probe {
  headers: IncomingHttpHeaders;
  body: string;
}

onEachEngine('the sandbox webhook', (get) => {
  /** A receiver that answers `status`, beside a sandbox that may reach it. */
  async function within(
    status: number,
    work: (tools: Awaited<ReturnType<typeof openSandbox>> & { url: string; probes: Probe[] }) => Promise<void>,
  ): Promise<void> {
    const probes: Probe[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        probes.push({ headers: request.headers, body });
        response.writeHead(status, { location: '/elsewhere' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const outbound = createOutbound({ allow: ['127.0.0.1'] });
    const fixture = await openSandbox(get(), { outbound });
    try {
      await work({ ...fixture, url: `http://127.0.0.1:${port}/hook`, probes });
    } finally {
      await fixture.close();
      await outbound.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test('is probed with an empty object, signed both ways, and saved with its secrets sealed', () =>
    within(204, async ({ sandbox, url, probes }) => {
      const applicationId = newApplication();
      const saved = await sandbox.setWebhook(applicationId, { url, ...login, authorization: 'Bearer t0k3n' }, never());
      assert.equal(saved.reachable, true);
      assert.match(saved.signingSecret, /^whsec_[A-Za-z0-9+/]{43}=$/);
      assert.equal(probes.length, 1);
      const { headers, body } = probes[0] ?? { headers: {}, body: '' };
      assert.equal(body, '{}');
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['user-agent'], 'otp-callback/1');
      assert.equal(headers['authorization'], 'Bearer t0k3n');
      const [, timestamp, nonce] =
        /^timestamp=(\d+);nonce=([0-9a-f]{16,32});/.exec(String(headers['x-callback-id'])) ?? [];
      assert.equal(
        headers['x-callback-id'],
        callbackId({ ...login, timestamp: Number(timestamp), nonce: nonce ?? '' }),
      );
      assert.ok(Math.abs(Number(timestamp) - get().clock.now() / 1_000) < 30);
      const id = String(headers['webhook-id']);
      assert.match(id, /^evt_[0-9]{19}$/);
      assert.equal(
        headers['webhook-signature'],
        webhookSignature([saved.signingSecret], id, Number(headers['webhook-timestamp']), '{}'),
      );
      assert.deepEqual(await sandbox.findWebhook(applicationId), saved);
      const rows = await get().db.query<{ row: string }>(
        raw(`select sandbox_webhooks::text as row from sandbox_webhooks where application_id = ${applicationId}`),
      );
      for (const secret of [login.secret, saved.signingSecret, 'Bearer t0k3n'])
        for (const form of [secret, Buffer.from(secret).toString('hex')]) assert.ok(!rows[0]?.row.includes(form));
    }));

  for (const status of [500, 302, 404]) {
    test(`that answers the probe with ${status} is saved as unreachable`, () =>
      within(status, async ({ sandbox, url, probes }) => {
        const applicationId = newApplication();
        assert.equal((await sandbox.setWebhook(applicationId, { url, ...login }, never())).reachable, false);
        assert.equal(probes.length, 1);
        assert.equal((await sandbox.findWebhook(applicationId))?.reachable, false);
      }));
  }

  test('the last one set wins, each with a signing secret of its own, until it is removed', () =>
    within(200, async ({ sandbox, url }) => {
      const applicationId = newApplication();
      const first = await sandbox.setWebhook(applicationId, { url, ...login }, never());
      const second = await sandbox.setWebhook(applicationId, { url, username: 'me', secret: 'mine' }, never());
      assert.notEqual(first.signingSecret, second.signingSecret);
      assert.deepEqual(await sandbox.findWebhook(applicationId), second);
      await sandbox.removeWebhook(applicationId);
      assert.equal(await sandbox.findWebhook(applicationId), null);
    }));

  test('an address that may never be called is 400/3002 and leaves the former webhook as it was', () =>
    within(200, async ({ sandbox, url }) => {
      const applicationId = newApplication();
      const before = await sandbox.setWebhook(applicationId, { url, ...login }, never());
      for (const bad of [
        'no url',
        'ftp://example.com/',
        'http://8.8.8.8/',
        'https://10.0.0.1/',
        'https://a:b@example.com/',
      ])
        await assert.rejects(
          sandbox.setWebhook(applicationId, { url: bad, ...login }, never()),
          (error: unknown) => error instanceof ApiError && error.code === 3002 && error.message.startsWith('url: '),
          bad,
        );
      assert.deepEqual(await sandbox.findWebhook(applicationId), before);
    }));

  test('the published default secret signs as the vendor documents it', () => {
    const signature = createHmac('sha256', login.secret).update('1701234567abc123sandbox_demo').digest('hex');
    assert.ok(callbackId({ ...login, timestamp: 1701234567, nonce: 'abc123' }).endsWith(signature));
  });
});
