import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import type { Adapter } from '../channels/index.ts';
import { changedSettings, describeSettings, type Json, shownSettings } from './settings.ts';

const secret = z.string().meta({ secret: true });
const schema = z
  .strictObject({
    host: z.string().meta({ title: 'Host' }),
    login: z.strictObject({ user: z.string(), password: secret }).optional(),
    either: z
      .union([
        z.strictObject({ kind: z.literal('key'), key: secret }),
        z.strictObject({ kind: z.literal('name'), name: z.string() }),
        z.literal('none'),
      ])
      .optional(),
    hosts: z.array(z.strictObject({ name: z.string(), token: secret.optional() })).optional(),
    code_map: z.record(z.string(), z.strictObject({ reason: z.string() })).optional(),
    proxy: z.string().nullable().optional(),
    port: z.number().default(25),
    pin: secret.optional(),
  })
  .refine(() => true);

const adapter = {
  id: 'a',
  title: 'A',
  channels: ['sms'],
  settings: schema,
  limits: { maxConcurrency: 1, idempotent: false },
  open: () => assert.fail('never opened'),
} as Adapter;

const shown = (settings: Json): Json => shownSettings(adapter, settings);
const changed = (stored: Json, given: Json): Json => changedSettings(adapter, stored, given);

describe('settings', () => {
  test('are described with titles, defaults and secret marks', () => {
    const { properties, required } = describeSettings(adapter) as {
      properties: Record<string, Json>;
      required: string[];
    };
    assert.deepEqual([properties['host']?.['title'], properties['port']?.['default']], ['Host', 25]);
    assert.deepEqual([properties['pin']?.['secret'], required], [true, ['host']]);
  });

  test('are shown without secrets, however deep they stand', () => {
    const settings = {
      host: 'a',
      login: { user: 'u', password: 'hidden-1' },
      either: { kind: 'key', key: 'hidden-2' },
      hosts: [{ name: 'h', token: 'hidden-3' }],
      code_map: { '30': { reason: 'x' } },
      left_by_an_older_program: 'hidden-4',
    };
    assert.deepEqual(shown(settings), {
      host: 'a',
      login: { user: 'u', password: 'set' },
      either: { kind: 'key', key: 'set' },
      hosts: [{ name: 'h', token: 'set' }],
      code_map: { '30': { reason: 'x' } },
      left_by_an_older_program: 'set',
      pin: null,
    });
    assert.deepEqual(
      shownSettings(null, settings),
      Object.fromEntries(Object.keys(settings).map((name) => [name, 'set'])),
    );
  });

  test('keep what a change leaves out, member by member', () => {
    const stored = { host: 'a', login: { user: 'u', password: 'p' }, pin: '1', code_map: { a: { reason: 'x' } } };
    const table: [given: Json, after: Json][] = [
      [{}, stored],
      [{ host: 'b' }, { ...stored, host: 'b' }],
      [{ login: { user: 'v' } }, { ...stored, login: { user: 'v', password: 'p' } }],
      [{ login: { user: 'v', password: 'set' } }, { ...stored, login: { user: 'v', password: 'p' } }],
      [{ code_map: { b: { reason: 'y' } } }, { ...stored, code_map: { b: { reason: 'y' } } }],
      [{ proxy: null }, { ...stored, proxy: null }],
      [{ pin: 'set' }, stored],
      [
        { login: null, pin: null },
        { host: 'a', code_map: stored.code_map },
      ],
    ];
    for (const [given, after] of table) assert.deepEqual(changed(stored, given), after, JSON.stringify(given));
    const key = { host: 'a', either: { kind: 'key', key: 'k' } };
    assert.deepEqual(changed(key, { either: { kind: 'name', name: 'n' } }), {
      host: 'a',
      either: { kind: 'name', name: 'n' },
    });
    assert.deepEqual(changed(key, { either: { kind: 'key', key: 'set' } }), key);
    assert.deepEqual(changed({}, { host: 'a', pin: 'set' }), { host: 'a' }, '"set" is no secret of its own');
  });

  test('what was read can be sent back and changes nothing', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => text !== 'set');
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const settings = fc.record({
      host: word,
      login: optional(fc.record({ user: word, password: word })),
      either: optional(fc.oneof(fc.record({ kind: fc.constant('key'), key: word }), fc.constant('none'))),
      code_map: optional(fc.dictionary(fc.constantFrom('1', '2', '30'), fc.record({ reason: word }))),
      proxy: optional(fc.option(word)),
      port: optional(fc.integer()),
      pin: optional(word),
    });
    fc.assert(
      fc.property(settings, (drawn) => {
        const stored = JSON.parse(JSON.stringify(drawn)) as Json;
        assert.deepEqual(changed(stored, shown(stored)), stored);
      }),
    );
  });
});
