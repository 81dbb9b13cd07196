/** Allow and block lists through the whole app: what they refuse, what lifts it, on which nodes and for how long. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp, openTestApp, type TestReply } from '../testing/app.ts';
import { bodyOf, openApplication, type TestApplication, useApplication } from '../testing/application.ts';
import { until } from '../testing/until.ts';

const prefixOf = (number: string, length: number): string => number.slice(1, length + 1);

onEachApp('allow and block lists', (get) => {
  let app: TestApplication;
  let other: TestApplication;
  let count = 0;
  before(async () => {
    app = await openApplication(get(), {
      templates: [{}, { template_id: 'chain', send_channel_strategy: 'sms|email' }],
    });
    other = await openApplication(get());
  });

  /** Each in a prefix of its own. */
  const number = (): string => `+6581${String(++count).padStart(3, '0')}111`;
  const add = (entry: object): Promise<TestReply> =>
    get().operator({ path: '/admin/v1/lists', body: { kind: 'block', reason: 'test', ...entry } });
  const list = async (entry: object) => bodyOf(await add(entry));
  const remove = async (id: string) =>
    bodyOf(await get().operator({ method: 'DELETE', path: `/admin/v1/lists/${id}` }));

  async function refused(to: string, code = 5013, more: object = {}, by = app): Promise<void> {
    const { status, body } = await get().expectNothingHappened(() => by.send(to, { ...more }));
    assert.deepEqual([status, body.code], [400, code], JSON.stringify(body));
    if (code === 5013)
      assert.deepEqual([body.message, body.reason, body.details], ['Blacklisted', undefined, undefined]);
  }

  test('a number and a prefix are refused until the entry is gone; the ledger tells who did it', async () => {
    for (const type of ['number', 'prefix']) {
      const to = number();
      const value = type === 'number' ? ` ${to.slice(0, 3)} ${to.slice(3)}` : `+${prefixOf(to, 7)}`;
      const entry = await list({ application_id: app.id, type, value, author: 'ana' });
      assert.deepEqual(
        [entry.value, entry.author, entry.expires_at],
        [type === 'number' ? to : prefixOf(to, 7), 'ana', null],
      );
      await refused(to);
      bodyOf(await other.send(to));
      await remove(entry.id);
      bodyOf(await app.send(to));
      const told = (await listEvents(get().database.db, app.id, '0')).filter(
        ({ data }) => data?.['entry'] === entry.id,
      );
      assert.deepEqual(
        told.map(({ cause, data }) => [cause, data?.['action'], data?.['author']]),
        [
          ['list_managed', 'add', 'ana'],
          ['list_managed', 'remove', 'ana'],
        ],
      );
    }
  });

  test('an entry for every application holds for each, and stands in the ledger under none', async () => {
    const to = number();
    const entry = await list({ type: 'number', value: to });
    await refused(to);
    await refused(to, 5013, {}, other);
    const told = (await listEvents(get().database.db, '0', '0')).filter(({ data }) => data?.['entry'] === entry.id);
    assert.equal(told.length, 1);
  });

  test('the most specific entry decides, then the one of the application, then allow', async () => {
    const to = number();
    await list({ type: 'prefix', value: prefixOf(to, 7) });
    await refused(to);
    await list({ kind: 'allow', type: 'prefix', value: prefixOf(to, 8) });
    bodyOf(await app.send(to));
    await list({ application_id: other.id, type: 'prefix', value: prefixOf(to, 8) });
    await refused(to, 5013, {}, other);
    await list({ application_id: other.id, kind: 'allow', type: 'prefix', value: prefixOf(to, 8) });
    bodyOf(await other.send(to));
    const sibling = `${to.slice(0, -1)}2`;
    await list({ type: 'number', value: sibling });
    await refused(sibling);
  });

  test('a number is allowed for an hour in one operation, and refused again afterwards', async () => {
    const to = number();
    await list({ type: 'number', value: to });
    const body = { application_id: app.id, target: to, seconds: 3600, reason: 'called support' };
    const allowed = bodyOf(await get().operator({ path: '/admin/v1/allowances', body }));
    assert.deepEqual([allowed.kind, allowed.type, allowed.value], ['allow', 'number', to]);
    assert.equal(Date.parse(allowed.expires_at) - Date.parse(allowed.created_at), 3_600_000);
    bodyOf(await app.send(to));
    await refused(to, 5013, {}, other);
    await get().database.clock.travel(3_600_000);
    await refused(to);
  });

  test('an entry that is made again gets the new reason and expiry, and ends then', async () => {
    const to = number();
    const first = await list({ type: 'number', value: to });
    const expires_at = new Date(get().database.clock.now() + 60_000).toISOString();
    const again = await list({ type: 'number', value: to, reason: 'for a minute', expires_at });
    assert.deepEqual([again.id, again.reason, again.expires_at], [first.id, 'for a minute', expires_at]);
    await refused(to);
    await get().database.clock.travel(60_000);
    bodyOf(await app.send(to));
  });

  test('a listed address loses its steps, and the ledger names the entry', async () => {
    const to = number();
    const chain = (email: string) => ({ template: { id: 'chain' }, alternate_to: { email } });
    const { id } = await list({ type: 'number', value: to });
    const sent = bodyOf(await app.send(to, chain('ana@example.org')));
    assert.equal(sent.send_channel, 'email');
    const events = await listEvents(get().database.db, app.id, sent.message_id);
    const skipped = events.filter(({ cause }) => cause === 'step_skipped').map(({ data }) => data);
    assert.deepEqual(skipped, [{ reason: 'listed', list_entry: id }]);
    assert.match(JSON.stringify(await app.story(sent.message_id)), /the address is on a block list/);
    await list({ type: 'email_domain', value: 'Bad.Example.ORG' });
    await refused(to, 5013, chain('ana@bad.example.org'));
    bodyOf(await app.send(number(), chain('ana@bad.example.org')));
  });

  test('the list is said before opt-outs and limits', async () => {
    const to = number();
    bodyOf(await app.send(to));
    bodyOf(await get().operator({ path: `/admin/v1/applications/${app.id}/opt-outs`, body: { target: to } }));
    await list({ type: 'number', value: to });
    await refused(to);
    await refused(to, 3003, { template: { id: 'login' }, ttl_seconds: 60 });
  });

  test('a country is not enabled, an allowed number in it is, and China without permission stays 5017', async () => {
    const country = await list({ application_id: app.id, type: 'country', value: 'de' });
    assert.equal(country.value, 'DE');
    const to = '+4915112345678';
    const { body } = await get().expectNothingHappened(() => app.send(to));
    assert.deepEqual(
      [body.code, body.reason, body.message],
      [3003, 'country_not_enabled', 'destination country DE not enabled'],
    );
    await list({ application_id: app.id, kind: 'allow', type: 'number', value: to });
    bodyOf(await app.send(to));
    await list({ application_id: app.id, type: 'country', value: 'CN' });
    await refused('+8613800138000', 3003);
    await app.changePolicy({ china_permission: false });
    await refused('+8613800138000', 5017);
  });

  test('an address of the caller’s user is refused by range, and let through by a narrower one', async () => {
    const from = (ip: string) => ({ signals: { ip } });
    assert.equal((await list({ type: 'ip', value: '203.0.113.77/24' })).value, '203.0.113.0/24');
    assert.equal((await list({ type: 'ip', value: '2001:DB8::1/32' })).value, '2001:db8::/32');
    await refused(number(), 5013, from('203.0.113.9'));
    await refused(number(), 5013, from('::ffff:203.0.113.9'));
    await refused(number(), 5013, from('2001:db8:1::9'));
    bodyOf(await app.send(number(), from('203.0.114.9')));
    await list({ kind: 'allow', type: 'ip', value: '203.0.113.9' });
    bodyOf(await app.send(number(), from('203.0.113.9')));
  });

  test('a resend and a next channel to an address listed since are refused', async () => {
    const to = number();
    const { message_id } = bodyOf(await app.send(to));
    const both = bodyOf(await app.send(to, { template: { id: 'chain' }, alternate_to: { email: 'b@later.example' } }));
    await get().app.delivery.runUntilIdle();
    await get().database.clock.travel(31_000);
    await list({ type: 'number', value: to });
    await list({ type: 'email_domain', value: 'later.example' });
    for (const reply of [await app.act(message_id, 'resend', {}), await app.act(both.message_id, 'next-channel', {})])
      assert.deepEqual([reply.status, reply.body.code], [400, 5013], JSON.stringify(reply.body));
  });

  test('the numbers of the sandbox are on no list', async () => {
    await list({ application_id: app.id, type: 'prefix', value: '1000' });
    bodyOf(await app.send('+10000000000'));
  });

  test('entries are listed newest first by application, kind, type and value', async () => {
    const crowded = await openApplication(get(), { templates: [] });
    const values = ['7701', '7702', '7703'];
    for (const value of values) await list({ application_id: crowded.id, type: 'prefix', value });
    const page = async (query: string) => bodyOf(await get().operator({ path: `/admin/v1/lists${query}` }));
    const seen = async (query: string) => (await page(query)).entries.map(({ value }: { value: string }) => value);
    const mine = `?application_id=${crowded.id}`;
    assert.deepEqual(await seen(mine), values.toReversed());
    const first = await get().operator({ path: `/admin/v1/lists${mine}&limit=2` });
    const next = `${mine}&limit=2&cursor=${bodyOf(first).next_cursor}`;
    assert.equal(first.headers['link'], `</admin/v1/lists${next}>; rel="next"`);
    const odd = await get().operator({ path: `/admin/v1/lists${mine}&limit=2&note=a?b` });
    assert.ok(String(odd.headers['link']).includes('&note=a%3Fb&cursor='), JSON.stringify([odd.body, odd.headers]));
    const last = await get().operator({ path: `/admin/v1/lists${next}` });
    assert.deepEqual([bodyOf(last).entries.length, last.headers['link']], [1, undefined]);
    assert.deepEqual(await seen(next), ['7701']);
    assert.deepEqual(await seen(`${mine}&kind=allow`), []);
    assert.deepEqual(await seen(`${mine}&type=prefix&value=7702`), ['7702']);
    const global = (await page('?application_id=global&limit=100')).entries;
    assert.ok(global.length > 0 && global.every((entry: { application_id: null }) => entry.application_id === null));
  });

  test('what is no value of its type, no application or no time is refused, and nothing happens', async () => {
    const cases: [object, number][] = [
      [{ type: 'number', value: '12' }, 5011],
      [{ type: 'number', value: 'ana@example.com' }, 5011],
      ...['', '0', '12a', '1234567890123456'].map((value): [object, number] => [{ type: 'prefix', value }, 3002]),
      ...['1.2.3', '1.2.3.4/33', '::/129', '1.2.3.4/-1', 'fe80::1%eth0', '1.2.3.4/8/8', '::ffff:1.2.3.4/8'].map(
        (value): [object, number] => [{ type: 'ip', value }, 3002],
      ),
      ...['com', 'a b.com', '@a.com', '.a.com'].map((value): [object, number] => [
        { type: 'email_domain', value },
        3002,
      ]),
      [{ type: 'country', value: 'SGP' }, 3002],
      [{ type: 'odd', value: 'x' }, 3002],
      [{ type: 'country', value: 'SG', reason: '' }, 3002],
      [{ type: 'country', value: 'SG', expires_at: 'soon' }, 3002],
      [{ type: 'country', value: 'SG', application_id: '1' }, 4001],
    ];
    for (const [entry, code] of cases) {
      const reply = await get().expectNothingHappened(() => add(entry));
      assert.equal(reply.body.code, code, JSON.stringify([entry, reply.body]));
    }
    const allow = (body: object): Promise<TestReply> =>
      get().operator({
        path: '/admin/v1/allowances',
        body: { application_id: app.id, target: number(), seconds: 60, reason: 'x', ...body },
      });
    for (const [body, code] of [
      [{ seconds: 59 }, 3002],
      [{ seconds: 86_401 }, 3002],
      [{ target: 'a@b.co' }, 5011],
      [{ application_id: '1' }, 4001],
    ] as const)
      assert.equal((await get().expectNothingHappened(() => allow(body))).body.code, code);
  });

  test('a send that began while a block was being committed is refused by it', async () => {
    const { db, kind } = get().database;
    const to = number();
    const written = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const block = db.transaction(async (tx) => {
      await tx.query(sql`lock table list_entries in access exclusive mode`);
      await tx.query(
        sql`insert into list_entries (kind, type, value, reason, author) values ('block', 'number', ${to}, 'x', 'x')`,
      );
      written.resolve();
      await mayCommit.promise;
    });
    await written.promise;
    const send = app.send(to);
    if (kind === 'postgres')
      await until(
        'the send waits',
        async () => (await db.query(sql`select 1 from pg_locks where not granted`)).length > 0,
      );
    mayCommit.resolve();
    await block;
    assert.equal((await send).body.code, 5013);
  });

  test('a block set while two nodes send holds on both: nothing is accepted after its commit', async () => {
    const { database } = get();
    const second = database.kind === 'postgres' ? await openTestApp(database) : get();
    const nodes = [app, useApplication(second, app.id, app.credential)];
    const prefix = '658199';
    let blocked = false;
    const late: TestReply[] = [];
    let accepted = 0;
    async function sender(node: (typeof nodes)[number], offset: number): Promise<void> {
      for (let i = 0; i < 60; i++) {
        const afterwards = blocked;
        const reply = await node.send(`+${prefix}${String(offset + i).padStart(4, '0')}`);
        if (afterwards) late.push(reply);
        else if (reply.status === 200) accepted++;
        if (i === 20 && offset === 0) {
          bodyOf(await add({ type: 'prefix', value: prefix }));
          blocked = true;
        }
      }
    }
    await Promise.all(nodes.flatMap((node, n) => [sender(node, n * 1000), sender(node, n * 1000 + 500)]));
    assert.ok(accepted > 20 && late.length >= 39);
    assert.deepEqual([...new Set(late.map(({ body }) => body.code))], [5013]);
    if (second !== get()) await second.close();
  });
});
