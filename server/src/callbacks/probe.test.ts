import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { callbackId } from '../platform/webhook-signature.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { openReceiver, type Receiver, reaching, signaturesBy, useEndpoints } from '../testing/callback-endpoints.ts';

onEachApp(
  'the probe of an endpoint',
  (get) => {
    let endpoints: ReturnType<typeof useEndpoints>;
    before(async () => {
      endpoints = useEndpoints(get(), (await get().makeApplication()).id);
    });
    const seen = ({ reachable, probe_note }: { reachable: boolean; probe_note: string }) => [reachable, probe_note];

    const answers: [what: string, answer: Receiver['answer'], reachable: boolean, note: string | RegExp][] = [
      ['200', 200, true, 'answered 200'],
      ['204', 204, true, 'answered 204'],
      ['301', 301, false, 'answered 301: redirects are not followed'],
      ['410', 410, false, 'answered 410'],
      ['500', 500, false, 'answered 500'],
      ['nothing', null, false, 'timeout: no answer within 3000 ms'],
      [
        'a closed socket',
        (response) => void response.destroy(),
        false,
        /^connection: the connection was closed before the answer was whole$/,
      ],
      [
        'a body without end',
        (response) => void response.writeHead(200).write('x'.repeat(100_000)),
        true,
        'answered 200',
      ],
    ];
    for (const [what, answer, reachable, note] of answers)
      test(`that is answered with ${what} is told as it was, and the endpoint saved`, async (t) => {
        const receiver = await openReceiver(t, answer);
        const made = await endpoints.make({ url: receiver.url });
        assert.equal(made.reachable, reachable);
        if (typeof note === 'string') assert.equal(made.probe_note, note);
        else assert.match(made.probe_note, note);
        assert.equal(receiver.received.length, 1, 'a redirect is not followed');
        assert.deepEqual(seen(bodyOf(await endpoints.ask(`/${made.id}`))), seen(made));
        assert.equal(made.enabled, true);
        bodyOf(await endpoints.remove(made.id));
      });

    test('that finds nobody is told so', async (t) => {
      const receiver = await openReceiver(t);
      await receiver.close();
      const refused = await endpoints.make({ url: receiver.url });
      assert.deepEqual(seen(refused), [false, 'connection: ECONNREFUSED']);
      bodyOf(await endpoints.remove(refused.id));
    });

    test('carries the body `{}` with all headers of a callback', async (t) => {
      const receiver = await openReceiver(t);
      const login = { username: 'me@acme', secret: 's3cr3t-ü' };
      const made = await endpoints.make({ url: receiver.url, ...login, authorization: 'Bearer t0k3n' });
      const [probe] = receiver.received;
      assert.ok(probe);
      assert.equal(probe.body, '{}');
      assert.equal(signaturesBy(made.signing_secret, probe), 1);
      assert.equal(probe.headers['authorization'], 'Bearer t0k3n');
      const given = String(probe.headers['x-callback-id']);
      const [, timestamp, nonce = ''] = /^timestamp=(\d+);nonce=([0-9a-f]+);/.exec(given) ?? [];
      assert.equal(given, callbackId({ ...login, timestamp: Number(timestamp), nonce }));
      assert.match(String(probe.headers['webhook-id']), /^evt_\d{19}$/);
      const bare = await endpoints.make({ url: receiver.url });
      const [, second] = receiver.received;
      assert.deepEqual([second?.headers['x-callback-id'], second?.headers['authorization']], [undefined, undefined]);
      for (const { id } of [made, bare]) bodyOf(await endpoints.remove(id));
    });

    test('is made again where address or credentials are given, and on demand; other changes make none', async (t) => {
      const receiver = await openReceiver(t, 500);
      const { id } = await endpoints.make({ url: receiver.url });
      bodyOf(await endpoints.change(id, { description: 'no probe', enabled: false, events: ['sent'] }));
      assert.equal(receiver.received.length, 1);
      const changes = [
        { username: 'me', secret: 'mine' },
        { secret: 'other' },
        { authorization: 'x' },
        { url: receiver.url },
      ];
      for (const [n, change] of changes.entries()) {
        assert.deepEqual(seen(bodyOf(await endpoints.change(id, change))), [false, 'answered 500']);
        assert.equal(receiver.received.length, n + 2);
      }
      receiver.answer = 202;
      const before = bodyOf(await endpoints.ask(`/${id}`));
      await get().database.clock.travel(60_000);
      const after = bodyOf(await endpoints.probe(id));
      assert.deepEqual(seen(after), [true, 'answered 202']);
      const { reachable, probe_note, probed_at } = after;
      assert.deepEqual(after, { ...before, reachable, probe_note, probed_at }, 'a probe changes nothing else');
      assert.ok(Date.parse(probed_at) - Date.parse(before.probed_at) >= 60_000);
    });
  },
  reaching,
);
