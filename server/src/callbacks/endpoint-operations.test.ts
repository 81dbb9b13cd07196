/** Endpoints as the operator makes, reads, changes and deletes them. No probe leaves: the address is one that nobody may reach. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventNames, listEvents } from '../events/index.ts';
import { raw, sql } from '../platform/sql.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

const url = 'https://localhost/hook';

onEachApp('callback endpoints', (get) => {
  let applicationId = '';
  let endpoints: ReturnType<typeof useEndpoints>;
  const another = async () => useEndpoints(get(), (await get().makeApplication()).id);
  before(async () => {
    ({ id: applicationId } = await get().makeApplication());
    endpoints = useEndpoints(get(), applicationId);
  });

  async function refused(ask: () => Promise<TestReply>, status: number, code: number, message: string): Promise<void> {
    const reply = await get().expectNothingHappened(ask);
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [status, code, message]);
  }

  const ledgerOf = async (id: string) =>
    (await listEvents(get().database.db, applicationId, '0'))
      .filter(({ cause, data }) => cause === 'callback_managed' && data?.['endpoint'] === id)
      .map(({ status, data }) => [status, data]);

  test('an endpoint is made with its defaults, read, listed, changed and deleted; the ledger tells who did it', async () => {
    const { signing_secret, ...made } = await endpoints.make({ url });
    assert.match(signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    const { id, probed_at, created_at, updated_at } = made;
    const expected = {
      id,
      application_id: applicationId,
      description: '',
      url,
      username: null,
      has_secret: false,
      has_authorization: false,
      events: eventNames.filter((name) => name !== 'api_call'),
      format: 'vendor',
      retry_schedule: 'vendor',
      batch_rows: 1,
      timeout_ms: 5000,
      concurrency: 20,
      rate_per_second: null,
      enabled: true,
      disabled_because: null,
      of_sandbox: false,
      reachable: false,
      probe_note: 'connection: ECONNREFUSED',
      probed_at,
      failing_since: null,
      version: 1,
      created_at,
      updated_at,
    };
    assert.deepEqual(made, expected);
    assert.deepEqual(bodyOf(await endpoints.ask(`/${id}`)), made);
    assert.deepEqual(bodyOf(await endpoints.ask()), { callback_endpoints: [made] });
    const change = {
      description: 'login service',
      username: 'acme_hooks',
      secret: 's3cret',
      authorization: 'Bearer t',
      events: ['sent', 'uplink_message'],
      format: 'standard',
      retry_schedule: 'fast',
      timeout_ms: 1000,
      concurrency: 1,
      rate_per_second: 0.5,
      enabled: false,
    };
    const changed = bodyOf(await endpoints.change(id, change));
    const { secret, authorization, ...shown } = change;
    const now = { probed_at: changed.probed_at, updated_at: changed.updated_at, version: 2 };
    assert.deepEqual(changed, { ...made, ...shown, has_secret: true, has_authorization: true, ...now });
    assert.deepEqual(bodyOf(await endpoints.remove(id)), { id, deleted: true });
    await refused(() => endpoints.ask(`/${id}`), 404, 4001, 'callback endpoint not found');
    const operator = { ip_address: '127.0.0.1' };
    assert.deepEqual(
      await ledgerOf(id),
      ['create', 'update', 'delete'].map((deed) => [
        undefined,
        { action: `${deed} callback endpoint`, endpoint: id, operator },
      ]),
    );
  });

  test('secrets are sealed in the database, and in no answer or line of the ledger', async () => {
    const { ask, make, change, remove } = await another();
    const secrets = ['s3cr3t-of-the-user', 'Bearer t0ken-of-the-header'];
    const [secret, authorization] = secrets;
    const { signing_secret, ...made } = await make({ url, username: 'me', secret, authorization });
    const changed = await change(made.id, { description: 'again' });
    const told = JSON.stringify([made, changed.body, (await ask(`/${made.id}`)).body, (await ask()).body]);
    const { db } = get().database;
    const rows = await db.query<{ row: string }>(
      raw(`select e::text as row from callback_endpoints e
      union all select v::text from events v where cause = 'callback_managed'`),
    );
    const stored = rows.map(({ row }) => row).join('\n');
    for (const text of [...secrets, signing_secret.slice(6)]) {
      assert.ok(!told.includes(text ?? ''), text);
      assert.ok(!stored.includes(text ?? ''), text);
      assert.ok(!stored.includes(Buffer.from(text ?? '').toString('hex')), text);
    }
    assert.equal(bodyOf(changed).has_secret, true);
    const { has_secret, has_authorization, username } = bodyOf(
      await change(made.id, { username: null, authorization: null }),
    );
    assert.deepEqual([has_secret, has_authorization, username], [false, false, null]);
    bodyOf(await remove(made.id));
  });

  test('what cannot be is refused by its name, and nothing happens', async () => {
    const { ask, make } = await another();
    const bad: [body: object, message: string][] = [
      [{}, 'url: required'],
      [{ url: 'nowhere' }, 'url: not a valid https address'],
      [{ url: 'http://8.8.8.8/' }, 'url: address not allowed'],
      [{ url: 'https://10.0.0.1/' }, 'url: address not allowed'],
      [{ url: 'https://me:pw@example.com/' }, 'url: must not contain credentials'],
      [{ url, username: 'me' }, 'secret: required with a username'],
      [{ url, secret: 'mine' }, 'username: required with a secret'],
      [{ url, username: 'a b', secret: 'x' }, 'username: must be 1 to 64 characters of A-Z a-z 0-9 . _ @ -'],
      [{ url, format: 'standard', batch_rows: 2 }, 'batch_rows: must be 1 with the format standard'],
    ];
    const { id } = await make({ url });
    for (const [body, message] of bad) {
      await refused(() => ask('', { method: 'POST', body }), 400, 3002, message);
      if ('url' in body) await refused(() => ask(`/${id}`, { method: 'PATCH', body }), 400, 3002, message);
    }
    for (const body of [
      { url, events: [] },
      { url, events: ['nothing'] },
      { url, retry_schedule: 'often' },
      { url, timeout_ms: 999 },
      { url, concurrency: 201 },
      { url, batch_rows: 101 },
      { url, rate_per_second: 0 },
      { url, authorization: 'a\nb' },
    ]) {
      const reply = await get().expectNothingHappened(() => ask('', { method: 'POST', body }));
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(body));
    }
  });

  test('an endpoint of another application, or of none, is unknown to every operation', async () => {
    const { id } = await endpoints.make({ url });
    const elsewhere = [(await another()).ask, useEndpoints(get(), '1').ask, useEndpoints(get(), 'x').ask];
    const calls: [path: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', body?: object][] = [
      ['', 'GET'],
      ['', 'PATCH', { description: 'mine' }],
      ['', 'DELETE'],
      ['/probe', 'POST'],
      ['/rotate-secret', 'POST'],
      ['/test-event', 'POST', {}],
      ['/deliveries', 'GET'],
      ['/attempts', 'GET'],
      ['/replays', 'POST', { message_id: '7' }],
    ];
    for (const [n, ask] of elsewhere.entries())
      for (const [path, method, body] of calls) {
        const thing = n === 0 ? 'callback endpoint' : 'application';
        await refused(() => ask(`/${id}${path}`, { method, body }), 404, 4001, `${thing} not found`);
      }
    for (const ask of elsewhere.slice(1)) {
      await refused(() => ask(), 404, 4001, 'application not found');
      await refused(() => ask('', { method: 'POST', body: { url } }), 404, 4001, 'application not found');
    }
    for (const bad of ['x', '0', '9'.repeat(30)])
      await refused(() => endpoints.ask(`/${bad}`), 404, 4001, 'callback endpoint not found');
    bodyOf(await endpoints.remove(id));
  });

  test('a deleted endpoint takes its queue, its log and its lease along, and no other’s', async () => {
    const { make, remove } = await another();
    const { db } = get().database;
    const gone = await make({ url });
    const kept = await make({ url });
    for (const { id } of [gone, kept]) {
      await db.query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
        select ${id}, 1, 2, generate_series, 'sent', 3 from generate_series(1, 3)`);
      await db.query(sql`insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try,
        rows, outcome, latency_ms) values (${id}, 1, 2, 1, 3, 'sent', 1, 1, 'retry', 5)`);
      await db.query(
        sql`insert into callback_leases (endpoint_id, holder, expires_at) values (${id}, 'node', clock_now())`,
      );
    }
    const count = async ({ id }: { id: string }) => {
      const [row] = await db.query<{ counts: number[] }>(sql`select array[
        (select count(*) from callback_queue where endpoint_id = ${id}), (select count(*) from callback_attempts where endpoint_id = ${id}),
        (select count(*) from callback_leases where endpoint_id = ${id})]::integer[] as counts`);
      return row?.counts;
    };
    bodyOf(await remove(gone.id));
    assert.deepEqual(
      [await count(gone), await count(kept)],
      [
        [0, 0, 0],
        [3, 1, 1],
      ],
    );
  });

  test('without the token of the operator nothing is told or changed', async () => {
    const { id } = await endpoints.make({ url });
    const path = `/admin/v1/applications/${applicationId}/callback-endpoints`;
    const { credential } = await get().makeKey(applicationId);
    for (const request of [
      { path },
      { path, body: { url } },
      { path: `${path}/${id}` },
      { path: `${path}/${id}`, method: 'DELETE' as const },
      { path: `${path}/${id}/rotate-secret`, method: 'POST' as const },
    ])
      for (const who of [null, credential]) {
        const reply = await get().expectNothingHappened(() => get().call({ ...request, credential: who }));
        assert.deepEqual([reply.status, reply.body.code], [401, 2001]);
      }
    bodyOf(await endpoints.remove(id));
  });
});
