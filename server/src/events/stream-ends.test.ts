/** How streams end, and how many there may be: by the server, by their time, by a client that does not read, by number. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { other } from '../testing/open-door.ts';
import { until } from '../testing/until.ts';
import { type EventsHouse, type Listener, note, numberOf, openEvents } from './fixture.ts';
import { appendEvents } from './index.ts';

onEachEngine('the end of a stream', (get) => {
  let house: EventsHouse;
  before(async () => {
    house = await openEvents(get(), { limits: { maxPerKey: 5, maxFollowers: 8 } });
  });
  after(() => house.close());

  test('streams of one key and of the node are counted, and a place is free again when one ends', async () => {
    const listeners: Listener[] = [];
    for (let i = 0; i < 5; i++) listeners.push(await house.listen());
    const refused = await house.listen();
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '5']);
    for (let i = 0; i < 3; i++) listeners.push(await house.listen({ authorization: other }));
    assert.equal((await house.listen({ authorization: other })).status, 429, 'the node is full');
    for (const listener of listeners) listener.drop();
    const again = await until('a free place', async () => {
      const listener = await house.listen();
      return listener.status === 200 ? listener : null;
    });
    again.drop();
  });

  test('ends when the server stops, at once and whole', async () => {
    const own = await openEvents(get());
    const [listener, silent] = [await own.listen(), await own.listen({ query: '?type=verified' })];
    const waiting = own.list('?wait=30&type=verified');
    await appendEvents(get().db, [note(41)]);
    await listener.hears(1);
    const startedAt = performance.now();
    await own.close();
    assert.ok(performance.now() - startedAt < 7_000, 'nobody was waited for');
    assert.deepEqual((await waiting).body.events, []);
    for (const one of [listener, silent]) {
      await one.ends();
      assert.deepEqual([one.state(), one.rest()], ['ended', '']);
    }
  });

  test('ends by itself after its time, and goes on from there', async () => {
    const own = await openEvents(get(), { limits: { lifeMs: 50 } });
    const first = await own.listen();
    await first.ends();
    assert.equal(first.state(), 'ended');
    await appendEvents(get().db, [note(51)]);
    const second = await own.listen({ lastEventId: first.place() ?? '' });
    await second.hears(1);
    assert.deepEqual(
      second.heard.map(({ data }) => numberOf(data)),
      [51],
    );
    await second.ends();
    await own.close();
  });

  test('a client that takes nothing is read no further for, then dropped, and goes on where it stopped', async () => {
    const own = await openEvents(get(), { drainMs: 300 });
    const { db } = get();
    const listener = await own.listen({ paused: true });
    const large = 'x'.repeat(2_000);
    const drafts = (from: number) =>
      Array.from({ length: 500 }, (_, i) => ({ ...note(from + i), data: { body: String(from + i), large } }));
    for (let i = 0; i < 10; i++) await appendEvents(db, drafts(100_000 + i * 500));
    await until('the drop', () =>
      own.lines.some((line) => line.includes('/v1/events') && line.includes('"status":200')),
    );
    listener.read();
    await listener.ends();
    assert.equal(listener.state(), 'cut');
    assert.ok(listener.heard.length < 5_000, `${listener.heard.length} were written ahead`);
    const again = await own.listen({ lastEventId: listener.place() ?? '' });
    await again.hears(5_000 - listener.heard.length);
    assert.deepEqual(
      [...listener.heard, ...again.heard].map(({ data }) => numberOf(data)),
      Array.from({ length: 5_000 }, (_, i) => 100_000 + i),
    );
    again.drop();
    await own.close();
  });
});
