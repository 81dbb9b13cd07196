/** Limits through the whole app: what is refused and how it is told, what counts, and that nobody gets past them at once. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachApp, openTestApp, type TestReply } from '../testing/app.ts';
import { newNumber, openApplication, type TestApplication, useApplication, wrongFor } from '../testing/application.ts';

const hour = 3_600;
const open = { resend_policy: { mode: 'rotate', resend_after: 0, max_sends: 1000 } };

onEachApp('rate limits', (get) => {
  before(() => get().database.clock.freeze());

  const withLimits = (limits: object[], policy: object = {}): Promise<TestApplication> =>
    openApplication(get(), { policy: { ...open, limits, ...policy } });

  const travel = (seconds: number): Promise<void> => get().database.clock.travel(seconds * 1000);

  function assertLimited(reply: TestReply, name: string, limit: number, window: number): void {
    const { status, body, headers } = reply;
    assert.deepEqual([status, body.code, body.reason, body.details?.policy], [429, 3004, 'rate_limited', name]);
    assert.match(String(headers['ratelimit-policy']), new RegExp(`"${name}";q=${limit};w=${window}`));
    assert.match(String(headers['ratelimit']), new RegExp(`"${name}";r=0;t=${body.details.retry_after}`));
    assert.equal(String(headers['retry-after']), String(body.details.retry_after));
  }

  const dimensions = [
    { per: 'ip', a: { signals: { ip: '203.0.113.7' } }, b: { signals: { ip: '203.0.113.8' } } },
    { per: 'device', a: { signals: { device_id: 'd1' } }, b: { signals: { device_id: 'd2' } } },
    { per: 'session', a: { signals: { session_id: 's1' } }, b: { signals: { session_id: 's2' } } },
  ] as const;
  for (const { per, a, b } of dimensions) {
    test(`per ${per}: the one after the last is refused until the first leaves the window; others are not`, async () => {
      const app = await withLimits([{ name: `by_${per}`, per, limit: 3, window_seconds: hour }]);
      for (let i = 0; i < 3; i++) {
        assert.equal((await app.send(newNumber(), a)).status, 200);
        await travel(100);
      }
      const refused = await app.send(newNumber(), a);
      assertLimited(refused, `by_${per}`, 3, hour);
      assert.ok(Math.abs(refused.body.details.retry_after - 3_300) <= 3, JSON.stringify(refused.body));
      assert.equal((await app.send(newNumber(), b)).status, 200);
      assert.equal((await app.send(newNumber())).status, 200, 'who tells nothing is not counted');
      await travel(refused.body.details.retry_after);
      assert.equal((await app.send(newNumber(), a)).status, 200, 'refused ones were not counted');
      assertLimited(await app.send(newNumber(), a), `by_${per}`, 3, hour);
    });
  }

  test('an address is one however it is written', async () => {
    const app = await withLimits([{ name: 'by_ip', per: 'ip', limit: 1, window_seconds: 60 }]);
    assert.equal((await app.send(newNumber(), { signals: { ip: '::ffff:203.0.113.9' } })).status, 200);
    assert.equal((await app.send(newNumber(), { signals: { ip: '203.0.113.9' } })).status, 429);
    assert.equal((await app.send(newNumber(), { signals: { ip: '2001:db8:0:0::1' } })).status, 200);
    assert.equal((await app.send(newNumber(), { signals: { ip: '2001:DB8::1' } })).status, 429);
  });

  test('per prefix, dialling code, key, application, target and template', async () => {
    const number = '+491701234567';
    const sends = [number, '+491701239999', '+491601234567', '+6598120044', '+6598120099'];
    const passing = async (per: string, more: object = {}): Promise<boolean[]> => {
      const app = await withLimits([{ name: 'one', per, limit: 1, window_seconds: hour, ...more }]);
      await app.addTemplate({ template_id: 'signup' });
      const replies: boolean[] = [];
      for (const to of sends) replies.push((await app.send(to)).status === 200);
      replies.push((await app.send(number, { template: { id: 'signup' } })).status === 200);
      return replies;
    };
    assert.deepEqual(await passing('prefix'), [true, false, true, true, false, false]);
    assert.deepEqual(await passing('dial_code'), [true, false, false, true, false, false]);
    assert.deepEqual(await passing('key'), [true, false, false, false, false, false]);
    assert.deepEqual(await passing('application'), [true, false, false, false, false, false]);
    assert.deepEqual(await passing('target'), [true, true, true, true, true, false]);
    assert.deepEqual(await passing('target_template'), [true, true, true, true, true, true]);
  });

  test('a resend counts like a send, and a fallback does not', async () => {
    const app = await withLimits([{ name: 'by_target', per: 'target', limit: 2, window_seconds: hour }]);
    const to = newNumber();
    const { messageId } = await app.sendCode(to);
    assert.equal((await app.act(messageId, 'resend')).status, 200);
    assertLimited(await app.act(messageId, 'resend'), 'by_target', 2, hour);
    assertLimited(await app.send(to), 'by_target', 2, hour);
    const prefixed = await withLimits([{ name: 'by_prefix', per: 'prefix', limit: 2, window_seconds: hour }]);
    const second = await prefixed.sendCode(newNumber());
    assert.equal((await prefixed.act(second.messageId, 'resend')).status, 200);
    assertLimited(await prefixed.act(second.messageId, 'resend'), 'by_prefix', 2, hour);
  });

  test('checks are counted apart from sends, right ones too, and a refused one costs no attempt', async () => {
    const limits = [{ name: 'checks', on: 'check', per: 'ip', limit: 3, window_seconds: hour }];
    const app = await withLimits(limits);
    const signals = { ip: '198.51.100.4' };
    const first = await app.sendCode(newNumber(), { signals });
    const second = await app.sendCode(newNumber(), { signals });
    await app.verify(first.messageId, wrongFor(first.code), { signals });
    assert.equal((await app.verify(first.messageId, first.code, { signals })).body.verified, true);
    await app.verify(second.messageId, wrongFor(second.code), { signals });
    const refused = await app.verify(second.messageId, second.code, { signals });
    assertLimited(refused, 'checks', 3, hour);
    assert.equal((await app.story(second.messageId)).verification.attempts, 1);
    assert.equal((await app.verify(second.messageId, second.code)).body.verified, true, 'from elsewhere it is right');
  });

  test('a shadow limit refuses nobody, and what it counted is told with the message', async () => {
    const limits = [
      { name: 'watched', per: 'ip', limit: 1, window_seconds: hour, mode: 'shadow' },
      { name: 'held', per: 'ip', limit: 3, window_seconds: hour },
      { name: 'each', per: 'target', limit: 5, window_seconds: hour },
    ];
    const app = await withLimits(limits);
    const signals = { ip: '198.51.100.9' };
    for (let i = 0; i < 3; i++) {
      const { messageId } = await app.sendCode(newNumber(), { signals });
      assert.deepEqual((await app.story(messageId)).decision.limits, [
        { policy: 'each', count: 0, limit: 5, window_seconds: hour, mode: 'enforce' },
        { policy: 'watched', count: i, limit: 1, window_seconds: hour, mode: 'shadow' },
        { policy: 'held', count: i, limit: 3, window_seconds: hour, mode: 'enforce' },
      ]);
    }
    assertLimited(await app.send(newNumber(), { signals }), 'held', 3, hour);
  });

  test('test numbers and applications that set nothing on the virtual network are not counted', async () => {
    const app = await withLimits([{ name: 'all', per: 'application', limit: 1, window_seconds: hour }]);
    for (let i = 0; i < 3; i++) assert.equal((await app.send('+10000000000')).status, 200);
    assert.equal((await app.send(newNumber())).status, 200);
    assert.equal((await app.send(newNumber())).status, 429);
    const free = await openApplication(get(), { policy: open });
    const to = newNumber();
    for (let i = 0; i < 8; i++) assert.equal((await free.send(to, { signals: { ip: '192.0.2.1' } })).status, 200);
  });

  test('simultaneous sends and checks never pass more than a limit', async () => {
    const several = 120;
    const limits = [
      { name: 'sends', per: 'ip', limit: 7, window_seconds: hour },
      { name: 'prefix', per: 'prefix', limit: 5, window_seconds: hour },
      { name: 'checks', on: 'check', per: 'device', limit: 6, window_seconds: hour },
    ];
    const app = await withLimits(limits);
    const prefixes = ['+44770090', '+44770091', '+44770092'];
    const numbers = Array.from({ length: several }, (_, i) => `${prefixes[i % 3]}${1000 + i}`);
    const signals = { ip: '192.0.2.77' };
    const all = await Promise.all(numbers.map((to) => app.send(to, { signals })));
    const passed = all.filter(({ status }) => status === 200);
    assert.equal(passed.length, 7);
    assert.ok(all.every(({ status }) => status === 200 || status === 429));
    const alone = await withLimits(limits);
    const others = await Promise.all(numbers.map((to) => alone.send(to)));
    assert.equal(others.filter(({ status }) => status === 200).length, 15);
    const checks = await Promise.all(
      others
        .flatMap(({ body, status }) => (status === 200 ? [String(body.message_id)] : []))
        .map((id) => alone.verify(id, '000000', { signals: { device_id: 'one' } })),
    );
    assert.equal(checks.filter(({ status }) => status === 200).length, 6);
    assert.equal(checks.filter(({ status }) => status === 429).length, 9);
  });

  test('nodes whose clocks are five minutes apart agree, about the limit and about when it ends', async (t) => {
    const limits = [{ name: 'by_ip', per: 'ip', limit: 4, window_seconds: 600 }];
    const app = await withLimits([...limits, { name: 'each', per: 'target', limit: 4, window_seconds: 600 }]);
    const { database } = get();
    const now = (): number => database.clock.now();
    const apart = (ms: number) => openTestApp({ ...database, clock: { ...database.clock, now: () => now() + ms } });
    const boxes = [await apart(-300_000), await apart(300_000)];
    t.after(() => Promise.all(boxes.map((box) => box.close())));
    const nodes = boxes.map((box) => useApplication(box, app.id, app.credential));
    const signals = { ip: '192.0.2.55' };
    const send = (i: number, to = newNumber()): Promise<TestReply> | undefined => nodes[i % 2]?.send(to, { signals });
    for (let i = 0; i < 4; i++) {
      assert.equal((await send(i))?.status, 200);
      await travel(60);
    }
    const waits: number[] = [];
    for (const i of [0, 1]) {
      const refused = await send(i);
      assert.ok(refused);
      assertLimited(refused, 'by_ip', 4, 600);
      waits.push(refused.body.details.retry_after);
    }
    assert.ok(Math.abs((waits[0] ?? 0) - 360) <= 3 && Math.abs((waits[0] ?? 0) - (waits[1] ?? 0)) <= 2, String(waits));
    const to = newNumber();
    for (let i = 0; i < 4; i++) assert.equal((await nodes[i % 2]?.send(to))?.status, 200);
    for (const node of nodes) assertLimited(await node.send(to), 'each', 4, 600);
    await travel(361);
    assert.equal((await send(1))?.status, 200);
    assert.equal((await send(0))?.status, 429);
  });

  test('counters are forgotten when no window reaches them', async () => {
    const app = await withLimits([{ name: 'by_ip', per: 'ip', limit: 2, window_seconds: 60 }]);
    await app.send(newNumber(), { signals: { ip: '192.0.2.99' } });
    const kept = (): Promise<unknown[]> =>
      get().database.db.query(sql`select 1 from rate_counters where application_id = ${app.id}`);
    await get().app.rates.sweep(1_000);
    assert.equal((await kept()).length, 1);
    await travel(61);
    await get().app.rates.sweep(1_000);
    assert.equal((await kept()).length, 0);
  });

  test('a key may have limits of its own, which bind no other key', async () => {
    const app = await withLimits([{ name: 'all', per: 'application', limit: 4, window_seconds: hour }]);
    const limits = [{ name: 'mine', per: 'key', limit: 2, window_seconds: hour }];
    const path = `/admin/v1/applications/${app.id}/api-keys`;
    const { body: key } = await get().operator({ path, body: { limits } });
    const send = (): Promise<TestReply> =>
      app.call({
        path: '/v1/messages',
        body: { to: newNumber(), template: { id: 'login' } },
        credential: `${key.dev_key}:${key.dev_secret}`,
      });
    assert.deepEqual([(await send()).status, (await send()).status], [200, 200]);
    assertLimited(await send(), 'mine', 2, hour);
    assert.deepEqual([(await app.send(newNumber())).status, (await app.send(newNumber())).status], [200, 200]);
    assertLimited(await app.send(newNumber()), 'all', 4, hour);
  });

  test('limits are validated', async () => {
    const { status, body } = await get().operator({
      method: 'PATCH',
      path: `/admin/v1/applications/${(await openApplication(get())).id}/policy`,
      body: { limits: [{ name: 'x', per: 'moon', limit: 0, window_seconds: 5 }] },
    });
    assert.deepEqual([status, body.code, body.details.fields.length], [400, 3002, 3]);
  });
});
