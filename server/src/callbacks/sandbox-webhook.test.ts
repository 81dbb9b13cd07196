import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { raw } from '../platform/sql.ts';
import { callbackId } from '../platform/webhook-signature.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { openReceiver, reaching, signaturesBy, useEndpoints } from '../testing/callback-endpoints.ts';

const login = { username: 'sandbox_demo', secret: 'sandbox_webhook_secret' };

onEachApp(
  'the sandbox webhook',
  (get) => {
    let organization = '';
    before(async () => {
      organization = bodyOf(await get().operator({ path: '/admin/v1/organizations', body: { name: 'Sandboxes' } })).id;
    });

    /** An application of a sandbox key, as its developer sees it. */
    async function openSandbox() {
      const path = `/admin/v1/organizations/${organization}/sandbox-keys`;
      const { application, api_key } = bodyOf(await get().operator({ path, body: {} }));
      const credential = `${api_key.dev_key}:${api_key.dev_secret}`;
      const set = (body: object): Promise<TestReply> =>
        get().call({ method: 'PUT', path: '/v1/sandbox/webhook', body, credential });
      const find = () => get().app.callbacks.findSandboxWebhook(application.id);
      return { id: application.id as string, credential, set, find };
    }

    test('is probed with an empty object, signed both ways, and saved with its secrets sealed', async (t) => {
      const receiver = await openReceiver(t, 204);
      const { id, set, find } = await openSandbox();
      const saved = bodyOf(await set({ url: receiver.url, authorization: 'Bearer t0k3n' }));
      const { signing_secret } = saved;
      assert.deepEqual(saved, { code: 0, message: 'success', reachable: true, signing_secret });
      assert.match(signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
      const [probe, ...more] = receiver.received;
      assert.ok(probe && more.length === 0);
      const { headers, body } = probe;
      assert.equal(body, '{}');
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['user-agent'], 'otp-callback/1');
      assert.equal(headers['authorization'], 'Bearer t0k3n');
      const [, timestamp, nonce = ''] =
        /^timestamp=(\d+);nonce=([0-9a-f]{16,32});/.exec(String(headers['x-callback-id'])) ?? [];
      assert.equal(headers['x-callback-id'], callbackId({ ...login, timestamp: Number(timestamp), nonce }));
      assert.ok(Math.abs(Number(timestamp) - get().database.clock.now() / 1_000) < 30);
      assert.match(String(headers['webhook-id']), /^evt_\d{19}$/);
      assert.equal(headers['webhook-timestamp'], timestamp);
      assert.equal(signaturesBy(signing_secret, probe), 1);
      assert.deepEqual(await find(), {
        url: receiver.url,
        ...login,
        authorization: 'Bearer t0k3n',
        signingSecret: signing_secret,
        reachable: true,
      });
      const rows = await get().database.db.query<{ row: string }>(
        raw('select e::text as row from callback_endpoints e'),
      );
      const stored = rows.map(({ row }) => row).join('\n');
      for (const secret of [login.secret, signing_secret.slice(6), 't0k3n']) {
        assert.ok(!stored.includes(secret), secret);
        assert.ok(!stored.includes(Buffer.from(secret).toString('hex')), secret);
      }
      const ledger = await listEvents(get().database.db, id, '0');
      assert.ok(!ledger.some(({ cause }) => cause === 'callback_managed'), 'no address of a stranger is kept');
    });

    test('is an endpoint for every event but api_call, which the operator sees', async (t) => {
      const receiver = await openReceiver(t);
      const { id, set } = await openSandbox();
      bodyOf(await set({ url: receiver.url }));
      const { callback_endpoints } = bodyOf(await useEndpoints(get(), id).ask());
      assert.equal(callback_endpoints.length, 1);
      const [shown] = callback_endpoints;
      const { description, of_sandbox, format, enabled, events } = shown;
      const expected = { description: 'sandbox webhook', of_sandbox: true, format: 'vendor', enabled: true };
      assert.deepEqual({ description, of_sandbox, format, enabled }, expected);
      assert.ok(events.includes('plan') && events.includes('msg_history') && !events.includes('api_call'));
    });

    test('gets what its application sends queued; the former one loses what waited for it', async (t) => {
      const receiver = await openReceiver(t);
      const { id, set, credential } = await openSandbox();
      bodyOf(await set({ url: receiver.url }));
      const template = { id: 'sandbox-otp-tpl' };
      bodyOf(await get().call({ path: '/v1/messages', body: { to: '+10000000000', template }, credential }));
      const { ask, deliveries } = useEndpoints(get(), id);
      const endpointId = async (): Promise<string> => bodyOf(await ask()).callback_endpoints[0].id;
      const first = await endpointId();
      const events = async (of: string) =>
        bodyOf(await deliveries(of)).deliveries.map(({ event }: { event: string }) => event);
      assert.deepEqual(await events(first), ['target_valid', 'plan']);
      bodyOf(await set({ url: receiver.url }));
      const second = await endpointId();
      assert.notEqual(second, first);
      assert.deepEqual(await events(second), []);
      assert.deepEqual(
        await get().database.db.query(raw(`select 1 from callback_queue where endpoint_id = ${first}`)),
        [],
      );
    });

    test('the last one set wins, each with a signing secret of its own, until it is removed', async (t) => {
      const receiver = await openReceiver(t);
      const { set, find } = await openSandbox();
      const first = bodyOf(await set({ url: receiver.url }));
      const second = bodyOf(await set({ url: receiver.url, username: 'me', secret: 'mine' }));
      assert.notEqual(first.signing_secret, second.signing_secret);
      const { url } = receiver;
      const kept = { url, username: 'me', secret: 'mine', signingSecret: second.signing_secret, reachable: true };
      assert.deepEqual(await find(), kept);
      for (let time = 0; time < 2; time++)
        assert.deepEqual(bodyOf(await set({ url: null })), { code: 0, message: 'success' });
      assert.equal(await find(), null);
    });

    test('many that set it at once leave one of theirs', async (t) => {
      const receiver = await openReceiver(t);
      const { id, set, find } = await openSandbox();
      const replies = await Promise.all(Array.from({ length: 8 }, () => set({ url: receiver.url })));
      const secrets = replies.map((reply) => bodyOf(reply).signing_secret);
      assert.equal(bodyOf(await useEndpoints(get(), id).ask()).callback_endpoints.length, 1);
      assert.ok(secrets.includes((await find())?.signingSecret));
    });

    test('an address that may never be called is 400/3002 and leaves the former webhook as it was', async (t) => {
      const receiver = await openReceiver(t);
      const { set, find } = await openSandbox();
      bodyOf(await set({ url: receiver.url }));
      const former = await find();
      for (const url of [
        'no url',
        'ftp://example.com/',
        'http://8.8.8.8/',
        'https://10.0.0.1/',
        'https://a:b@example.com/',
      ]) {
        const reply = await get().expectNothingHappened(() => set({ url }));
        assert.deepEqual([reply.status, reply.body.code], [400, 3002], url);
        assert.match(reply.body.message, /^url: /);
      }
      assert.deepEqual(await find(), former);
    });
  },
  reaching,
);
