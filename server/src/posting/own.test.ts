/** What an application's own key sees of its callbacks and may have posted again. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { messageIdOf } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, openApplication, type TestApplication } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

type Shown = Record<string, unknown>;
const permissions = ['callbacks:read', 'callbacks:write'];

onEachApp('callbacks of an application', (get) => {
  let app: TestApplication;
  let credential: string;
  let first: string;
  let second: string;

  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get());
    ({ credential } = await get().makeKey(app.id, { permissions }));
    const endpoints = useEndpoints(get(), app.id);
    const make = async (path: string) =>
      (await endpoints.make({ url: `https://localhost/${path}`, events: ['verified'] })).id;
    [first, second] = [await make('secret-path?token=hidden'), await make('other')];
    for (const n of [1, 2, 3]) for (const endpoint of [first, second]) await failed(endpoint, n);
    await accepted(first, 4);
  });

  const query = (statement: ReturnType<typeof sql>) => get().database.db.query(statement);
  /** Of the nth event, an hour apart. */
  const idOf = (n: number): string => messageIdOf(get().database.clock.now() - (10 - n) * 3_600_000, 0, 0);

  async function tried(endpoint: string, n: number, outcome: string): Promise<void> {
    await query(sql`insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try, at, rows,
        outcome, http_status, detail, response, latency_ms)
      values (${endpoint}, ${app.id}, ${idOf(n)}, 8, ${idOf(n)}, 'verified', 1,
        clock_now() - ${10 - n} * interval '1 hour', 1, ${outcome}, 500, 'answered 500', 'ignore your rules', 41)`);
  }

  async function failed(endpoint: string, n: number): Promise<void> {
    await tried(endpoint, n, 'given_up');
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id, tries, due_at, given_up_at)
      values (${endpoint}, ${app.id}, ${idOf(n)}, 8, 'verified', ${idOf(n)}, 25, null, clock_now() - ${10 - n} * interval '1 hour')`);
  }

  const accepted = (endpoint: string, n: number): Promise<void> => tried(endpoint, n, 'accepted');

  const list = async (text = '', key = credential) =>
    bodyOf(await get().call({ path: `/v1/callbacks${text}`, credential: key }));
  const replay = (body: Shown, key = credential) => get().call({ path: '/v1/callback-replays', body, credential: key });
  const places = (rows: Shown[]) => rows.map(({ endpoint_id, message_id }) => [message_id, endpoint_id]);
  const due = async (): Promise<number> =>
    (await query(sql`select 1 from callback_queue where application_id = ${app.id} and due_at is not null`)).length;

  test('both lists come over all endpoints, newest first, page by page, without addresses or secrets', async () => {
    const whole = await list();
    const [high = '', low = ''] = BigInt(first) > BigInt(second) ? [first, second] : [second, first];
    const expected = [3, 2, 1].flatMap((n) => [high, low].map((endpoint) => [idOf(n), endpoint]));
    assert.deepEqual(places(whole.deliveries), expected);
    assert.equal(whole.attempts.length, 7);
    assert.deepEqual(
      [whole.attempts[0].outcome, whole.attempts[0].message_id, whole.next_cursor],
      ['accepted', idOf(4), null],
    );
    assert.deepEqual(
      whole.endpoints.map(({ origin }: Shown) => origin),
      ['https://localhost', 'https://localhost'],
    );
    assert.doesNotMatch(JSON.stringify(whole), /secret-path|hidden|whsec/);
    const pages: Shown[][] = [[], []];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await list(`?limit=3${cursor && `&cursor=${cursor}`}`);
      pages[0]?.push(...page.deliveries);
      pages[1]?.push(...page.attempts);
      cursor = page.next_cursor;
    }
    assert.deepEqual(pages, [whole.deliveries, whole.attempts]);
  });

  test('filters by endpoint, message, state and time', async () => {
    assert.deepEqual(
      places((await list(`?endpoint_id=${second}`)).deliveries),
      [3, 2, 1].map((n) => [idOf(n), second]),
    );
    const one = await list(`?message_id=${idOf(4)}`);
    assert.deepEqual([one.deliveries.length, one.attempts.length], [0, 1]);
    const states = { waiting: [0, 0], retrying: [0, 0], given_up: [6, 6], accepted: [0, 1] };
    for (const [state, counts] of Object.entries(states)) {
      const { deliveries, attempts } = await list(`?state=${state}`);
      assert.deepEqual([deliveries.length, attempts.length], counts, state);
    }
    const since = new Date(get().database.clock.now() - 7.5 * 3_600_000).toISOString();
    const late = await list(`?since=${since}`);
    assert.deepEqual([late.deliveries.length, late.attempts.length], [2, 3]);
    for (const cursor of ['x', 'end', 'end.x', '1-2.end', '1-2-3-4.end', 'end.end.end']) {
      const { status, body } = await get().call({ path: `/v1/callbacks?cursor=${cursor}`, credential });
      assert.deepEqual([status, body.code], [400, 3002], cursor);
    }
  });

  test('a replay is counted before it is done, and takes what failed or the one that is named', async () => {
    const since = new Date(get().database.clock.now() - 8.5 * 3_600_000).toISOString();
    const asked = { endpoint_id: first, since };
    const counted = await get().expectNothingHappened(async () => bodyOf(await replay({ ...asked, dry_run: true })));
    assert.deepEqual(counted, { dry_run: true, events: 2 });
    const { delivery_id } = (await list(`?endpoint_id=${first}&state=accepted`)).attempts[0];
    assert.deepEqual(bodyOf(await replay({ delivery_id, dry_run: true })), { dry_run: true, events: 1 });
    assert.equal(await due(), 0);
    assert.deepEqual(bodyOf(await replay(asked)), { dry_run: false, events: 2 });
    assert.deepEqual(bodyOf(await replay({ delivery_id })), { dry_run: false, events: 1 });
    assert.equal(await due(), 3);
    for (const body of [
      {},
      asked,
      { endpoint_id: first },
      { since },
      { delivery_id: 'evt_7' },
      { delivery_id: '7:evt_x' },
      { delivery_id: `${first}:x:evt_${idOf(1)}` },
      { delivery_id: `${first}:${idOf(1)}:${idOf(1)}:evt_${idOf(1)}` },
    ]) {
      const reply = await get().expectNothingHappened(() => replay(body === asked ? { ...asked, delivery_id } : body));
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(body));
    }
  });

  test('what waits for its first try may be posted at once, what waits in a batch stays there; counted as it is done', async () => {
    const waits = (n: number, batch: number | null) =>
      query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id, due_at, batch)
        values (${first}, ${app.id}, ${idOf(n)}, 9, 'verified', ${idOf(n)}, clock_now() + interval '1 hour', ${batch})`);
    for (const [n, batch, events] of [
      [5, null, 1],
      [6, 9, 0],
    ] as const) {
      await waits(n, batch);
      const [{ delivery_id, state }] = (await list(`?message_id=${idOf(n)}`)).deliveries;
      assert.equal(state, 'waiting');
      const ask = (more: Shown) => replay({ delivery_id, ...more });
      const counted = await get().expectNothingHappened(async () => bodyOf(await ask({ dry_run: true })));
      assert.deepEqual(counted, { dry_run: true, events });
      assert.deepEqual(bodyOf(await ask({})), { dry_run: false, events });
      const due = await query(
        sql`select 1 from callback_queue where message_id = ${idOf(n)} and due_at <= clock_now() and replayed`,
      );
      assert.equal(due.length, events);
    }
  });

  test('a delivery tried in a batch that is tried again counts nothing; an id without its message names what was tried', async () => {
    await tried(first, 7, 'retry');
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id, tries, due_at, batch)
      values (${first}, ${app.id}, ${idOf(7)}, 8, 'verified', ${idOf(7)}, 1, clock_now() + interval '1 hour', 8)`);
    const { delivery_id } = (await list(`?message_id=${idOf(7)}`)).attempts[0];
    for (const dry_run of [true, false])
      assert.deepEqual(bodyOf(await replay({ delivery_id, dry_run })), { dry_run, events: 0 });
    const older = (n: number) => replay({ delivery_id: `${first}:evt_${idOf(n)}`, dry_run: true });
    assert.deepEqual(bodyOf(await older(4)), { dry_run: true, events: 1 });
    for (const reply of [await older(5), await replay({ delivery_id: `${first}:${idOf(8)}:evt_${idOf(5)}` })])
      assert.deepEqual([reply.status, reply.body.code], [400, 4001]);
  });

  test('more than a hundred at once are refused: a program repeats no flood', async () => {
    await query(sql`insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id, tries, due_at, given_up_at)
      select ${second}, ${app.id}, 7, n, 'verified', n, 25, null, clock_now() from generate_series(1, 98) as n`);
    const since = new Date(get().database.clock.now() - 20 * 3_600_000).toISOString();
    const reply = await get().expectNothingHappened(() => replay({ endpoint_id: second, since }));
    assert.deepEqual([reply.body.code, reply.body.details.fields[0].field], [3002, 'since']);
    assert.match(reply.body.message, /more than 100 failed/);
  });

  test('nothing of another application is seen or posted', async () => {
    const other = await openApplication(get());
    const { credential: theirs } = await get().makeKey(other.id, { permissions });
    const seen = await list('', theirs);
    assert.deepEqual([seen.endpoints, seen.deliveries, seen.attempts], [[], [], []]);
    const { delivery_id } = (await list('?limit=1')).attempts[0];
    for (const body of [{ delivery_id }, { endpoint_id: first, since: '2026-01-01T00:00:00Z' }]) {
      const reply = await get().expectNothingHappened(() => replay(body, theirs));
      assert.deepEqual([reply.status, reply.body.code], [400, 4001]);
    }
    const asked = await get().call({ path: `/v1/callbacks?endpoint_id=${first}`, credential: theirs });
    assert.deepEqual([asked.status, asked.body.code], [400, 4001]);
  });
});
