import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { refusedForNow, unknown } from '../channels/index.ts';
import { createLog } from '../platform/log.ts';
import { leaseNode } from '../platform/nodes.ts';
import { onEachEngine } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import {
  accepted,
  FakeCarrier,
  goodSettings,
  lineOf,
  makeProvider,
  makeRoute,
  message,
  newPrefix,
  openRoom,
  operate,
  type Room,
  silent,
} from './fixture.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(5_000);

onEachEngine('live providers', (get) => {
  const withRooms = async (count: number, work: (...rooms: Room[]) => Promise<void>): Promise<void> => {
    const rooms = Array.from({ length: count }, () => openRoom(get()));
    try {
      for (const room of rooms) await room.start();
      await work(...rooms);
    } finally {
      for (const room of rooms) await room.stop();
    }
  };
  const withRoom = (work: (room: Room) => Promise<void>) => withRooms(1, (room) => work(room as Room));

  /** A provider with a route of its own: its id, its entry, and a number that goes there. */
  async function routed(room: Room, body: Record<string, unknown> = {}, more: object[] = []) {
    const { id } = await makeProvider(room, body);
    const prefix = newPrefix();
    const route = await makeRoute(room, { prefix, entries: [{ provider: id }, ...more] });
    const ask = { applicationId: '1', channel: 'sms', to: `+${prefix}1234` } as const;
    return { id, params: { provider_id: id }, routeId: route.id as string, entry: route.entries[0].id as string, ask };
  }
  const change = (room: Room, params: { provider_id: string }, body: object) =>
    operate(room, 'updateProvider', { params, body });

  test('a new provider and its route serve at once, on every node, without a restart', () =>
    withRooms(2, async (one, other) => {
      if (!one || !other) throw new Error('two rooms were opened');
      const { entry, ask, params, id } = await routed(one);
      assert.deepEqual(one.candidates(ask), { lines: [entry], reason: null });
      await until('the other node knows it', () => other.candidates(ask).reason === null);
      const line = lineOf(other, entry);
      assert.equal(line.admit(), 0);
      line.done(await line.upstream.send(message(), inTime()));
      assert.equal(other.carrier.last.handed.length, 1);
      assert.ok(other.upstream(id));
      await change(one, params, { enabled: false });
      assert.equal(one.line(entry, {}), null);
      await until('the other node closed it', () => other.upstream(id) === null);
      assert.deepEqual(other.candidates(ask), { lines: [], reason: 'no_route' });
    }));

  test('what is there at the start is opened at the start', () =>
    withRooms(1, async (room) => {
      if (!room) throw new Error('a room was opened');
      const { entry, ask } = await routed(room);
      const later = openRoom(get());
      assert.deepEqual(later.candidates(ask), { lines: [], reason: 'no_route' });
      await later.start();
      assert.deepEqual(later.candidates(ask), { lines: [entry], reason: null });
      await later.stop();
      assert.ok(later.carrier.openings.every(({ closed }) => closed));
    }));

  test('new settings take over, and the old upstream is closed only after its hand-overs under way', () =>
    withRoom(async (room) => {
      const { entry, params } = await routed(room);
      const old = room.carrier.last;
      const line = lineOf(room, entry);
      assert.equal(line.admit(), 0);
      await change(room, params, { settings: { account: 'other' } });
      const fresh = room.carrier.last;
      assert.deepEqual([fresh.settings.account, old.closed], ['other', false]);
      const next = lineOf(room, entry);
      assert.equal(next.admit(), 0);
      await next.upstream.send(message(), inTime());
      next.done(accepted);
      assert.deepEqual([fresh.handed.length, old.handed.length, old.closed], [1, 0, false]);
      line.done(accepted);
      assert.equal(old.closed, true);
      assert.equal(fresh.closed, false);
    }));

  test('a line taken before a change is admitted to the new upstream', () =>
    withRoom(async (room) => {
      const { entry, params } = await routed(room);
      const line = lineOf(room, entry);
      await change(room, params, { settings: { account: 'other' } });
      assert.equal(line.admit(), 0);
      await line.upstream.send(message(), inTime());
      line.done(accepted);
      assert.equal(room.carrier.last.handed.length, 1);
    }));

  test('a change of the terms alone opens nothing anew', () =>
    withRoom(async (room) => {
      const { params } = await routed(room);
      const { length } = room.carrier.openings;
      await change(room, params, { title: 'Other', rate_per_second: 1, quiet_hours: null });
      assert.equal(room.carrier.openings.length, length);
    }));

  test('an adapter that does not open leaves the provider closed until it does', () =>
    withRoom(async (room) => {
      const { entry, ask, params } = await routed(room);
      await change(room, params, { settings: { account: 'broken' } });
      assert.equal(room.line(entry, {}), null);
      assert.deepEqual(room.candidates(ask), { lines: [], reason: 'circuit_open' });
      const { entries } = await operate(room, 'resolveRoute', { body: { channel: 'sms', to: ask.to } });
      assert.deepEqual(
        [entries[0].up, entries[0].detail],
        [false, 'the adapter did not open: the account is not known there'],
      );
      await change(room, params, { settings: { account: 'acme' } });
      assert.deepEqual(room.candidates(ask), { lines: [entry], reason: null });
    }));

  test('settings that a newer program refuses leave the provider closed with a sentence', () =>
    withRoom(async (room) => {
      const { id, params } = await routed(room);
      const carrier = new FakeCarrier();
      const stricter = carrier.adapter('fake-sms', {
        settings: z.strictObject({ account: z.string(), token: z.string(), server: z.string() }) as never,
      });
      const newer = openRoom(get(), {
        registry: { find: () => stricter, list: () => [stricter], forChannel: () => [] },
      });
      await newer.start();
      assert.equal(newer.upstream(id), null);
      const { health } = await operate(newer, 'getProviderHealth', { params });
      const reasons = health.map(({ reason }: { reason: string | null }) => reason);
      assert.ok(reasons.includes('the settings do not fit the adapter: settings.server: required'), reasons.join());
      await newer.stop();
      const after = await operate(room, 'getProviderHealth', { params });
      assert.equal(after.health.length, 1, 'a node that stopped is not seen any more');
    }));

  test('failures open the circuit, a probe closes it, and what is open stands behind what is not', () =>
    withRoom(async (room) => {
      const { id: spare } = await makeProvider(room);
      const { entry, ask, params } = await routed(room, {}, [{ provider: spare, priority: 2 }]);
      const fail = (): void => {
        const line = lineOf(room, entry);
        assert.equal(line.admit(), 0);
        line.done(unknown('no answer'));
      };
      for (let i = 0; i < 10; i++) fail();
      const line = lineOf(room, entry);
      assert.equal(line.admit(), Infinity);
      const open = room.candidates(ask);
      assert.deepEqual([open.lines.length, open.lines[1], open.reason], [2, entry, null]);
      const { health } = await operate(room, 'getProviderHealth', { params });
      assert.deepEqual([health[0].circuit, health[0].calls, health[0].errors], ['open', 10, 10]);
      assert.match(health[0].reason, /10 of 10 calls failed/);
      await get().clock.travel(15_000);
      assert.equal(line.admit(), 0, 'the probe');
      assert.equal(lineOf(room, entry).admit(), Infinity, 'one at a time');
      line.done(accepted);
      assert.equal(room.candidates(ask).lines[0], entry);
    }));

  test('when every circuit that serves is open there is no line, and the reason says so', () =>
    withRoom(async (room) => {
      const { entry, ask } = await routed(room);
      const line = lineOf(room, entry);
      assert.equal(line.admit(), 0);
      line.done(refusedForNow('credentials', 'the token is wrong'));
      assert.deepEqual(room.candidates(ask), { lines: [], reason: 'circuit_open' });
      assert.equal(room.serves('1', 'sms'), true, 'the channel is still served');
    }));

  test('a reset closes the circuit on every node, and new settings close it too', () =>
    withRooms(2, async (one, other) => {
      if (!one || !other) throw new Error('two rooms were opened');
      const { entry, ask, params } = await routed(one);
      await until('the other node knows it', () => other.candidates(ask).reason === null);
      const open = (room: Room): void => {
        const line = lineOf(room, entry);
        assert.equal(line.admit(), 0);
        line.done(refusedForNow('funds', 'the account is empty'));
        assert.equal(room.candidates(ask).reason, 'circuit_open');
      };
      open(one);
      open(other);
      await operate(one, 'resetProviderCircuit', { params });
      assert.equal(one.candidates(ask).reason, null);
      await until('the other node closed it', () => other.candidates(ask).reason === null);
      open(one);
      await change(one, params, { settings: { token: 'another-token' } });
      assert.equal(one.candidates(ask).reason, null);
    }));

  test('a drained provider takes nothing new until the drain ends by itself, and stays open', () =>
    withRoom(async (room) => {
      const { id, entry, ask, params } = await routed(room);
      const drained = await operate(room, 'drainProvider', { params, body: { seconds: 60 } });
      assert.ok(Date.parse(drained.drained_until) > get().clock.now());
      assert.deepEqual(room.candidates(ask), { lines: [], reason: 'no_route' });
      assert.equal(lineOf(room, entry).admit(), Infinity);
      assert.ok(room.upstream(id));
      await get().clock.travel(61_000);
      assert.equal(room.candidates(ask).reason, null);
      await operate(room, 'drainProvider', { params, body: { seconds: 600 } });
      const ended = await operate(room, 'drainProvider', { params, body: { seconds: 0 } });
      assert.deepEqual([ended.drained_until, room.candidates(ask).reason], [null, null]);
    }));

  test('in its quiet hours a provider is given nothing', () =>
    withRoom(async (room) => {
      const hour = (later: number): string =>
        new Date(get().clock.now() + later * 3_600_000).toISOString().slice(11, 13);
      const quiet = { from: `${hour(0)}:00`, to: `${hour(1)}:00`, time_zone: 'UTC' };
      const { entry, ask, params } = await routed(room, { quiet_hours: quiet });
      assert.equal(room.candidates(ask).reason, 'no_route');
      assert.equal(lineOf(room, entry).admit(), Infinity);
      await change(room, params, { quiet_hours: { ...quiet, from: `${hour(2)}:00`, to: `${hour(3)}:00` } });
      assert.equal(lineOf(room, entry).admit(), 0);
    }));

  test('no more hand-overs are under way than allowed, and each that ends makes room', () =>
    withRoom(async (room) => {
      const { entry } = await routed(room, { concurrency: 2 });
      const [a, b, c] = [lineOf(room, entry), lineOf(room, entry), lineOf(room, entry)];
      assert.deepEqual([a?.admit(), b?.admit()], [0, 0]);
      const wait = c?.admit() ?? 0;
      assert.ok(wait > 0 && wait < 1_000);
      a?.done(accepted);
      a?.done(accepted);
      assert.equal(c?.admit(), 0);
      assert.ok((lineOf(room, entry).admit() ?? 0) > 0, 'ending twice makes no room twice');
    }));

  test('the adapter has the last word on concurrency', () =>
    withRoom(async (room) => {
      const { entry } = await routed(room, { concurrency: 100 });
      const admitted = Array.from({ length: 10 }, () => lineOf(room, entry).admit()).filter((wait) => wait === 0);
      assert.equal(admitted.length, 5);
    }));

  test('a rate is shared by the live workers, and waiting as long as told is enough', async () => {
    const { db, clock } = get();
    const leases = [await leaseNode(db, silent), await leaseNode(db, silent), await leaseNode(db, silent, false)];
    await clock.freeze();
    await withRoom(async (room) => {
      const { entry } = await routed(room, { rate_per_second: 2 });
      const line = lineOf(room, entry);
      assert.equal(line.admit(), 0);
      line.done(accepted);
      const wait = line.admit();
      assert.equal(wait, 1_000, 'half of two per second');
      await clock.travel(wait - 1);
      assert.equal(line.admit(), 1);
      await clock.travel(1);
      assert.equal(line.admit(), 0);
    });
    for (const lease of leases) await lease.release();
  });

  test('a channel is served where an enabled entry of an enabled provider does, for the application or for all', () =>
    withRoom(async (room) => {
      const { id: mail } = await makeProvider(room, { adapter: 'fake-mail' });
      assert.equal(room.serves('9001', 'email'), false);
      const route = await makeRoute(room, { channel: 'email', application_id: '9001', entries: [{ provider: mail }] });
      assert.deepEqual([room.serves('9001', 'email'), room.serves('9002', 'email')], [true, false]);
      const params = { route_id: route.id };
      await operate(room, 'updateRoute', { params, body: { entries: [{ provider: mail, enabled: false }] } });
      assert.equal(room.serves('9001', 'email'), false);
      await operate(room, 'updateRoute', { params, body: { entries: [{ provider: mail }] } });
      await change(room, { provider_id: mail }, { enabled: false });
      assert.equal(room.serves('9001', 'email'), false);
    }));

  test('a line is gone with its entry, its route or its provider', () =>
    withRoom(async (room) => {
      const { entry, routeId } = await routed(room);
      assert.ok(room.line(entry, {}));
      const params = { route_id: routeId };
      await operate(room, 'updateRoute', { params, body: { enabled: false } });
      assert.equal(room.line(entry, {}), null);
      await operate(room, 'updateRoute', { params, body: { enabled: true } });
      assert.ok(room.line(entry, {}));
      await operate(room, 'deleteRoute', { params });
      assert.deepEqual([room.line(entry, {}), room.line('nonsense', {})], [null, null]);
    }));

  test('a provider deleted and made again is another one', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const params = { provider_id: made.id };
      const first = room.carrier.last;
      await operate(room, 'deleteProvider', { params });
      assert.deepEqual([first.closed, room.upstream(made.id)], [true, null]);
      const again = await makeProvider(room, { id: made.id });
      assert.notEqual(again.webhook_url, made.webhook_url);
      assert.ok(room.upstream(made.id));
    }));

  test('nothing secret is logged, whatever goes wrong', async () => {
    const lines: string[] = [];
    const room = openRoom(get(), { log: createLog('trace', { write: (line: string) => void lines.push(line) }) });
    await room.start();
    const { entry, params, id } = await routed(room);
    const { webhook_url: url } = await operate(room, 'getProvider', { params });
    const token = url.split('/').at(-1);
    const line = lineOf(room, entry);
    assert.equal(line.admit(), 0);
    line.done(refusedForNow('credentials', 'the token is refused'));
    const call = {
      method: 'POST',
      path: '/throws',
      pathAndQuery: `/hooks/${id}/${token}/throws`,
      headers: {},
    } as const;
    await room.hook(id, token)?.({ ...call, query: new URLSearchParams(), body: Buffer.alloc(0) });
    await change(room, params, { settings: { account: 'broken' } });
    await room.stop();
    assert.ok(lines.length >= 3, 'circuit, webhook and opening were told');
    for (const secret of [goodSettings.token, token]) assert.ok(!lines.join('').includes(secret));
  });
});
