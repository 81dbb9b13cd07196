import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import { onEachEngine } from '../testing/database.ts';
import { accepted, lineOf, makeProvider, makeRoute, newPrefix, openRoom, operate, type Room } from './fixture.ts';

const fieldsOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof ApiError) return [error.status, error.details?.['fields'] ?? error.message];
    throw error;
  }
  return 'not refused';
};

onEachEngine('routes', (get) => {
  const withRoom = async (work: (room: Room) => Promise<void>): Promise<void> => {
    const room = openRoom(get());
    try {
      await work(room);
    } finally {
      await room.stop();
    }
  };
  const change = (room: Room, id: string, body: object) =>
    operate(room, 'updateRoute', { params: { route_id: id }, body });

  test('a route is made with defaults, read and listed, with its currency beside every price', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const prefix = newPrefix();
      const made = await makeRoute(room, { prefix, entries: [{ provider, price_micros: 41_200, sender: 'ACME' }] });
      const [entry] = made.entries;
      const { id: _, ...shown } = entry;
      assert.deepEqual(shown, {
        provider,
        priority: 1,
        sender: 'ACME',
        senders: 'own',
        price_micros: 41_200,
        currency: 'SGD',
        registration_note: '',
        enabled: true,
      });
      assert.deepEqual([made.prefix, made.country, made.application_id, made.enabled], [prefix, null, null, true]);
      assert.deepEqual(await operate(room, 'getRoute', { params: { route_id: made.id } }), made);
      const { routes } = await operate(room, 'listRoutes', { query: { provider } });
      assert.deepEqual(routes, [made]);
    }));

  test('lists are newest first, whole over their pages, and by application, channel or provider', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const made: string[] = [];
      for (const channel of ['sms', 'voice', 'sms']) {
        const body = { channel, prefix: newPrefix(), application_id: '77', entries: [{ provider }] };
        made.unshift((await makeRoute(room, body)).id);
      }
      const ids = async (query: Record<string, string>): Promise<[string[], string | null]> => {
        const { routes, next_cursor } = await operate(room, 'listRoutes', { query });
        return [routes.map(({ id }: { id: string }) => id), next_cursor];
      };
      const [first, cursor] = await ids({ provider, limit: '2' });
      assert.deepEqual([first, cursor], [made.slice(0, 2), made[1]]);
      assert.deepEqual(await ids({ provider, limit: '2', cursor: cursor ?? '' }), [made.slice(2), null]);
      assert.deepEqual(await ids({ application_id: '77', channel: 'voice' }), [[made[1]], null]);
      assert.deepEqual(await fieldsOf(ids({ cursor: 'x' })), [
        400,
        [{ field: 'cursor', problem: 'not a cursor of this list' }],
      ]);
    }));

  test('entries name providers that exist and serve the channel', () =>
    withRoom(async (room) => {
      const { id: sms } = await makeProvider(room);
      const { id: mail } = await makeProvider(room, { adapter: 'fake-mail' });
      const entries = [{ provider: sms }, { provider: mail }, { provider: 'nobody' }];
      assert.deepEqual(await fieldsOf(makeRoute(room, { prefix: newPrefix(), entries })), [
        400,
        [
          { field: 'entries[1].provider', problem: 'does not serve sms' },
          { field: 'entries[2].provider', problem: 'there is no provider nobody' },
        ],
      ]);
    }));

  test('two routes never lead to the same place, however many are made at once', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const prefix = newPrefix();
      const entries = [{ provider }];
      const made = await Promise.allSettled([1, 2, 3].map(() => makeRoute(room, { prefix, entries })));
      const good = made.filter(({ status }) => status === 'fulfilled');
      assert.equal(good.length, 1);
      const { routes } = await operate(room, 'listRoutes', { query: { provider } });
      const problem = `route ${routes[0].id} leads there already`;
      assert.deepEqual(await fieldsOf(makeRoute(room, { prefix, entries })), [409, [{ field: 'prefix', problem }]]);
      await makeRoute(room, { prefix, entries, application_id: '5' });
      await makeRoute(room, { prefix, entries, channel: 'voice' });
      await makeRoute(room, { channel: 'voice', entries, application_id: '6' });
      const [status] = (await fieldsOf(makeRoute(room, { channel: 'voice', entries, application_id: '6' }))) as [
        number,
      ];
      assert.equal(status, 409, 'a default route is one, too');
    }));

  test('an entry keeps its id through changes, and an id never passes to another provider', () =>
    withRoom(async (room) => {
      const [a, b] = [(await makeProvider(room)).id, (await makeProvider(room)).id];
      const made = await makeRoute(room, { prefix: newPrefix(), entries: [{ provider: a }, { provider: b }] });
      const [first, second] = made.entries;
      const ids = ({ entries }: typeof made): string[] =>
        entries.map(({ provider, id, priority }: Record<string, unknown>) => `${provider} ${id} ${priority}`);
      const swapped = await change(room, made.id, {
        entries: [
          { provider: b, priority: 1 },
          { provider: a, priority: 2, price_micros: 5 },
        ],
      });
      assert.deepEqual(ids(swapped), [`${b} ${second.id} 1`, `${a} ${first.id} 2`]);
      const shorter = await change(room, made.id, { entries: [{ id: first.id, provider: a }] });
      assert.deepEqual(ids(shorter), [`${a} ${first.id} 1`]);
      const longer = await change(room, made.id, {
        entries: [
          { provider: a, sender: 'ONE' },
          { provider: a, sender: 'TWO', priority: 2 },
          { provider: b, priority: 3 },
        ],
      });
      assert.equal(longer.entries[0].id, first.id);
      assert.ok(
        !longer.entries.slice(1).some(({ id }: { id: string }) => id === second.id),
        'an id is never given twice',
      );
      const stolen = { entries: [{ id: first.id, provider: b }] };
      assert.deepEqual(await fieldsOf(change(room, made.id, stolen)), [
        400,
        [{ field: 'entries[0].id', problem: `belongs to the provider ${a}` }],
      ]);
      assert.deepEqual(await fieldsOf(change(room, made.id, { entries: [{ id: '999999', provider: a }] })), [
        400,
        [{ field: 'entries[0].id', problem: 'not an entry of this route' }],
      ]);
    }));

  test('a change keeps what it leaves out, and one that names an old version is refused', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const made = await makeRoute(room, { prefix: newPrefix(), note: 'first', entries: [{ provider }] });
      const changed = await change(room, made.id, { enabled: false, version: 1 });
      assert.deepEqual([changed.note, changed.entries, changed.version], ['first', made.entries, 2]);
      const late = change(room, made.id, { note: 'late', version: 1 });
      assert.deepEqual(await fieldsOf(late), [409, [{ field: 'version', problem: 'is 2 by now' }]]);
      assert.deepEqual(await change(room, made.id, { enabled: false }), changed, 'what changes nothing is not written');
      for (const id of ['getRoute', 'deleteRoute'])
        assert.deepEqual(await fieldsOf(operate(room, id, { params: { route_id: '1234567' } })), [
          404,
          'route not found',
        ]);
    }));

  test('changes of a route stand in the ledger of the application it belongs to', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const made = await makeRoute(room, { prefix: newPrefix(), application_id: '4242', entries: [{ provider }] });
      await change(room, made.id, { note: 'changed' });
      await operate(room, 'deleteRoute', { params: { route_id: made.id } });
      const events = await listEvents(get().db, '4242', '0');
      assert.deepEqual(
        events.map(({ cause, data }) => [cause, data?.['action'], data?.['route']]),
        ['create route', 'update route', 'delete route'].map((action) => ['route_managed', action, made.id]),
      );
    }));

  test('resolve explains order, prices and what is left out, and sends nothing', () =>
    withRoom(async (room) => {
      const [a, b, c] = await Promise.all([makeProvider(room), makeProvider(room), makeProvider(room)]);
      const prefix = newPrefix();
      await makeRoute(room, {
        prefix,
        entries: [
          { provider: b.id, priority: 2, price_micros: 9 },
          { provider: a.id, priority: 1, price_micros: 7, sender: 'ACME' },
          { provider: c.id, priority: 3 },
        ],
      });
      await makeRoute(room, { prefix, application_id: '31', entries: [{ provider: c.id }] });
      await operate(room, 'drainProvider', { params: { provider_id: c.id }, body: { seconds: 60 } });
      const resolve = (body: object) =>
        operate(room, 'resolveRoute', { body: { channel: 'sms', to: `+${prefix}1234`, ...body } });
      const general = await resolve({});
      assert.deepEqual(
        general.entries.map((one: Record<string, unknown>) => [
          one['provider'],
          one['why'],
          one['price_micros'],
          one['currency'],
          one['up'],
        ]),
        [
          [a.id, `prefix ${prefix}, priority 1`, 7, 'SGD', true],
          [b.id, `prefix ${prefix}, priority 2`, 9, 'SGD', true],
        ],
      );
      assert.deepEqual([general.country, general.reason, general.entries[0].sender], ['SG', null, 'ACME']);
      assert.deepEqual(
        general.left_out.map((one: Record<string, unknown>) => [one['provider'], one['reason']]),
        [[c.id, 'drained']],
      );
      const own = await resolve({ application_id: '31' });
      assert.deepEqual(
        own.left_out.map((one: Record<string, unknown>) => one['why']),
        [`own prefix ${prefix}, priority 1`, `prefix ${prefix}, priority 3`],
      );
      const nowhere = await resolve({ channel: 'whatsapp' });
      assert.deepEqual([nowhere.entries, nowhere.reason], [[], 'no_route']);
      assert.deepEqual(await fieldsOf(resolve({ to: 'a@b.example' })), [
        400,
        [{ field: 'to', problem: 'must be a phone number' }],
      ]);
      assert.ok(room.carrier.openings.every(({ handed }) => handed.length === 0));
    }));

  test('a customer gets the sender asked for where the entry allows it, else its own', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const table: [entry: object, from: string | undefined, sender: string | undefined, replaced: boolean][] = [
        [{ sender: 'ACME' }, undefined, 'ACME', false],
        [{ sender: 'ACME' }, 'ACME', 'ACME', false],
        [{ sender: 'ACME' }, 'OTHER', 'ACME', true],
        [{}, 'OTHER', undefined, true],
        [{ sender: 'ACME', senders: 'any' }, 'OTHER', 'OTHER', false],
        [{ sender: 'ACME', senders: ['ONE', 'TWO'] }, 'TWO', 'TWO', false],
        [{ sender: 'ACME', senders: ['ONE', 'TWO'] }, 'THREE', 'ACME', true],
      ];
      for (const [entry, from, sender, replaced] of table) {
        const { entries } = await makeRoute(room, { prefix: newPrefix(), entries: [{ provider, ...entry }] });
        const line = lineOf(room, entries[0].id, from === undefined ? {} : { from });
        assert.deepEqual([line.sender, line.senderReplaced], [sender, replaced], JSON.stringify([entry, from]));
      }
    }));

  test('a line costs the price of a part times the parts', () =>
    withRoom(async (room) => {
      const { id: provider } = await makeProvider(room);
      const prefix = newPrefix();
      const { entries } = await makeRoute(room, { prefix, entries: [{ provider, price_micros: 41_200 }] });
      const cost = (content: { segments?: number }): number => lineOf(room, entries[0].id, content).costMicros;
      assert.deepEqual([cost({}), cost({ segments: 1 }), cost({ segments: 3 })], [41_200, 41_200, 123_600]);
      const line = lineOf(room, entries[0].id);
      assert.deepEqual([line.provider, line.idempotent, line.why], [provider, false, `prefix ${prefix}, priority 1`]);
      assert.equal(line.admit(), 0);
      line.done(accepted);
    }));
});
