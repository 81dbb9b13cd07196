/** What waits for an endpoint, what was tried, and what retention forgets of both. Rows as the engine writes them. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { messageIdOf } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

const url = 'https://localhost/hook';
const dayMs = 86_400_000;
type Shown = Record<string, unknown>;

onEachApp('the log of an endpoint', (get) => {
  let app: TestApplication;
  let endpoints: ReturnType<typeof useEndpoints>;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), { policy: { retention_days: 2 } });
    endpoints = useEndpoints(get(), app.id);
  });

  const query = (statement: ReturnType<typeof sql>) => get().database.db.query(statement);

  async function send(): Promise<string> {
    const { message_id } = bodyOf(await app.send(newNumber()));
    await get().live(2);
    return message_id;
  }

  /** Every page of a list of two. */
  async function pages(
    list: (query: string) => ReturnType<typeof endpoints.deliveries>,
    name: string,
  ): Promise<Shown[]> {
    const seen: Shown[] = [];
    for (let cursor = ''; ; ) {
      const page = bodyOf(await list(`?limit=2${cursor && `&cursor=${cursor}`}`));
      assert.ok(page[name].length <= 2);
      seen.push(...page[name]);
      if (page.next_cursor === null) return seen;
      cursor = page.next_cursor;
    }
  }

  test('the queue tells what waits, what is tried again and what was given up, newest message first', async () => {
    const { id } = await endpoints.make({ url, events: ['message_status'] });
    const [first, second] = [await send(), await send()];
    await query(sql`update callback_queue set tries = 2, due_at = clock_now() + interval '1 hour'
      where endpoint_id = ${id} and message_id = ${first} and position = (
        select min(position) from callback_queue where endpoint_id = ${id} and message_id = ${first})`);
    await query(sql`update callback_queue set tries = 25, due_at = null, given_up_at = clock_now()
      where endpoint_id = ${id} and message_id = ${second} and position = (
        select min(position) from callback_queue where endpoint_id = ${id} and message_id = ${second})`);
    const { deliveries, next_cursor } = bodyOf(await endpoints.deliveries(id));
    const waiting = ['delivered', 'sent', 'target_valid'].map((event) => [event, 'waiting', 0]);
    const shown = ({ event, state, tries }: Shown) => [event, state, tries];
    assert.deepEqual(deliveries.map(shown), [
      ...waiting,
      ['plan', 'given_up', 25],
      ...waiting,
      ['plan', 'retrying', 2],
    ]);
    assert.equal(next_cursor, null);
    const nowMs = get().database.clock.now();
    const given = deliveries[3];
    const { event_id, at } = given;
    assert.match(event_id, /^evt_\d{19}$/);
    assert.deepEqual(given, {
      event_id,
      message_id: second,
      event: 'plan',
      at,
      state: 'given_up',
      tries: 25,
      due_at: null,
      given_up_at: new Date(nowMs).toISOString(),
      replayed: false,
    });
    assert.deepEqual(
      [deliveries[7].due_at, deliveries[7].given_up_at],
      [new Date(nowMs + 3_600_000).toISOString(), null],
    );
    assert.deepEqual(await pages((text) => endpoints.deliveries(id, text), 'deliveries'), deliveries);
    const only = async (text: string) => bodyOf(await endpoints.deliveries(id, text)).deliveries;
    assert.deepEqual(await only('?state=given_up'), [deliveries[3]]);
    assert.deepEqual(await only('?state=retrying'), [deliveries[7]]);
    assert.equal((await only('?state=waiting')).length, 6);
    assert.deepEqual(await only(`?message_id=${first}`), deliveries.slice(4));
    assert.deepEqual(await only(`?message_id=${first}&state=given_up`), []);
    bodyOf(await endpoints.remove(id));
  });

  test('an event that the ledger has forgotten still shows that it waits', async () => {
    const { id } = await endpoints.make({ url });
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
      values (${id}, ${app.id}, 7, 8, 'sent', 2072832692843466759)`);
    const [row] = bodyOf(await endpoints.deliveries(id)).deliveries;
    assert.deepEqual([row.event, row.at, row.event_id], [null, null, 'evt_2072832692843466759']);
    bodyOf(await endpoints.remove(id));
  });

  /** A try that failed, or what else is said of it. */
  const tried = (id: string, row: Shown) => {
    const all: Shown = { message: '7', event: '1', status: 'sent', number: 1, outcome: 'retry', http: 500, ...row };
    return query(sql`insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try, at,
        rows, outcome, http_status, detail, response, latency_ms, next_at)
      values (${id}, ${app.id}, ${all['message']}, 8, ${all['event']}, ${all['status']}, ${all['number']}, clock_now(), 1,
        ${all['outcome']}, ${all['http']}, 'answered 500', 'no', 41, clock_now() + interval '1 minute')`);
  };

  test('the log tells every try, newest first, by event, message and outcome', async () => {
    const { id } = await endpoints.make({ url });
    const other = await endpoints.make({ url });
    await tried(other.id, {});
    await tried(id, { event: '11' });
    await tried(id, { event: '11', number: 2, outcome: 'accepted', http: 204 });
    await tried(id, { event: '12', message: '9', status: 'delivered', outcome: 'given_up', http: null });
    const { attempts, next_cursor } = bodyOf(await endpoints.attempts(id));
    const nowMs = get().database.clock.now();
    const at = new Date(nowMs).toISOString();
    const common = { at, rows: 1, detail: 'answered 500', response: 'no', latency_ms: 41 };
    const next_at = new Date(nowMs + 60_000).toISOString();
    const expected = [
      ['evt_12', '9', 'delivered', 1, 'given_up', null],
      ['evt_11', '7', 'sent', 2, 'accepted', 204],
      ['evt_11', '7', 'sent', 1, 'retry', 500],
    ].map(([event_id, message_id, event, number, outcome, http_status]) => ({
      event_id,
      message_id,
      event,
      try: number,
      outcome,
      http_status,
      ...common,
      next_at,
    }));
    assert.deepEqual(attempts, expected);
    assert.equal(next_cursor, null);
    assert.deepEqual(await pages((text) => endpoints.attempts(id, text), 'attempts'), expected);
    const only = async (text: string) => bodyOf(await endpoints.attempts(id, text)).attempts;
    assert.deepEqual(await only('?event_id=evt_11'), expected.slice(1));
    assert.deepEqual(await only('?message_id=9'), expected.slice(0, 1));
    assert.deepEqual(await only('?outcome=accepted'), expected.slice(1, 2));
    assert.deepEqual(await only('?outcome=accepted&event_id=evt_12'), []);
    for (const one of [id, other.id]) bodyOf(await endpoints.remove(one));
  });

  test('what is no filter or cursor of these lists is refused', async () => {
    const { id } = await endpoints.make({ url });
    const bad = [
      'state=odd',
      'message_id=x',
      'cursor=x',
      'cursor=7',
      'cursor=7-8-9',
      'cursor=-8',
      'limit=0',
      'limit=101',
    ];
    for (const text of bad) {
      const reply = await endpoints.deliveries(id, `?${text}`);
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], text);
    }
    for (const text of [
      'event_id=7',
      'event_id=evt_',
      'event_id=evt_x',
      'outcome=odd',
      'cursor=7-8',
      'message_id=-1',
    ]) {
      const reply = await endpoints.attempts(id, `?${text}`);
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], text);
    }
    bodyOf(await endpoints.remove(id));
  });

  test('queue and log of a message are forgotten with it, those of events of no message with their time', async () => {
    const { app: all, database } = get();
    const other = await openApplication(get(), { policy: { retention_days: 3650 } });
    const theirs = await useEndpoints(get(), other.id).make({ url, events: ['verified'] });
    const { id } = await endpoints.make({ url, events: ['verified'] });
    const nowMs = database.clock.now();
    const put = async (endpoint: string, application: string, message: string, event: string): Promise<void> => {
      await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
        values (${endpoint}, ${application}, ${message}, ${event.slice(-9)}, 'sent', ${event})`);
      await query(sql`insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try,
        rows, outcome, latency_ms) values (${endpoint}, ${application}, ${message}, 1, ${event}, 'sent', 1, 1, 'retry', 5)`);
    };
    const idAt = (ms: number): string => messageIdOf(nowMs + ms, 0, 0);
    const times = [-3 * dayMs, -2 * dayMs - 1000, -2 * dayMs + 1000, 0];
    for (const ms of times) {
      await put(id, app.id, idAt(ms), idAt(ms + 500));
      await put(id, app.id, '0', idAt(ms + 500));
    }
    await put(theirs.id, other.id, idAt(-3 * dayMs), idAt(-3 * dayMs));
    await all.retention.sweep();
    const left = async (endpoint: string, table: 'deliveries' | 'attempts', of = endpoints): Promise<unknown[]> =>
      bodyOf(await of[table](endpoint)).next_cursor === null
        ? bodyOf(await of[table](endpoint))[table].map(({ message_id, event_id }: Shown) => [message_id, event_id])
        : [];
    const kept = [0, -2 * dayMs + 1000];
    const rows = [
      ...kept.map((ms) => [idAt(ms), `evt_${idAt(ms + 500)}`]),
      ...kept.map((ms) => ['0', `evt_${idAt(ms + 500)}`]),
    ].sort();
    assert.deepEqual((await left(id, 'deliveries')).sort(), rows);
    assert.deepEqual((await left(id, 'attempts')).sort(), rows);
    assert.equal((await left(theirs.id, 'attempts', useEndpoints(get(), other.id))).length, 1);
    assert.equal((await left(theirs.id, 'deliveries', useEndpoints(get(), other.id))).length, 1);
    bodyOf(await endpoints.remove(id));
  });

  test('no more is forgotten at once than asked for', async () => {
    const { id } = await endpoints.make({ url });
    const old = messageIdOf(get().database.clock.now() - 9 * dayMs, 0, 0);
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
      select ${id}, ${app.id}, ${old}, generate_series, 'sent', ${old} from generate_series(1, 5)`);
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
      select ${id}, ${app.id}, 0, generate_series, 'sent', ${old} from generate_series(1, 5)`);
    const { forget } = get().app.posting;
    const belowId = messageIdOf(get().database.clock.now() - 8 * dayMs, 0, 0);
    const removed: number[] = [];
    for (let time = 0; time < 4; time++) removed.push(await forget(app.id, belowId, 4));
    assert.deepEqual(removed, [4, 4, 2, 0]);
    bodyOf(await endpoints.remove(id));
  });
});
