/** Pages of an application's events: what stands in them, filters, cursors, waiting. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { json, raw, sql } from '../platform/sql.ts';
import { onEachApp, openTestApp } from '../testing/app.ts';
import { assertRefused, bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';
import { onEachEngine } from '../testing/database.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { until } from '../testing/until.ts';
import { type EventsHouse, mine, note, numberOf, openEvents } from './fixture.ts';
import { appendEvents, type MessageStatus } from './index.ts';

interface Page {
  events: { id: string; cursor: string; at: string; event: string; row: Record<string, unknown> }[];
  next_cursor: string;
}

const names = ({ events }: Page): string[] => events.map(({ event }) => event);
const messageStatuses: readonly string[] = ['plan', 'target_valid', 'sent', 'delivered'] satisfies MessageStatus[];

onEachApp('the list of events', (get) => {
  async function page(app: TestApplication, query = ''): Promise<Page> {
    await untilLedgerIsSettled(get().database.db);
    return bodyOf(await app.call({ path: `/v1/events${query}` }));
  }
  /** One message that arrives, and the page behind which everything of it lies. */
  async function sendOne(app: TestApplication, to = newNumber()) {
    const { next_cursor: before } = await page(app);
    const { messageId, code } = await app.sendCode(to);
    await get().live(3);
    return { to, messageId, code, before };
  }

  test('carries the rows of callbacks with the ids of callbacks, oldest first', async () => {
    const app = await openApplication(get());
    const { to, messageId, before } = await sendOne(app);
    const { events, next_cursor } = await page(app, `?cursor=${before}`);
    assert.deepEqual(
      events.map(({ event }) => event),
      messageStatuses,
    );
    for (const [i, { id, at, row, event }] of events.entries()) {
      assert.match(id, /^evt_\d{19}$/);
      assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const { status, itime, ...rest } = row as { status: Record<string, Record<string, unknown>>; itime: number };
      assert.deepEqual(rest, { message_id: messageId, to, server: 'otp', channel: 'sms' });
      assert.equal(itime, Math.floor(Date.parse(at) / 1000));
      assert.deepEqual([status['message_status'], status['status_data']?.['sequence']], [event, i + 1]);
    }
    assert.deepEqual((await page(app, `?cursor=${next_cursor}`)).events, []);
    assert.ok(!JSON.stringify(events).includes('org_id'));
  });

  test('without a cursor begins with the oldest of the last 24 hours, and pages follow one another without a gap', async () => {
    const app = await openApplication(get());
    const old = await sendOne(app);
    await app.verify(old.messageId, old.code);
    await get().database.clock.travel(86_400_000 + 60_000);
    const fresh = await sendOne(app);
    const whole = await page(app);
    const ids = whole.events.flatMap(({ row }) => (row['message_id'] ? [row['message_id']] : []));
    assert.deepEqual([...new Set(ids)], [fresh.messageId], 'nothing of the day before');
    assert.ok((await page(app, `?cursor=${old.before}`)).events.length >= 8, 'an old cursor goes on where it stands');
    const pages: Page[] = [await page(app, '?limit=2')];
    while ((pages.at(-1)?.events.length ?? 0) > 0)
      pages.push(await page(app, `?limit=2&cursor=${pages.at(-1)?.next_cursor}`));
    assert.deepEqual(
      pages.flatMap(({ events }) => events),
      whole.events,
    );
  });

  test('is filtered by event, family, message and recipient, and by all of them together', async () => {
    const app = await openApplication(get());
    const one = await sendOne(app);
    const two = await sendOne(app);
    await app.verify(two.messageId, two.code);
    const from = `cursor=${one.before}`;
    assert.deepEqual(names(await page(app, `?${from}&type=delivered,verified`)), [
      'delivered',
      'delivered',
      'verified',
    ]);
    assert.deepEqual(names(await page(app, `?${from}&message_id=${one.messageId}`)), messageStatuses);
    for (const to of [encodeURIComponent(two.to), two.to.slice(1), encodeURIComponent(two.to.replace('+65', '+65 '))])
      assert.deepEqual(names(await page(app, `?${from}&to=${to}`)), [...messageStatuses, 'verified'], to);
    const both = `?${from}&to=${encodeURIComponent(two.to)}&type=sent&message_id=${two.messageId}`;
    assert.deepEqual(names(await page(app, both)), ['sent']);
    assert.deepEqual(names(await page(app, both.replace(two.messageId, one.messageId))), []);
    await app.story(one.messageId);
    assert.deepEqual(names(await page(app, `?${from}&type=system_event`)), ['msg_history']);
    assert.deepEqual(names(await page(app, `?${from}&type=notification,%20response`)), []);
    const counted = await page(app, `?${from}&type=delivered&limit=1`);
    assert.deepEqual(names(await page(app, `?cursor=${counted.next_cursor}&type=delivered&limit=1`)), ['delivered']);
  });

  test('refuses what is no filter, and no cursor', async () => {
    const app = await openApplication(get());
    const cases: [query: string, message: RegExp][] = [
      ['type=delivred', /^type: must name events/],
      ['type=', /^type: must be at least 1 character/],
      ['message_id=x', /^message_id: must be a message id/],
      ['to=nobody', /^to: not a valid phone number/],
      ['cursor=2072832692843466759', /^cursor: not a cursor/],
      ['cursor=1-99999999-0', /^cursor: from before a restore; start without a cursor/],
      ['cursor=2-5-0', /^cursor: from before a restore; start without a cursor/],
      ['limit=1001', /^limit: must be at most 1000/],
      ['wait=31', /^wait: must be at most 30/],
    ];
    for (const [query, message] of cases) {
      const reply = await app.call({ path: `/v1/events?${query}` });
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], query);
      assert.match(reply.body.message, message);
    }
  });

  test('leaves out what is past retention or forgotten, and goes on behind it', async () => {
    const app = await openApplication(get(), { policy: { retention_days: 2 } });
    const one = await sendOne(app);
    await get().database.clock.travel(2 * 86_400_000);
    const two = await sendOne(app);
    const statuses = (listed: Page) => listed.events.map(({ row }) => row['message_id']);
    assert.deepEqual(new Set(statuses(await page(app, `?cursor=${one.before}`))), new Set([two.messageId]));
    await get().app.retention.sweep();
    assert.deepEqual(new Set(statuses(await page(app, `?cursor=${one.before}`))), new Set([two.messageId]));
  });

  test('no other application’s events are listed, whatever is asked for', async () => {
    const [app, stranger] = [await openApplication(get()), await openApplication(get())];
    const { to, messageId, before } = await sendOne(app);
    for (const query of [`cursor=${before}`, `message_id=${messageId}`, `to=${encodeURIComponent(to)}`]) {
      const { events } = await page(stranger, `?${query}`);
      assert.ok(!JSON.stringify(events).includes(messageId), query);
    }
    assertRefused(await get().call({ path: '/v1/events', credential: null }), 2001, undefined as never, 401);
  });

  test('a ledger restored in another cluster shows everything in order; cursors of before are refused', async () => {
    const app = await openApplication(get());
    const { before, messageId } = await sendOne(app);
    const { db } = get().database;
    const whole = await page(app);
    // As after a dump: the numbers of the old cluster are far ahead, and in another order than this one would give them.
    await db.query(raw('update events set txid = (900000000 - position)::text::xid8 where position % 2 = 0'));
    await db.query(raw("update ledger_origin set system_identifier = 'elsewhere'"));
    const restored = await openTestApp(get().database);
    const again = (query = '') => restored.call({ path: `/v1/events${query}`, credential: app.credential });
    try {
      const refused = await again(`?cursor=${before}`);
      assert.deepEqual(
        [refused.status, refused.body.message],
        [400, 'cursor: from before a restore; start without a cursor'],
      );
      const { events, next_cursor } = bodyOf(await again());
      const told = ({ id, row }: Page['events'][number]) => [id, row];
      assert.deepEqual(events.map(told), whole.events.map(told));
      assert.match(next_cursor, /^2-/);
      await app.story(messageId);
      assert.deepEqual(names(bodyOf(await again(`?cursor=${next_cursor}`))), ['msg_history']);
    } finally {
      await restored.close();
    }
  });
});

onEachEngine('waiting for events', (get) => {
  let house: EventsHouse;
  before(async () => {
    house = await openEvents(get(), { limits: { maxPerKey: 2 } });
  });
  after(() => house.close());
  /** Behind everything. */
  async function here(): Promise<string> {
    const listener = await house.listen();
    const place = await until('the first block', () => listener.place());
    listener.drop();
    return place;
  }

  test('answers at once with what is there, else when something comes, else empty when the time is over', async () => {
    const { db } = get();
    const cursor = await here();
    const waiting = house.list(`?wait=30&cursor=${cursor}`);
    await appendEvents(db, [note(1), note(2)]);
    const { events, next_cursor } = (await waiting).body;
    const found = events.map(numberOf);
    assert.ok(found[0] === 1 && found.length <= 2);
    await untilLedgerIsSettled(db);
    assert.deepEqual((await house.list(`?wait=30&cursor=${cursor}`)).body.events.map(numberOf), [1, 2]);
    const startedAt = performance.now();
    const nothing = (await house.list(`?wait=1&type=verified&cursor=${next_cursor}`)).body;
    assert.ok(performance.now() - startedAt >= 990);
    assert.deepEqual(nothing.events, []);
    assert.deepEqual((await house.list(`?cursor=${nothing.next_cursor}`)).body.events, [], 'the cursor has moved');
  });

  test('one that waits for a filter passes over the rest, and never takes more than its limit', async () => {
    const { db } = get();
    const cursor = await here();
    const waiting = house.list(`?wait=30&type=api_call&limit=2&cursor=${cursor}`);
    await appendEvents(db, [note(3)]);
    const call = { ...note(4), cause: 'api_called', status: 'api_call' } as const;
    await appendEvents(db, [call, call, call]);
    const { events, next_cursor } = (await waiting).body;
    assert.equal(events.length, 2);
    await untilLedgerIsSettled(db);
    assert.equal((await house.list(`?type=api_call&cursor=${next_cursor}`)).body.events.length, 1);
  });

  test('a page reads two thousand entries at most, and its cursor moves past them', async () => {
    const { db } = get();
    const cursor = await here();
    await db.query(sql`insert into events (application_id, message_id, cause, status, data)
      select ${mine}::bigint, 0, 'uplink', 'uplink_message', ${json({ body: 'x' })}::jsonb from generate_series(1, 2100)`);
    await appendEvents(db, [{ ...note(5), cause: 'api_called', status: 'api_call' }]);
    await untilLedgerIsSettled(db);
    const first = (await house.list(`?type=api_call&wait=30&cursor=${cursor}`)).body;
    assert.deepEqual(first.events, []);
    assert.equal((await house.list(`?type=api_call&cursor=${first.next_cursor}`)).body.events.length, 1);
    const rest = (await house.list(`?limit=1000&cursor=${first.next_cursor}`)).body;
    assert.equal(rest.events.length, 101);
  });

  test('waiting requests count among the streams of a key, and one that is gone frees its place', async () => {
    const cursor = await here();
    const listeners = await until('two places', async () => {
      const two = [await house.listen(), await house.listen()];
      if (two.every(({ status }) => status === 200)) return two;
      for (const listener of two) listener.drop();
      return null;
    });
    const waiting = `?wait=1&type=verified&cursor=${cursor}`;
    const refused = await house.list(waiting);
    assert.deepEqual([refused.status, refused.body.code], [429, 3004]);
    for (const listener of listeners) listener.drop();
    await until('a place', async () => (await house.list(waiting)).status === 200);
  });
});
