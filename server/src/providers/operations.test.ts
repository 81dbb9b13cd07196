import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import {
  goodSettings,
  type Input,
  makeProvider,
  makeRoute,
  newPrefix,
  openRoom,
  operate,
  type Room,
} from './fixture.ts';
import type { Providers } from './index.ts';

async function refusal(work: Promise<unknown>): Promise<ApiError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

async function refused(room: Providers, id: string, input: Input, expected: [number, number, string]): Promise<void> {
  const { status, code, message } = await refusal(operate(room, id, input));
  assert.deepEqual([status, code, message], expected);
}

const paramsOf = ({ id }: { id: string }) => ({ provider_id: id });

onEachEngine('provider operations', (get) => {
  const withRoom = async (work: (room: Room) => Promise<void>): Promise<void> => {
    const room = openRoom(get());
    try {
      await work(room);
    } finally {
      await room.stop();
    }
  };

  test('adapters are listed with what they ask for, secrets marked', () =>
    withRoom(async (room) => {
      const { adapters } = await operate(room, 'listAdapters');
      const [sms] = adapters;
      assert.deepEqual([sms.id, sms.channels, sms.max_concurrency], ['fake-sms', ['sms', 'voice'], 5]);
      const { account, token, region } = sms.settings.properties;
      assert.deepEqual([account.title, token.secret, region.default], ['Account', true, 'eu']);
      assert.deepEqual(sms.settings.required, ['account', 'token']);
    }));

  test('a provider is made with the terms of its adapter, and no answer shows a secret', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const { id } = made;
      assert.deepEqual(made.settings, { account: 'acme', token: 'set', backup_token: null });
      assert.deepEqual(
        [made.title, made.enabled, made.concurrency, made.rate_per_second, made.quiet_hours, made.version],
        ['Fake carrier', true, 5, null, null, 1],
      );
      assert.deepEqual(made.circuit, { min_calls: 10, error_ratio: 0.5, window_seconds: 30, open_seconds: 15 });
      assert.match(made.webhook_url, new RegExp(`^https://otp\\.example\\.com/hooks/${id}/[\\w-]{43}$`));
      assert.deepEqual(await operate(room, 'getProvider', { params: paramsOf(made) }), made);
      const { providers } = await operate(room, 'listProviders');
      assert.deepEqual(
        providers.find((one: { id: string }) => one.id === id),
        made,
      );
      assert.ok(!JSON.stringify(providers).includes('secret-token'));
      const [row] = await get().db.query<{ text: string }>(
        sql`select row_to_json(p)::text as text from providers p where id = ${id}`,
      );
      const token = made.webhook_url.split('/').at(-1);
      assert.ok(row && !row.text.includes('acme') && !row.text.includes(Buffer.from('acme').toString('hex')));
      assert.ok(!row.text.includes(Buffer.from(token).toString('hex')), 'the webhook token is sealed too');
    }));

  test('settings the adapter refuses are named field by field, and nothing is stored', () =>
    withRoom(async (room) => {
      const body = { id: 'bad-settings', adapter: 'fake-sms', settings: { token: 'short', region: 'moon', odd: 1 } };
      const error = await refusal(operate(room, 'createProvider', { body }));
      assert.deepEqual([error.code, error.status], [3002, 400]);
      assert.deepEqual(error.details?.['fields'], [
        { field: 'settings.account', problem: 'required' },
        { field: 'settings.token', problem: 'must be at least 8 characters' },
        { field: 'settings.region', problem: 'must be one of eu, us' },
        { field: 'settings', problem: 'has unknown fields: odd' },
      ]);
      assert.ok(!JSON.stringify(error.details).includes('short'));
      await refused(room, 'getProvider', { params: { provider_id: 'bad-settings' } }, [
        404,
        4001,
        'provider not found',
      ]);
      const other = { body: { ...body, adapter: 'telegraph', settings: goodSettings } };
      await refused(room, 'createProvider', other, [
        400,
        3002,
        'adapter: must be one of fake-sms, fake-mail, fake-chat',
      ]);
    }));

  test('an id is used once', () =>
    withRoom(async (room) => {
      const { id } = await makeProvider(room);
      const body = { id, adapter: 'fake-sms', settings: goodSettings };
      await refused(room, 'createProvider', { body }, [409, 3002, 'id: there is a provider of this id']);
    }));

  test('an update keeps what it leaves out, secrets above all, and takes back what was read', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room, { settings: { ...goodSettings, backup_token: 'second-token' } });
      const change = (body: object) => operate(room, 'updateProvider', { params: paramsOf(made), body });
      const moved = await change({ settings: { region: 'us' }, rate_per_second: 2.5, circuit: { min_calls: 3 } });
      assert.deepEqual(moved.settings, { account: 'acme', token: 'set', backup_token: 'set', region: 'us' });
      assert.deepEqual([moved.rate_per_second, moved.circuit.min_calls, moved.circuit.open_seconds], [2.5, 3, 15]);
      assert.equal(room.carrier.last.settings.token, 'secret-token-1');
      await change({ settings: moved.settings });
      assert.equal(room.carrier.last.settings.token, 'secret-token-1');
      const cleared = await change({ settings: { backup_token: null, region: null, token: 'secret-token-2' } });
      assert.deepEqual(cleared.settings, { account: 'acme', token: 'set', backup_token: null });
      assert.deepEqual(room.carrier.last.settings, { account: 'acme', token: 'secret-token-2', region: 'eu' });
      const error = await refusal(change({ settings: { account: null } }));
      assert.equal(error.message, 'settings.account: required');
      const same = await change({ title: cleared.title });
      assert.deepEqual(same, cleared, 'what changes nothing is not written');
    }));

  test('a change that names an old version is refused', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const params = paramsOf(made);
      const changed = await operate(room, 'updateProvider', { params, body: { title: 'New', version: 1 } });
      assert.equal(changed.version, 2);
      const late = { params, body: { title: 'Late', version: 1 } };
      await refused(room, 'updateProvider', late, [409, 3002, 'version: is 2 by now']);
    }));

  test('changes at the same moment are all made', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const bodies = [{ title: 'Other' }, { concurrency: 2 }, { settings: { region: 'us' } }];
      await Promise.all(bodies.map((body) => operate(room, 'updateProvider', { params: paramsOf(made), body })));
      const { title, concurrency, settings, version } = await operate(room, 'getProvider', { params: paramsOf(made) });
      assert.deepEqual([title, concurrency, settings.region, version], ['Other', 2, 'us', 4]);
    }));

  test('a provider that a route uses stays, and the answer names the routes', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const prefix = newPrefix();
      const route = await makeRoute(room, { prefix, entries: [{ provider: made.id }] });
      const error = await refusal(operate(room, 'deleteProvider', { params: paramsOf(made) }));
      assert.deepEqual(
        [error.status, error.message],
        [409, `provider_id: used by route ${route.id} (sms, prefix ${prefix})`],
      );
      assert.deepEqual(error.details?.['routes'], [route.id]);
      await operate(room, 'deleteRoute', { params: { route_id: route.id } });
      assert.deepEqual(await operate(room, 'deleteProvider', { params: paramsOf(made) }), {
        id: made.id,
        deleted: true,
      });
      await refused(room, 'deleteProvider', { params: paramsOf(made) }, [404, 4001, 'provider not found']);
    }));

  test('every change stands in the ledger with who made it, and no setting', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room);
      const params = paramsOf(made);
      await operate(room, 'updateProvider', { params, body: { settings: { token: 'secret-token-3' } } });
      await operate(room, 'drainProvider', { params, body: { seconds: 60 } });
      await operate(room, 'resetProviderCircuit', { params });
      await operate(room, 'testProvider', { params, body: { to: '+6591234567' } });
      await operate(room, 'syncTemplates', { params });
      await operate(room, 'deleteProvider', { params });
      const events = (await listEvents(get().db, '0', '0')).filter(({ data }) => data?.['provider'] === made.id);
      assert.deepEqual(
        events.map(({ data }) => data?.['action']),
        [
          'create provider',
          'update provider',
          'drain provider',
          'reset circuit',
          'test provider',
          'sync templates',
          'delete provider',
        ],
      );
      for (const { cause, data } of events) {
        assert.deepEqual([cause, data?.['operator']], ['provider_managed', { ip_address: '198.51.100.9' }]);
        assert.ok(!JSON.stringify(data).includes('secret-token') && !JSON.stringify(data).includes('6591234567'));
      }
    }));

  test('a test sends one real message and tells the outcome, also through a disabled provider', () =>
    withRoom(async (room) => {
      const made = await makeProvider(room, { enabled: false });
      const params = paramsOf(made);
      const sent = await operate(room, 'testProvider', { params, body: { to: '+65 9123 4567', sender: 'ACME' } });
      assert.deepEqual([sent.outcome, sent.upstream_id, sent.channel], ['accepted', 'up-1', 'sms']);
      assert.ok(sent.latency_ms >= 0);
      const { handed, closed } = room.carrier.last;
      const [message] = handed;
      assert.deepEqual(
        [handed.length, closed, message?.to, message?.sender, message?.code, message?.content.text],
        [1, true, '+6591234567', 'ACME', null, 'This is a test message.'],
      );
      room.carrier.answer = () => ({
        kind: 'refused',
        temporary: true,
        reason: 'funds',
        errorCode: 5016,
        detail: 'empty',
      });
      const poor = await operate(room, 'testProvider', { params, body: { to: '+6591234567', channel: 'voice' } });
      assert.deepEqual([poor.outcome, poor.channel, poor.reason, poor.detail], ['refused', 'voice', 'funds', 'empty']);
      const chat = await makeProvider(room, { adapter: 'fake-chat' });
      await operate(room, 'testProvider', { params: paramsOf(chat), body: { to: '+6591234567' } });
      assert.match(room.carrier.last.handed[0]?.code ?? '', /^\d{6}$/, 'WhatsApp demands a code');
    }));

  test('a test of what cannot be is refused without sending', () =>
    withRoom(async (room) => {
      const params = paramsOf(await makeProvider(room));
      const table: [object, string][] = [
        [{ to: '12345' }, 'to: must be a phone number with + and country code'],
        [{ to: '+6591234567', channel: 'email' }, 'channel: the provider serves sms, voice'],
        [{ to: 'ana@example.com' }, 'to: must be a phone number with + and country code'],
      ];
      for (const [body, message] of table) await refused(room, 'testProvider', { params, body }, [400, 3002, message]);
      assert.equal(room.carrier.last.handed.length, 0);
      const broken = await makeProvider(room, { settings: { ...goodSettings, account: 'broken' } });
      const { outcome, reason, detail } = await operate(room, 'testProvider', {
        params: paramsOf(broken),
        body: { to: '+6591234567' },
      });
      assert.deepEqual(
        [outcome, reason, detail],
        ['refused', 'config', 'the adapter did not open: the account is not known there'],
      );
    }));

  test('upstream templates are synced for the languages asked for', () =>
    withRoom(async (room) => {
      const params = paramsOf(await makeProvider(room));
      const { templates } = await operate(room, 'syncTemplates', { params, body: { languages: ['en', 'de'] } });
      assert.deepEqual(
        templates.map(({ language }: { language: string }) => language),
        ['en', 'de'],
      );
    }));

  test('health tells what is open and what is not, with the sentence', () =>
    withRoom(async (room) => {
      const good = await makeProvider(room);
      const broken = await makeProvider(room, { settings: { ...goodSettings, account: 'broken' } });
      const off = await makeProvider(room, { enabled: false });
      const seen = async (provider: { id: string }) => {
        const { health } = await operate(room, 'getProviderHealth', { params: paramsOf(provider) });
        return health.map((one: Record<string, unknown>) => [
          one['opened'],
          one['circuit'],
          one['reason'],
          one['calls'],
        ]);
      };
      assert.deepEqual(await seen(good), [[true, 'closed', null, 0]]);
      const sentence = 'the adapter did not open: the account is not known there';
      assert.deepEqual(await seen(broken), [[false, 'closed', sentence, 0]]);
      assert.deepEqual(await seen(off), [[false, 'closed', 'disabled', 0]]);
      const { health } = await operate(room, 'listProviderHealth');
      assert.equal(
        health.filter(({ provider }: { provider: string }) => [good.id, broken.id].includes(provider)).length,
        2,
      );
    }));

  test('an unknown provider is 404 for every operation on one', () =>
    withRoom(async (room) => {
      const params = { provider_id: 'nobody' };
      const bodies: Record<string, unknown> = {
        getProvider: undefined,
        updateProvider: { title: 'x' },
        deleteProvider: undefined,
        testProvider: { to: '+6591234567' },
        syncTemplates: {},
        getProviderHealth: undefined,
        drainProvider: { seconds: 1 },
        resetProviderCircuit: {},
      };
      for (const [id, body] of Object.entries(bodies))
        await refused(room, id, { params, body }, [404, 4001, 'provider not found']);
    }));

  test('what the schemas refuse', () =>
    withRoom(async (room) => {
      const faults = (id: string, value: unknown): string[] => {
        const schema = room.operations.find(({ spec }) => spec.id === id)?.spec.input.body;
        const parsed = schema?.safeParse(value);
        return parsed?.success === false ? parsed.error.issues.map(({ path }) => path.join('.')) : [];
      };
      const provider = { id: 'good', adapter: 'fake-sms' };
      const entries = [{ provider: 'good' }];
      const table: [id: string, body: object, field: string][] = [
        ['createProvider', { ...provider, id: 'Upper' }, 'id'],
        ['createProvider', { ...provider, id: 'a' }, 'id'],
        ['createProvider', { ...provider, id: 'virtual' }, 'id'],
        ['createProvider', { ...provider, rate_per_second: 0 }, 'rate_per_second'],
        ['createProvider', { ...provider, concurrency: 0 }, 'concurrency'],
        [
          'createProvider',
          { ...provider, quiet_hours: { from: '22:00', to: '7:00', time_zone: 'UTC' } },
          'quiet_hours.to',
        ],
        [
          'createProvider',
          { ...provider, quiet_hours: { from: '22:00', to: '22:00', time_zone: 'UTC' } },
          'quiet_hours.to',
        ],
        [
          'updateProvider',
          { quiet_hours: { from: '22:00', to: '07:00', time_zone: 'Mars/One' } },
          'quiet_hours.time_zone',
        ],
        ['updateProvider', { circuit: { error_ratio: 1.1 } }, 'circuit.error_ratio'],
        ['updateProvider', { circuit: { open_seconds: 301 } }, 'circuit.open_seconds'],
        ['drainProvider', { seconds: -1 }, 'seconds'],
        ['createRoute', { channel: 'fax', entries }, 'channel'],
        ['createRoute', { channel: 'sms', entries: [] }, 'entries'],
        ['createRoute', { channel: 'sms', entries, country: 'XX' }, 'country'],
        ['createRoute', { channel: 'sms', entries, country: 'sg' }, 'country'],
        ['createRoute', { channel: 'sms', entries, prefix: '+65' }, 'prefix'],
        ['createRoute', { channel: 'sms', entries, prefix: '65', country: 'SG' }, 'prefix'],
        ['createRoute', { channel: 'email', entries, country: 'SG' }, 'channel'],
        ['createRoute', { channel: 'sms', entries, application_id: 'x' }, 'application_id'],
        [
          'createRoute',
          { channel: 'sms', entries: [{ provider: 'good', price_micros: -1 }] },
          'entries.0.price_micros',
        ],
        ['createRoute', { channel: 'sms', entries: [{ provider: 'good', priority: 0 }] }, 'entries.0.priority'],
        ['resolveRoute', { channel: 'sms' }, 'to'],
      ];
      for (const [id, body, field] of table)
        assert.deepEqual(faults(id, body), [field], `${id} ${JSON.stringify(body)}`);
    }));

  test('every operation is described as the registry needs it, and its examples fit its schemas', () =>
    withRoom(async ({ operations }) => {
      assert.equal(new Set(operations.map(({ spec }) => spec.id)).size, operations.length);
      assert.equal(new Set(operations.map(({ spec }) => `${spec.method} ${spec.path}`)).size, operations.length);
      for (const { spec } of operations) {
        assert.equal(spec.auth, 'operator', spec.id);
        assert.match(spec.path, /^\/admin\/v1\//);
        assert.ok(spec.examples && spec.examples.length > 0, spec.id);
        assert.equal(/\{/.test(spec.path), spec.input.params !== undefined, spec.id);
        for (const example of spec.examples) {
          spec.output.parse(example.output);
          if (example.body !== undefined) spec.input.body?.parse(example.body);
        }
        for (const schema of [spec.input.params, spec.input.query, spec.input.body])
          if (schema) z.toJSONSchema(schema as z.ZodType, { io: 'input' });
        z.toJSONSchema(spec.output as z.ZodType, { io: 'input' });
      }
    }));
});
