import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../config.ts';
import { listEvents } from '../events/index.ts';
import { onEachEngine } from '../testing/database.ts';
import { goodSettings, newPrefix, openRoom, operate, type Room } from './fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'seed-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(content: unknown): string {
  const path = join(folder, `${randomUUID()}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

onEachEngine('the providers file', (get) => {
  const started = async (content: unknown, env: Record<string, string> = {}): Promise<Room> => {
    const room = openRoom(get(), { seedFile: fileOf(content), env });
    await room.start();
    return room;
  };
  const faultsOf = async (content: unknown, env: Record<string, string> = {}): Promise<readonly string[]> => {
    let room: Room | undefined;
    try {
      room = openRoom(get(), { seedFile: fileOf(content), env });
      await room.start();
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    } finally {
      await room?.stop();
    }
    return [];
  };

  test('makes providers and routes that serve from the start, secrets from the environment', async () => {
    const prefix = newPrefix();
    const settings = { account: 'acme', token: { env: 'CARRIER_TOKEN' } };
    const room = await started(
      {
        providers: [{ id: 'seed-one', adapter: 'fake-sms', settings }],
        routes: [{ channel: 'sms', prefix, entries: [{ provider: 'seed-one', price_micros: 7 }] }],
      },
      { CARRIER_TOKEN: 'token-of-the-environment' },
    );
    assert.equal(room.candidates({ applicationId: '1', channel: 'sms', to: `+${prefix}123` }).lines.length, 1);
    assert.ok(room.carrier.openings.some((opening) => opening.settings.token === 'token-of-the-environment'));
    await room.stop();
  });

  test('planted again it changes what differs and writes nothing that is equal', async () => {
    const prefix = newPrefix();
    const seed = (title: string, priceMicros: number) => ({
      providers: [{ id: 'seed-two', adapter: 'fake-sms', title, settings: goodSettings }],
      routes: [{ channel: 'sms', prefix, entries: [{ provider: 'seed-two', price_micros: priceMicros }] }],
    });
    const read = async (room: Room) => {
      const provider = await operate(room, 'getProvider', { params: { provider_id: 'seed-two' } });
      const { routes } = await operate(room, 'listRoutes', { query: { provider: 'seed-two' } });
      await room.stop();
      return { provider, routes };
    };
    const first = await read(await started(seed('One', 5)));
    assert.deepEqual(await read(await started(seed('One', 5))), first);
    const fuller = seed('One', 5);
    const settings = { ...goodSettings, backup_token: 'second-token' };
    const full = await read(await started({ ...fuller, providers: [{ ...fuller.providers[0], settings }] }));
    assert.equal(full.provider.settings.backup_token, 'set');
    const second = await read(await started(seed('Two', 6)));
    assert.deepEqual(
      [second.provider.title, second.provider.version, second.provider.webhook_url],
      ['Two', 3, first.provider.webhook_url],
    );
    assert.equal(second.provider.settings.backup_token, null, 'the settings of the file are all there are');
    assert.deepEqual([second.routes.length, second.routes[0].entries[0].price_micros], [1, 6]);
    assert.equal(second.routes[0].entries[0].id, first.routes[0].entries[0].id);
    const told = (await listEvents(get().db, '0', '0')).filter(({ data }) => data?.['provider'] === 'seed-two');
    assert.deepEqual(told, [], 'nobody did it');
  });

  test('nodes that start together plant it once', async () => {
    const prefix = newPrefix();
    const seed = {
      providers: [{ id: 'seed-many', adapter: 'fake-sms', settings: goodSettings }],
      routes: [{ channel: 'sms', prefix, entries: [{ provider: 'seed-many' }] }],
    };
    const rooms = await Promise.all([1, 2, 3].map(() => started(seed)));
    const [room] = rooms;
    assert.ok(room);
    const { routes } = await operate(room, 'listRoutes', { query: { provider: 'seed-many' } });
    assert.deepEqual([routes.length, routes[0].entries.length, routes[0].version], [1, 1, 1]);
    for (const one of rooms) await one.stop();
  });

  test('every fault is a sentence, none repeats a value, and nothing is written for it', async () => {
    const faults = await faultsOf(
      {
        providers: [
          { id: 'Seed Three', adapter: 'fake-sms' },
          { id: 'seed-three', adapter: 'fake-sms', concurrency: 0 },
        ],
        routes: [{ channel: 'fax', entries: [] }],
        extra: 1,
      },
      {},
    );
    assert.deepEqual(faults, [
      'PROVIDERS_FILE providers[0].id: must be 2 to 40 characters of a-z 0-9 -.',
      'PROVIDERS_FILE providers[1].concurrency: must be at least 1.',
      'PROVIDERS_FILE routes[0].channel: must be one of whatsapp, sms, email, voice.',
      'PROVIDERS_FILE routes[0].entries: must have at least 1 entry.',
      'PROVIDERS_FILE file: has unknown fields: extra.',
    ]);
    const settings = await faultsOf({
      providers: [
        { id: 'seed-four', adapter: 'fake-sms', settings: { account: 'acme', token: { env: 'NOT_SET' } } },
        { id: 'seed-five', adapter: 'fake-sms', settings: { account: 'acme', token: 'hunter2' } },
        { id: 'seed-six', adapter: 'telegraph' },
      ],
    });
    assert.deepEqual(settings, [
      'PROVIDERS_FILE providers[0].settings.token: the variable NOT_SET is not set.',
      'PROVIDERS_FILE providers[1].settings.token: must be at least 8 characters.',
      'PROVIDERS_FILE providers[2].adapter: this program has no adapter called telegraph.',
    ]);
    const routes = await faultsOf({
      routes: [{ channel: 'sms', prefix: newPrefix(), entries: [{ provider: 'nobody' }] }],
    });
    assert.deepEqual(routes, ['PROVIDERS_FILE routes[0].entries[0].provider: there is no provider nobody.']);
    const room = openRoom(get());
    const { providers } = await operate(room, 'listProviders');
    assert.ok(!providers.some(({ id }: { id: string }) => ['seed-three', 'seed-four', 'seed-five'].includes(id)));
    await room.stop();
  });

  test('a file that is not there or is no JSON is a fault like any other', async () => {
    assert.deepEqual(await faultsOf('{"providers": [}'), ['PROVIDERS_FILE must hold valid JSON.']);
    const absent = { seedFile: join(folder, 'absent.json') };
    assert.throws(() => openRoom(get(), absent), new ConfigError(['PROVIDERS_FILE cannot be read (ENOENT).']));
  });
});
