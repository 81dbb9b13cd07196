/** Following events over a socket: nothing is missed, nothing comes twice, and nobody is waited for. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from '../platform/sql.ts';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import { other } from '../testing/open-door.ts';
import { until } from '../testing/until.ts';
import { type EventsHouse, type Listener, mine, note, numberOf, openEvents, theirs } from './fixture.ts';
import { appendEvents } from './index.ts';

const seed = Number(process.env['SEED'] || Math.floor(Math.random() * 2 ** 31));

/** Numbers of chance that come again with the seed (mulberry32). */
function chances(from: number): (below: number) => number {
  let state = from;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Until so many more are heard; sooner than by looking every now and then. */
async function hearing({ heard }: Listener, more: number, goesOn: () => boolean): Promise<void> {
  const enough = heard.length + more;
  while (heard.length < enough && goesOn()) await turn();
}

/** Transactions of one or several entries, which stay open for a while between their first entry and their end; a few are undone. */
async function writeSome({ db }: TestDatabase, draw: (below: number) => number, from: number): Promise<number[]> {
  const written: number[] = [];
  for (let i = 0; i < 60; i++) {
    const numbers = Array.from({ length: 1 + draw(3) }, (_, n) => from + i * 10 + n);
    const undone = draw(8) === 0;
    const pauses = numbers.map(() => draw(40));
    const write = db.transaction(async (tx) => {
      for (const [n, number] of numbers.entries()) {
        await appendEvents(tx, [note(number), note(number, theirs)]);
        await turns(pauses[n] ?? 0);
      }
      if (undone) throw new Error('undone');
    });
    await write.then(
      () => written.push(...numbers),
      (error: Error) => assert.equal(error.message, 'undone'),
    );
    await turns(draw(30));
  }
  return written;
}

onEachEngine('the stream of events', (get, kind) => {
  let house: EventsHouse;
  before(async () => {
    house = await openEvents(get(), { limits: { heartbeatMs: 40, maxKept: 4 } });
  });
  after(() => house.close());

  test('a client that drops and comes back with Last-Event-ID misses nothing and sees nothing twice', async (t) => {
    t.diagnostic(`seed ${seed}`);
    const draw = chances(seed);
    const seen: number[] = [];
    // Keeps the node reading, so that the one that drops comes back now within what is kept, now behind it.
    const steady = await house.listen();
    let current = await house.listen();
    const writing = Promise.all([1, 2, 3, 4].map((writer) => writeSome(get(), chances(seed + writer), writer * 1_000)));
    let isWriting = true;
    void writing.finally(() => {
      isWriting = false;
    });
    let drops = 0;
    while (isWriting) {
      await hearing(current, draw(12), () => isWriting);
      await turns(draw(10));
      current.drop();
      await hearing(steady, draw(12), () => isWriting);
      seen.push(...current.heard.map(({ data }) => numberOf(data)));
      current = await house.listen({ ...(current.place() !== undefined && { lastEventId: current.place() ?? '' }) });
      drops++;
    }
    const written = (await writing).flat();
    await until('all events', () => seen.length + current.heard.length >= written.length);
    await appendEvents(get().db, [note(0)]);
    await until('the last one', () => current.heard.some(({ data }) => numberOf(data) === 0));
    current.drop();
    seen.push(...current.heard.map(({ data }) => numberOf(data)));
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, ...written].sort((a, b) => a - b),
    );
    const rows = await get().db.query<{ n: number }>(sql`
      select (data->>'body')::integer as n from events where application_id = ${mine} order by txid, position`);
    const inOrder = rows.map(({ n }) => n);
    assert.deepEqual(seen, inOrder, 'in the order of the ledger');
    await steady.hears(inOrder.length);
    const heard = steady.heard.map(({ data }) => numberOf(data));
    assert.deepEqual(heard, inOrder);
    steady.drop();
    t.diagnostic(`${written.length} events, ${drops} drops`);
    assert.ok(drops >= 3);
  });

  // One connection has no two transactions at once.
  if (kind === 'postgres')
    test('an entry whose transaction took its position first and ended last is told', async () => {
      const listener = await house.listen();
      let end: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      let begun: () => void = () => undefined;
      const hasBegun = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const slow = get().db.transaction(async (tx) => {
        await appendEvents(tx, [note(1)]);
        begun();
        await ended;
      });
      await hasBegun;
      await appendEvents(get().db, [note(2)]);
      const { body } = await house.list('?wait=0');
      assert.ok(!body.events.some((event: Parameters<typeof numberOf>[0]) => [1, 2].includes(numberOf(event))));
      end();
      await slow;
      await listener.hears(2);
      assert.deepEqual(
        listener.heard.map(({ data }) => numberOf(data)),
        [1, 2],
      );
      listener.drop();
    });

  test('each event is a block of id, name and one line of data, after the time to reconnect and the place', async () => {
    const listener = await house.listen();
    assert.equal(listener.status, 200);
    const { headers } = listener;
    assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.deepEqual([headers['cache-control'], headers['x-accel-buffering']], ['no-store', 'no']);
    assert.match(String(headers['x-request-id']), /^req_/);
    assert.match(String(headers['ratelimit']), /^"key"/);
    await until('the first block', () => listener.blocks.length > 0);
    assert.match(listener.blocks[0] ?? '', /^retry: 2000\nid: 1-\d+-0$/);
    await appendEvents(get().db, [{ ...note(7), data: { body: '7', text: 'two\nlines' } }]);
    await listener.hears(1);
    const [one] = listener.heard;
    assert.ok(one);
    assert.deepEqual([one.event, one.data.event, one.id], ['uplink_message', 'uplink_message', one.data.cursor]);
    assert.match(one.data.id, /^evt_\d{19}$/);
    assert.deepEqual((await house.list(`?cursor=${listener.blocks[0]?.split('id: ')[1]}`)).body.events, [one.data]);
    listener.drop();
  });

  test('a silent stream says that it is there, and its place moves on with the rest of the ledger', async () => {
    const listener = await house.listen({ query: '?type=verified' });
    const places = (): bigint[] =>
      listener.blocks.filter((block) => block.startsWith(':')).map((block) => BigInt(block.split('-')[1] ?? 0));
    await until('a heartbeat', () => places().length > 0);
    const first = places().at(-1) ?? 0n;
    await appendEvents(get().db, [note(8)]);
    await until('a heartbeat further on', () => (places().at(-1) ?? 0n) > first);
    assert.deepEqual(listener.heard, []);
    listener.drop();
  });

  test('no other application’s events are told', async () => {
    const [ours, foreign] = [await house.listen(), await house.listen({ authorization: other })];
    await appendEvents(get().db, [note(31), note(32, theirs), note(33)]);
    await ours.hears(2);
    await foreign.hears(1);
    assert.deepEqual(
      ours.heard.map(({ data }) => numberOf(data)),
      [31, 33],
    );
    assert.deepEqual(
      foreign.heard.map(({ data }) => numberOf(data)),
      [32],
    );
    for (const listener of [ours, foreign]) listener.drop();
  });

  test('a place that is none is refused before anything is told', async () => {
    for (const lastEventId of ['nonsense', '1-2', '0-5-5', '1-18446744073709551616-0', '1-5-9223372036854775808']) {
      const reply = await house.list(`?cursor=${lastEventId}`);
      assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 3002, 'cursor: not a cursor']);
      assert.equal((await house.listen({ lastEventId })).status, 400, lastEventId);
    }
  });
});
