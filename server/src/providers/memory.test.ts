import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import { createOutbound } from '../platform/outbound.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import {
  FakeCarrier,
  goodSettings,
  keyring,
  makeProvider,
  makeRoute,
  newPrefix,
  openRoom,
  operate,
  silent,
} from './fixture.ts';
import { createMemory } from './memory.ts';
import { explain } from './operations.ts';

/** A node to which no notification gets through. */
function openDeaf({ db, clock }: TestDatabase, carrier: FakeCarrier) {
  const deaf: Db = { ...db, listen: async () => undefined };
  return createMemory({
    db: deaf,
    clock,
    keyring,
    log: silent,
    outbound: createOutbound({}),
    registry: createRegistry([carrier.adapter()]),
    publicUrl: () => 'https://otp.example.com',
    explain,
    findTest: () => null,
    receive: async () => true,
    park: async () => undefined,
    uplink: async () => undefined,
    reopen: async () => null,
  });
}

onEachEngine('what a node remembers', (get) => {
  test('a lost notification costs no more than one beat, for every kind of change', async () => {
    const room = openRoom(get());
    const carrier = new FakeCarrier();
    const deaf = openDeaf(get(), carrier);
    await deaf.start();
    const made = await makeProvider(room);
    const params = { provider_id: made.id };
    const { id, entries } = await makeRoute(room, { prefix: newPrefix(), entries: [{ provider: made.id }] });
    assert.equal(deaf.roster.find(made.id), null);
    await deaf.beat();
    await deaf.roster.settled();
    assert.ok(deaf.roster.find(made.id)?.handle);
    assert.equal(deaf.entry(entries[0].id)?.route.id, id);

    const route = { params: { route_id: id }, body: { entries: [{ provider: made.id, price_micros: 5 }] } };
    await operate(room, 'updateRoute', route);
    await operate(room, 'drainProvider', { params, body: { seconds: 60 } });
    await deaf.beat();
    assert.equal(deaf.entry(entries[0].id)?.entry.priceMicros, 5);
    assert.ok(deaf.roster.find(made.id)?.row.drainedUntil);

    await operate(room, 'deleteRoute', { params: { route_id: id } });
    await operate(room, 'deleteProvider', { params });
    await deaf.beat();
    assert.deepEqual([deaf.entry(entries[0].id), deaf.roster.find(made.id)], [null, null]);
    await until('its upstream is closed', () => carrier.last.closed);
    await deaf.stop();
    await room.stop();
  });

  test('what does not open is tried again after half a minute', async () => {
    const { clock } = get();
    const room = openRoom(get());
    const { id } = await makeProvider(room, { settings: { ...goodSettings, account: 'acme' } });
    const carrier = new FakeCarrier();
    let up = false;
    const open = carrier.adapter().open;
    const adapter = carrier.adapter('fake-sms', {
      open: (settings, ports) => (up ? open(settings, ports) : Promise.reject(new Error('not today'))),
    });
    const memory = openDeaf(get(), Object.assign(new FakeCarrier(), { adapter: () => adapter }));
    await memory.start();
    assert.equal(memory.roster.find(id)?.fault, 'the adapter did not open: not today');
    up = true;
    await memory.beat();
    await memory.roster.settled();
    assert.equal(memory.roster.find(id)?.handle, null, 'not at every beat');
    await clock.travel(30_000);
    await memory.beat();
    await memory.roster.settled();
    assert.ok(memory.roster.find(id)?.handle);
    await memory.stop();
    await room.stop();
  });

  test('health is written at once when a circuit changes, with the beat while there is traffic, and swept', async () => {
    const { db, clock } = get();
    const room = openRoom(get());
    const { id } = await makeProvider(room);
    const memory = openDeaf(get(), new FakeCarrier());
    await memory.start();
    await memory.beat();
    const seen = async () => {
      const [row] = await db.query<{ calls: number; circuit: string }>(
        sql`select calls, circuit from provider_health where provider = ${id} order by updated_at desc limit 1`,
      );
      return row;
    };
    const handOver = (reason?: 'funds'): void => {
      const pass = memory.roster.find(id)?.gate.enter();
      if (typeof pass !== 'object') throw new Error('it was not admitted');
      const refused = { kind: 'refused', temporary: true, errorCode: 5016, detail: 'empty' } as const;
      pass.done(reason ? { ...refused, reason } : { kind: 'accepted', upstreamId: '1' });
    };
    handOver();
    await memory.beat();
    assert.deepEqual(await seen(), { calls: 1, circuit: 'closed' });
    handOver('funds');
    await until('the open circuit is told', async () => (await seen())?.circuit === 'open');
    await clock.travel(301_000);
    await memory.beat();
    const nodes = await db.query(sql`select node from provider_health where provider = ${id}`);
    assert.equal(nodes.length, 1, 'what a node said that is long gone is swept, a live node says it again');
    await memory.stop();
    await room.stop();
  });

  test('what adapters have seen once is swept when it may be forgotten', async () => {
    const { db, clock } = get();
    const room = openRoom(get());
    const { id } = await makeProvider(room);
    const { ports } = room.carrier.of(id);
    await ports.once('short', 1_000);
    await ports.once('long', 600_000);
    const memory = openDeaf(get(), new FakeCarrier());
    const count = async () => (await db.query(sql`select 1 from hook_marks where provider = ${id}`)).length;
    await memory.beat();
    assert.equal(await count(), 2);
    await clock.travel(1_000);
    await memory.beat();
    assert.equal(await count(), 1);
    await memory.stop();
    await room.stop();
  });
});
