/** Test events and the rotation of signing secrets, as a receiver sees them. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventNames, familyOf, listEvents } from '../events/index.ts';
import { callbackId } from '../platform/webhook-signature.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import {
  openReceiver,
  type Received,
  type Receiver,
  reaching,
  signaturesBy,
  useEndpoints,
} from '../testing/callback-endpoints.ts';

const hourMs = 3_600_000;

onEachApp(
  'what an operator tries on an endpoint',
  (get) => {
    let applicationId = '';
    let endpoints: ReturnType<typeof useEndpoints>;
    before(async () => {
      ({ id: applicationId } = await get().makeApplication());
      endpoints = useEndpoints(get(), applicationId);
    });

    const last = ({ received }: Receiver): Received => {
      const post = received.at(-1);
      assert.ok(post, 'something was received');
      return post;
    };

    test('a test event of each kind is a row as the real ones are, signed with the real headers', async (t) => {
      const receiver = await openReceiver(t);
      const login = { username: 'me', secret: 's3cret' };
      const { id, signing_secret } = await endpoints.make({ url: receiver.url, ...login, authorization: 'Bearer t' });
      const ids = new Set<unknown>();
      for (const event of eventNames) {
        const { latency_ms, ...told } = bodyOf(await endpoints.testEvent(id, { event }));
        assert.deepEqual(told, { event, delivered: true, http_status: 200, detail: null, response: null });
        assert.ok(latency_ms >= 0);
        const post = last(receiver);
        const { total, rows } = JSON.parse(post.body);
        assert.deepEqual([total, rows.length], [1, 1]);
        const [{ status, notification, response, system_event, ...row }] = rows;
        assert.equal(row.server, 'otp');
        const named = { status: status?.message_status, notification: notification?.event, response: response?.event };
        const shown = { ...named, system_event: system_event?.event };
        const kind = { message_status: 'status', notification: 'notification', response: 'response' };
        const family = familyOf(event) ?? 'notification';
        const expected = family === 'system_event' ? family : kind[family];
        assert.deepEqual(JSON.parse(JSON.stringify(shown)), { [expected]: event });
        if (status) {
          assert.equal(status.status_data.business_id, applicationId);
          assert.equal(/failed|timeout|invalid/.test(event), status.error_code > 0, event);
          assert.equal(status.billing !== undefined, event === 'sent');
        }
        if (system_event) assert.ok(system_event.data.org_id && system_event.data.operator && system_event.data[event]);
        assert.equal(signaturesBy(signing_secret, post), 1);
        assert.equal(post.headers['authorization'], 'Bearer t');
        const given = String(post.headers['x-callback-id']);
        const [, timestamp, nonce = ''] = /^timestamp=(\d+);nonce=([0-9a-f]+);/.exec(given) ?? [];
        assert.equal(given, callbackId({ ...login, timestamp: Number(timestamp), nonce }));
        ids.add(post.headers['webhook-id']);
      }
      assert.equal(ids.size, eventNames.length, 'each event has an id of its own');
      assert.deepEqual(bodyOf(await endpoints.attempts(id)).attempts, [], 'the log is that of real events');
    });

    test('a test event has the format of its endpoint', async (t) => {
      const receiver = await openReceiver(t);
      const { id } = await endpoints.make({ url: receiver.url, format: 'standard' });
      const types: unknown[] = [];
      for (const event of ['delivered', 'uplink_message', 'key_manage', 'insufficient_balance']) {
        bodyOf(await endpoints.testEvent(id, { event }));
        const { type, timestamp, data } = JSON.parse(last(receiver).body);
        assert.equal(data.application_id, applicationId);
        assert.ok(Date.parse(timestamp) > 0);
        types.push(type);
      }
      const expected = ['message.delivered', 'uplink.uplink_message', 'system.key_manage'];
      assert.deepEqual(types, [...expected, 'notification.insufficient_balance']);
    });

    test('a test event that names none is delivered, or else the first that the endpoint is told, also when it is off', async (t) => {
      const receiver = await openReceiver(t);
      const { id } = await endpoints.make({ url: receiver.url, enabled: false });
      assert.equal(bodyOf(await endpoints.testEvent(id)).event, 'delivered');
      bodyOf(await endpoints.change(id, { events: ['uplink_message', 'verified'] }));
      assert.equal(bodyOf(await endpoints.testEvent(id, {})).event, 'verified');
      assert.match(last(receiver).body, /"message_status":"verified"/);
    });

    test('a test event tells what the receiver answered, without control characters and no more than 2 kB', async (t) => {
      const receiver = await openReceiver(t);
      const { id } = await endpoints.make({ url: receiver.url, timeout_ms: 1000 });
      const ask = async (answer: Receiver['answer']) => {
        receiver.answer = answer;
        const { latency_ms, event, ...told } = bodyOf(await endpoints.testEvent(id));
        return told;
      };
      const text = (status: number, body: string) => ask((response) => void response.writeHead(status).end(body));
      assert.deepEqual(await text(500, 'No\u0000 \u001b[31mway\r\n'), {
        delivered: false,
        http_status: 500,
        detail: 'answered 500',
        response: 'No [31mway\n',
      });
      const { response } = await text(200, 'é'.repeat(5000));
      assert.equal(response, 'é'.repeat(1024));
      const failed = { delivered: false, http_status: null, response: null };
      assert.deepEqual(await ask(null), { ...failed, detail: 'timeout: no answer within 1000 ms' });
      const redirect = { ...failed, http_status: 302, detail: 'answered 302: redirects are not followed' };
      assert.deepEqual(await ask(302), redirect);
    });

    test('after a rotation both secrets sign for 24 hours, then the new one alone', async (t) => {
      const receiver = await openReceiver(t);
      const made = await endpoints.make({ url: receiver.url });
      const signers = async (...secrets: string[]): Promise<number[]> => {
        bodyOf(await endpoints.testEvent(made.id));
        const post = last(receiver);
        const count = String(post.headers['webhook-signature']).split(' ').length;
        return [...secrets.map((secret) => signaturesBy(secret, post)), count];
      };
      const first = made.signing_secret;
      const { signing_secret: second, former_signs_until, ...rotated } = bodyOf(await endpoints.rotate(made.id));
      assert.match(second, /^whsec_[A-Za-z0-9+/]{43}=$/);
      assert.notEqual(second, first);
      assert.ok(Math.abs(Date.parse(former_signs_until) - get().database.clock.now() - 24 * hourMs) < 10_000);
      assert.deepEqual([rotated.id, rotated.version], [made.id, 2]);
      assert.deepEqual(await signers(first, second), [1, 1, 2]);
      await get().database.clock.travel(23 * hourMs);
      assert.deepEqual(await signers(first, second), [1, 1, 2]);
      bodyOf(await endpoints.change(made.id, { username: 'me', secret: 'mine' }));
      const third = bodyOf(await endpoints.rotate(made.id)).signing_secret;
      assert.deepEqual(await signers(first, second, third), [1, 1, 1, 3], 'each has its day');
      await get().database.clock.travel(hourMs);
      assert.deepEqual(await signers(first, second, third), [0, 1, 1, 2]);
      await get().database.clock.travel(23 * hourMs);
      assert.deepEqual(await signers(first, second, third), [0, 0, 1, 1]);
      const shown = JSON.stringify((await endpoints.ask(`/${made.id}`)).body);
      for (const secret of [first, second, third]) assert.ok(!shown.includes(secret));
      const noted = (await listEvents(get().database.db, applicationId, '0')).filter(
        ({ data }) => data?.['endpoint'] === made.id && data?.['action'] === 'rotate signing secret',
      );
      assert.equal(noted.length, 2);
    });

    test('however often it is rotated, no more than five secrets sign', async (t) => {
      const receiver = await openReceiver(t);
      const { id } = await endpoints.make({ url: receiver.url });
      for (let time = 0; time < 8; time++) bodyOf(await endpoints.rotate(id));
      bodyOf(await endpoints.testEvent(id));
      assert.equal(String(last(receiver).headers['webhook-signature']).split(' ').length, 5);
    });
  },
  reaching,
);
