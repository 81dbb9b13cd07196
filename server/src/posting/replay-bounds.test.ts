/** How much a replay may ask for, and what is none. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { messageIdOf } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

const dayMs = 86_400_000;

onEachApp('the bounds of a replay', (get) => {
  let app: { id: string };
  let endpoints: ReturnType<typeof useEndpoints>;
  before(async () => {
    await get().database.clock.freeze();
    app = await get().makeApplication();
    endpoints = useEndpoints(get(), app.id);
  });

  const query = <T extends object>(statement: ReturnType<typeof sql>) => get().database.db.query<T>(statement);
  const now = (): number => get().database.clock.now();
  const iso = (ms: number): string => new Date(ms).toISOString();
  const late = async (events: string[] = ['message_status']): Promise<string> =>
    (await endpoints.make({ url: 'https://localhost/hook', events })).id;

  async function queued(id: string, body: object): Promise<number> {
    const reply = bodyOf(await endpoints.replay(id, body));
    assert.deepEqual(Object.keys(reply), ['queued']);
    return reply.queued;
  }

  async function refused(id: string, body: object, message: string): Promise<void> {
    const reply: TestReply = await get().expectNothingHappened(() => endpoints.replay(id, body));
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 3002, message], JSON.stringify(body));
  }

  test('goes through more than it takes at once, up to 100,000 events', async () => {
    const { clock } = get().database;
    await clock.travel(10 * dayMs);
    const from = now();
    const add = (count: number) =>
      query(sql`insert into events (application_id, message_id, at, cause, status)
        select ${app.id}, ${messageIdOf(now(), 0, 0)}::bigint + n % 1000, clock_now(), 'receipt_late', 'delivered'
        from generate_series(1, ${count}::integer) as n`);
    await add(12_000);
    const id = await late(['delivered']);
    assert.equal(await queued(id, { from: iso(from) }), 12_000);
    const [row] = await query<{ rows: number; events: number }>(sql`
      select count(*)::integer as rows, count(distinct position)::integer as events from callback_queue where endpoint_id = ${id}`);
    assert.deepEqual(row, { rows: 12_000, events: 12_000 });
    await query(
      sql`update callback_queue set tries = 25, due_at = null, given_up_at = clock_now() where endpoint_id = ${id}`,
    );
    await clock.travel(1000);
    assert.equal(await queued(id, { failed_since: iso(from) }), 12_000);
    for (let time = 0; time < 9; time++) await add(10_000);
    const much = 'more than 100000 events at once; replay a shorter time, or fewer kinds of events';
    await refused(id, { from: iso(from) }, `from: ${much}`);
    await query(sql`delete from callback_queue where endpoint_id = ${id}`);
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id, due_at, given_up_at)
      select ${id}, ${app.id}, 7, n, 'sent', n, null, clock_now() from generate_series(1, 100001) as n`);
    await refused(id, { failed_since: iso(from) }, `failed_since: ${much}`);
    bodyOf(await endpoints.remove(id));
  });

  test('that asks for nothing, for two things, or for a time that ends before it begins is refused', async () => {
    const id = await late();
    const one = 'give one of event_ids, message_id, from, failed_since';
    const time = '2026-07-03T00:00:00Z';
    await refused(id, {}, `event_ids: ${one}`);
    await refused(id, { events: ['sent'] }, `event_ids: ${one}`);
    await refused(id, { message_id: '7', from: time }, `from: ${one}`);
    await refused(id, { message_id: '7', until: time }, 'until: belongs to from');
    await refused(id, { failed_since: time, events: ['sent'] }, 'events: belongs to from');
    await refused(id, { from: time, until: time }, 'until: must be later than from');
    for (const body of [
      { event_ids: [] },
      { event_ids: ['7'] },
      { event_ids: Array.from({ length: 101 }, () => 'evt_2072832692843466759') },
      { message_id: '0' },
      { from: 'yesterday' },
      { from: time, events: ['nothing'] },
    ]) {
      const reply = await get().expectNothingHappened(() => endpoints.replay(id, body));
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(body));
    }
    for (const body of [
      { from: '0001-01-01T00:00:00Z', until: '0002-01-01T00:00:00Z' },
      { from: '9998-01-01T00:00:00Z', until: '9999-12-31T23:59:59Z' },
    ])
      assert.equal(await queued(id, body), 0);
    bodyOf(await endpoints.remove(id));
  });
});
