/**
 * A repetition under its Idempotency-Key has one effect and one answer (contract §5.7), on the deeds where it counts: sends and
 * checks of a code. Under one key only one of many simultaneous requests runs.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { raw, sql } from './platform/sql.ts';
import { onEachApp, type TestReply } from './testing/app.ts';

onEachApp('a repeated request', (get) => {
  let count = 0;
  const number = (): string => `+65914${String(++count).padStart(5, '0')}`;
  const under = (key: string) => ({ headers: { 'idempotency-key': key } });
  const keyed = (path: string, body: object, key: string): Promise<TestReply> =>
    get().call({ path, body, ...under(key) });

  before(async () => {
    const body = {
      send_channel_strategy: 'sms',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
      sms_config: { template_type: 1, template_default_config: {} },
    };
    await get().call({ path: '/v1/template-configs', body: { template_id: 'second', ...body } });
  });

  const sends: [path: string, body: (to: string) => object][] = [
    ['/v1/messages', (to) => ({ to, template: { id: 'login' } })],
    ['/v1/codes', (to) => ({ to, code: '4829', template: { id: 'login' } })],
    [
      '/v1/custom-messages',
      (to) => ({ to: [to, 'nobody', number()], template: { id: 'welcome', params: { name: 'Ana' } } }),
    ],
  ];

  for (const [path, make] of sends)
    test(`to ${path} sends once and is answered alike, whatever the order of its fields`, async () => {
      const { expectNothingHappened, settle, call } = get();
      const body = make(number());
      const first = await keyed(path, body, `send ${path}`);
      assert.equal(first.status, 200, JSON.stringify(first.body));
      assert.equal(first.headers['idempotent-replayed'], undefined);
      await settle();
      const reversed = Object.fromEntries(Object.entries(body).reverse());
      for (const same of [body, reversed, body]) {
        const again = await expectNothingHappened(() => keyed(path, same, `send ${path}`));
        assert.deepEqual([again.status, again.body, again.headers['idempotent-replayed']], [200, first.body, 'true']);
      }
      const other = await expectNothingHappened(() => keyed(path, { ...body, purpose: 'other' }, `send ${path}`));
      assert.deepEqual([other.status, other.body.code], [422, 3002]);
      assert.equal(other.body.message, 'Idempotency-Key: reused with another request');
      const elsewhere = await expectNothingHappened(() => keyed('/v1/verifications', body, `send ${path}`));
      assert.equal(elsewhere.status, 422);
      const story = await call({ path: `/v1/messages/${first.body.message_id}` });
      assert.equal(story.body.state, 'sent');
    });

  test('which made a secret is answered with it again, and the database holds it nowhere in clear', async () => {
    const { operator, makeApplication, expectNothingHappened, database } = get();
    const { id, keyId } = await makeApplication();
    const { organization_id } = (await operator({ path: `/admin/v1/applications/${id}` })).body;
    const endpoints = `/admin/v1/applications/${id}/callback-endpoints`;
    const endpoint = (await operator({ path: endpoints, body: { url: 'https://localhost/hook' } })).body.id;
    const makers: [path: string, body: object][] = [
      [`/admin/v1/applications/${id}/api-keys`, {}],
      [`/admin/v1/api-keys/${keyId}/rotate-secret`, {}],
      [`/admin/v1/organizations/${organization_id}/sandbox-keys`, {}],
      [endpoints, { url: 'https://localhost/other' }],
      [`${endpoints}/${endpoint}/rotate-secret`, {}],
    ];
    const secrets: string[] = [];
    for (const [path, body] of makers) {
      const ask = () => operator({ path, body, ...under(path) });
      const first = await ask();
      const [, secret] = /"((?:sk|whsec)_[^"]+)"/.exec(JSON.stringify(first.body)) ?? [];
      assert.ok(secret, `${path}: ${JSON.stringify(first.body)}`);
      secrets.push(secret);
      const again = await expectNothingHappened(ask);
      assert.deepEqual([again.body, again.headers['idempotent-replayed']], [first.body, 'true']);
    }
    const tables = await database.db.query<{ name: string }>(
      raw(`select tablename as name from pg_tables where schemaname = 'public'`),
    );
    assert.ok(tables.length > 20);
    for (const { name } of tables) {
      const rows = await database.db.query<{ row: string }>(raw(`select t::text as row from ${name} t`));
      assert.ok(!rows.some(({ row }) => secrets.some((secret) => row.includes(secret))), `${name} holds a secret`);
    }
  });

  test('under two keys is two requests', async () => {
    const body = { to: number(), template: { id: 'login' } };
    assert.equal((await keyed('/v1/messages', body, 'key 1')).status, 200);
    assert.equal((await keyed('/v1/messages', body, 'key 2')).body.reason, 'code_still_valid');
    const quoted = await keyed('/v1/messages', body, '"key 1"');
    assert.deepEqual([quoted.status, quoted.headers['idempotent-replayed']], [200, 'true']);
  });

  test('with a wrong code uses one attempt', async () => {
    const { messageId, code } = await get().sendCode(number());
    const body = { message_id: messageId, verify_code: 'wrong' };
    const first = await keyed('/v1/verifications', body, 'wrong');
    assert.deepEqual([first.body.verified, first.body.attempts_remaining], [false, 4]);
    for (let i = 0; i < 7; i++) {
      const again = await get().expectNothingHappened(() => keyed('/v1/verifications', body, 'wrong'));
      assert.deepEqual([again.body, again.headers['idempotent-replayed']], [first.body, 'true']);
    }
    const right = await get().verify(messageId, code);
    assert.equal(right.body.verified, true);
    const after = await keyed('/v1/verifications', body, 'wrong');
    assert.deepEqual(after.body, first.body);
  });

  test('with the right code is answered as the first time, also after the code has ended, and keeps no code', async () => {
    const { messageId, code } = await get().sendCode(number());
    const body = { message_id: messageId, verify_code: ` ${code}` };
    const first = await keyed('/v1/verifications', body, 'right');
    assert.deepEqual([first.body.verified, first.body.verify_code], [true, ` ${code}`]);
    const again = await get().expectNothingHappened(() => keyed('/v1/verifications', body, 'right'));
    assert.deepEqual([again.body, again.headers['idempotent-replayed']], [first.body, 'true']);
    assert.equal((await get().verify(messageId, code)).body.message, 'already verified');
    const rows = await get().database.db.query<{ row: string }>(sql`select k::text as row from idempotency_keys k`);
    assert.ok(rows.length > 0 && rows.every(({ row }) => !row.includes(code)), 'a code is never stored');
  });

  test('with a code that cannot be checked is refused as without a key', async () => {
    const own = await get().call({
      path: '/v1/codes',
      body: { to: number(), code: '4829', template: { id: 'login' } },
    });
    const check = (message_id: string) => keyed('/v1/verifications', { message_id, verify_code: '4829' }, 'unchecked');
    const foreign = await get().expectNothingHappened(() => check(own.body.message_id));
    assert.deepEqual([foreign.status, foreign.body.reason], [400, 'not_platform_code']);
    const unknown = await get().expectNothingHappened(() => check('2072832692843466759'));
    assert.deepEqual([unknown.status, unknown.body.code], [400, 4001]);
  });

  test('is answered also after the message was cancelled', async () => {
    const body = { to: number(), template: { id: 'login' } };
    const first = await keyed('/v1/messages', body, 'then cancelled');
    const cancel = `/v1/messages/${first.body.message_id}/cancel`;
    const ended = await keyed(cancel, {}, 'cancel');
    assert.deepEqual(ended.body, { message_id: first.body.message_id, state: 'cancelled' });
    await get().settle();
    assert.deepEqual(
      (await get().expectNothingHappened(() => keyed('/v1/messages', body, 'then cancelled'))).body,
      first.body,
    );
    assert.deepEqual((await get().expectNothingHappened(() => keyed(cancel, {}, 'cancel'))).body, ended.body);
  });

  test('of a resend sends once', async () => {
    const { messageId } = await get().sendCode(number());
    await get().database.clock.travel(31_000);
    const path = `/v1/messages/${messageId}/resend`;
    const first = await keyed(path, {}, 'again');
    assert.deepEqual([first.status, first.body.attempt], [200, 2]);
    await get().settle();
    const replay = await get().expectNothingHappened(() => keyed(path, {}, 'again'));
    assert.deepEqual(replay.body, first.body);
  });

  test('that was refused had no effect and frees its key', async () => {
    const path = '/v1/messages';
    const bad = await get().expectNothingHappened(() =>
      keyed(path, { to: 'nobody', template: { id: 'login' } }, 'freed'),
    );
    assert.equal(bad.body.code, 5011);
    const unknown = await get().expectNothingHappened(() =>
      keyed(path, { to: number(), template: { id: 'none' } }, 'freed'),
    );
    assert.equal(unknown.body.code, 4001);
    assert.equal((await keyed(path, { to: number(), template: { id: 'login' } }, 'freed')).status, 200);
  });

  test('that comes while the first runs is told to wait; of many at once one sends', async () => {
    const body = { to: number(), template: { id: 'second' } };
    const replies = await Promise.all(Array.from({ length: 30 }, () => keyed('/v1/messages', body, 'at once')));
    const done = replies.filter(({ status }) => status === 200);
    const waiting = replies.filter(({ status }) => status === 409);
    assert.deepEqual([done.length + waiting.length, new Set(done.map((one) => one.body.message_id)).size], [30, 1]);
    for (const { body: error, headers } of waiting)
      assert.deepEqual(
        [error.code, error.message, headers['retry-after']],
        [3002, 'Idempotency-Key: request in progress', '1'],
      );
    assert.equal((await keyed('/v1/messages', body, 'at once')).body.message_id, done[0]?.body.message_id);
    const [row] = await get().database.db.query<{ n: string }>(
      sql`select count(*) as n from messages where recipient = ${body.to}`,
    );
    assert.equal(row?.n, '1');
  });

  test('belongs to its application, and is forgotten after 24 hours', async () => {
    const { makeApplication, call, database } = get();
    const body = { to: number(), template: { id: 'login' } };
    const first = await keyed('/v1/messages', body, 'mine');
    const theirs = await makeApplication();
    const other = await call({ path: '/v1/messages', body, ...under('mine'), ...theirs });
    assert.deepEqual([other.body.code, other.headers['idempotent-replayed']], [4001, undefined]);
    await database.clock.travel(86_400_000);
    const fresh = await keyed('/v1/messages', body, 'mine');
    assert.equal(fresh.status, 200);
    assert.notEqual(fresh.body.message_id, first.body.message_id);
  });
});
