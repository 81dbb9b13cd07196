/** The operations behind the front door: credentials, field faults, replies held against their schemas, and the description. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { good, type OpenDoor, openDoor, operatorToken } from '../testing/open-door.ts';
import { goodSettings, newPrefix, openRoom, type Room } from './fixture.ts';

onEachEngine('providers over HTTP', (get) => {
  let room: Room;
  let open: OpenDoor;
  before(() => {
    room = openRoom(get());
    open = openDoor(get(), { operations: room.operations });
  });
  after(async () => {
    await open.door.close();
    await room.stop();
  });

  async function call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, as = operatorToken) {
    const reply = await open.door.inject({
      method,
      url: `/admin/v1${path}`,
      headers: { authorization: as, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { payload: JSON.stringify(body) }),
    });
    return { status: reply.statusCode, body: JSON.parse(reply.body) };
  }

  test('an operator sets up a provider and a route, tries them out and takes them away', async () => {
    const provider = await call('POST', '/providers', { id: 'main', adapter: 'fake-sms', settings: goodSettings });
    assert.deepEqual([provider.status, provider.body.settings.token], [200, 'set']);
    const prefix = newPrefix();
    const entries = [{ provider: 'main', price_micros: 41_200 }];
    const route = await call('POST', '/routes', { channel: 'sms', prefix, entries });
    assert.deepEqual([route.status, route.body.entries[0].currency], [200, 'SGD']);
    const resolved = await call('POST', '/route-resolution', { channel: 'sms', to: `+${prefix}1234` });
    assert.deepEqual([resolved.status, resolved.body.entries.length], [200, 1]);
    const steps: ['GET' | 'POST' | 'PATCH' | 'DELETE', string, object?][] = [
      ['GET', '/adapters'],
      ['GET', '/providers'],
      ['GET', '/providers/main'],
      ['PATCH', '/providers/main', { title: 'Main' }],
      ['POST', '/providers/main/test', { to: '+6591234567' }],
      ['POST', '/providers/main/sync-templates'],
      ['POST', '/providers/main/drain', { seconds: 5 }],
      ['POST', '/providers/main/reset-circuit'],
      ['GET', '/providers/main/health'],
      ['GET', '/provider-health'],
      ['GET', '/routes?provider=main&limit=1'],
      ['GET', `/routes/${route.body.id}`],
      ['PATCH', `/routes/${route.body.id}`, { note: 'checked' }],
      ['DELETE', `/routes/${route.body.id}`],
      ['DELETE', '/providers/main'],
    ];
    for (const [method, path, body] of steps) {
      const reply = await call(method, path, body);
      assert.equal(reply.status, 200, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    }
  });

  test('faults name their field in the body, inside the settings too', async () => {
    const body = { id: 'other', adapter: 'fake-sms', settings: { account: 5 }, quiet_hours: { from: '25:00' } };
    const shape = await call('POST', '/providers', body);
    assert.deepEqual([shape.status, shape.body.code], [400, 3002]);
    const fields = shape.body.details.fields.map(({ field }: { field: string }) => field);
    assert.deepEqual(fields, ['quiet_hours.from', 'quiet_hours.to', 'quiet_hours.time_zone']);
    const { quiet_hours: _, ...rest } = body;
    const settings = await call('POST', '/providers', rest);
    assert.deepEqual(settings.body.details.fields, [
      { field: 'settings.account', problem: 'must be a string' },
      { field: 'settings.token', problem: 'required' },
    ]);
    const query = await call('GET', '/routes?limit=0');
    assert.deepEqual([query.status, query.body.code], [400, 3002]);
  });

  test('nobody but the operator may call, and nothing happens', async () => {
    const before = room.carrier.openings.length;
    for (const { spec } of room.operations) {
      const path = spec.path.replace('/admin/v1', '').replaceAll(/\{\w+\}/g, '1');
      for (const credential of [good, 'Bearer wrong']) {
        const reply = await call(spec.method as 'GET', path, spec.method === 'GET' ? undefined : {}, credential);
        assert.deepEqual([reply.status, reply.body.code], [401, 2001], `${spec.method} ${path}`);
      }
    }
    const { body } = await call('GET', '/providers');
    assert.deepEqual([body.providers, room.carrier.openings.length], [[], before]);
  });

  test('all of it can be described as OpenAPI', () => {
    const { paths } = open.door.openapi() as { paths: Record<string, object> };
    const described = Object.values(paths).flatMap((methods) => Object.keys(methods));
    assert.ok(described.length >= room.operations.length);
    const change = paths['/admin/v1/providers/{provider_id}'] as { patch: { responses: object } };
    assert.deepEqual(Object.keys(change.patch.responses), [
      '200',
      '400',
      '401',
      '404',
      '409',
      '413',
      '429',
      '500',
      '503',
    ]);
  });

  test('a request log holds no setting and no recipient', () => {
    const text = open.lines.join('');
    for (const secret of [goodSettings.token, '6591234567']) assert.ok(!text.includes(secret));
  });
});
