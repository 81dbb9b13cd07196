/**
 * What the operator says about a key holds at the door from the next request on: expiry, the enabled flag, the allowlist, a new
 * secret, permissions, the rate. Through the operator's API and the customer's, on both engines.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type OtherApplication, onEachApp, type TestCall } from './testing/app.ts';

onEachApp('an API key', (get) => {
  let application: OtherApplication;
  before(async () => {
    application = await get().makeApplication({ policy: { template_review: 'auto' } });
  });

  const knock = async ({ credential }: { credential: string }, more: Partial<TestCall> = {}): Promise<string> => {
    const { status, body } = await get().call({ path: '/v1/messages', credential, ...more });
    return status === 200 ? '200' : `${status}/${body.code} ${body.message}`;
  };
  const change = (keyId: string, body: object) =>
    get().operator({ method: 'PATCH', path: `/admin/v1/api-keys/${keyId}`, body });
  const expired = '401/2002 credential expired or disabled';

  test('expires at its time, to the millisecond, and lives again when it is prolonged', async () => {
    const { database, makeKey } = get();
    const at = (ms: number): string => new Date(database.clock.now() + ms).toISOString();
    const key = await makeKey(application.id, { expires_at: at(60_000) });
    assert.equal(await knock(key), '200');
    await database.clock.travel(60_000);
    assert.equal(await knock(key), expired);
    await change(key.keyId, { expires_at: at(60_000) });
    assert.equal(await knock(key), '200');
    await change(key.keyId, { expires_at: null });
    await database.clock.travel(400 * 86_400_000);
    assert.equal(await knock(key), '200');
  });

  test('is refused while it is disabled, deleted or has another secret', async () => {
    const key = await get().makeKey(application.id);
    await change(key.keyId, { enabled: false });
    assert.equal(await knock(key), expired);
    assert.equal(await knock({ credential: `${key.credential}x` }), '401/2001 authentication failed');
    await change(key.keyId, { enabled: true });
    assert.equal(await knock(key), '200');
    const rotated = await get().operator({ method: 'POST', path: `/admin/v1/api-keys/${key.keyId}/rotate-secret` });
    assert.equal(await knock(key), '401/2001 authentication failed');
    const renewed = { credential: `${rotated.body.dev_key}:${rotated.body.dev_secret}` };
    assert.equal(await knock(renewed), '200');
    await get().operator({ method: 'DELETE', path: `/admin/v1/api-keys/${key.keyId}` });
    assert.equal(await knock(renewed), '401/2001 authentication failed');
  });

  test('is taken only from its addresses, whatever a caller claims about its own', async () => {
    const { makeKey, expectNothingHappened } = get();
    const refused = '403/2004 source address not allowed';
    const cases: [allowlist: string[], answer: string][] = [
      [[], '200'],
      [['127.0.0.1'], '200'],
      [['127.0.0.0/8'], '200'],
      [['0.0.0.0/0'], '200'],
      [['::ffff:127.0.0.1'], '200'],
      [['198.51.100.7', '127.0.0.1/32'], '200'],
      [['127.0.0.2'], refused],
      [['198.51.100.0/24'], refused],
      [['::1'], refused],
      [['::/0'], refused],
      [['10.0.0.0/8', '2001:db8::/32'], refused],
    ];
    for (const [ip_allowlist, answer] of cases) {
      const key = await makeKey(application.id, { ip_allowlist });
      const headers = { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.7', 'x-real-ip': '198.51.100.7' };
      const told = ip_allowlist.join();
      assert.equal(await expectNothingHappened(() => knock(key, { headers })), answer, told);
    }
    for (const bad of [
      '127.0.0.1/33',
      '127.0.0',
      '127.1',
      '0x7f.0.0.1',
      'localhost',
      '',
      '::1/129',
      '1.2.3.4/-1',
      '01.2.3.4',
      'fe80::1%eth0',
    ]) {
      const made = await get().operator({
        path: `/admin/v1/applications/${application.id}/api-keys`,
        body: { ip_allowlist: [bad] },
      });
      assert.deepEqual(
        [made.status, made.body.code, made.body.details?.fields[0].field],
        [400, 3002, 'ip_allowlist[0]'],
        bad,
      );
    }
  });

  test('may do what it was last allowed', async () => {
    const key = await get().makeKey(application.id, { permissions: ['read'] });
    const send = () =>
      get().call({ path: '/v1/messages', body: { to: '+6591234567', template: { id: 'none' } }, ...key });
    assert.equal((await get().expectNothingHappened(send)).body.code, 2004);
    await change(key.keyId, { permissions: ['send'] });
    assert.equal((await send()).body.code, 4001);
    assert.equal(await knock(key), '403/2004 no permission for this API');
  });

  test('is throttled on its own, is told so, and is free again when its window ends', async () => {
    const { makeApplication, makeKey, database, call, expectNothingHappened } = get();
    const slow = await makeApplication({ policy: { request_rate: 3 } });
    const other = await makeKey(slow.id);
    for (let left = 2; left >= 0; left--) {
      const { status, headers } = await call({ path: '/v1/messages', ...slow });
      assert.deepEqual([status, headers['ratelimit-policy']], [200, '"key";q=3;w=60']);
      assert.match(String(headers['ratelimit']), new RegExp(`^"key";r=${left};t=(60|59)$`));
    }
    const body = { to: '+6591234567', template: { id: 'none' } };
    const over = await expectNothingHappened(() => call({ path: '/v1/messages', body, ...slow }));
    assert.deepEqual([over.status, over.body.code, over.body.message], [429, 3004, 'too many requests']);
    assert.equal(String(over.body.details.retry_after), over.headers['retry-after']);
    assert.ok(Number(over.headers['retry-after']) >= 1 && Number(over.headers['retry-after']) <= 60);
    assert.match(String(over.headers['ratelimit']), /^"key";r=0;t=\d+$/);
    assert.equal(await knock(other), '200');
    await database.clock.travel(60_000);
    assert.equal(await knock(slow), '200');
  });
});
