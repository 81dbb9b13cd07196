import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Channel } from '../channels/index.ts';
import { countryOf, type ProviderState, pick, tableOf } from './pick.ts';
import { isQuiet } from './quiet-hours.ts';
import type { Entry, Route } from './records.ts';

const now = Date.parse('2026-07-03T12:00:00Z');
const epoch = new Date(0);
let ids = 0;

const entry = (provider: string, more: Partial<Entry> = {}): Entry => ({
  id: String(++ids),
  provider,
  priority: 1,
  sender: null,
  senders: 'own',
  priceMicros: 0,
  registrationNote: '',
  enabled: true,
  ...more,
});

const route = (entries: Entry[], more: Partial<Route> = {}): Route => ({
  id: String(++ids),
  applicationId: null,
  channel: 'sms',
  country: null,
  prefix: null,
  enabled: true,
  note: '',
  entries,
  version: 1,
  createdAt: epoch,
  updatedAt: epoch,
  ...more,
});

const state = (more: Partial<ProviderState> = {}): ProviderState => ({
  channels: ['sms', 'voice', 'whatsapp', 'email'],
  enabled: true,
  drainedUntilMs: null,
  quietHours: null,
  up: true,
  ...more,
});

interface Ask {
  to?: string;
  channel?: Channel;
  applicationId?: string;
  states?: Record<string, ProviderState | null>;
}

function ask(routes: Route[], { to = '+6591234567', channel = 'sms', applicationId = '7', states = {} }: Ask = {}) {
  const stateOf = (id: string): ProviderState | null => (id in states ? (states[id] ?? null) : state());
  const { picks, leftOut } = pick(tableOf(routes), { applicationId, channel, to }, stateOf, now);
  return {
    order: picks.map(({ entry }) => entry.provider).join(' '),
    why: picks.map(({ why }) => why),
    leftOut: leftOut.map((one) => `${one.entry.provider} ${one.reason}`),
  };
}

describe('pick', () => {
  test('the most specific route comes first, its own before a general one', () => {
    const routes = [
      route([entry('general')]),
      route([entry('country')], { country: 'SG' }),
      route([entry('prefix')], { prefix: '65' }),
      route([entry('longer')], { prefix: '659' }),
      route([entry('own')], { applicationId: '7' }),
      route([entry('own-country')], { applicationId: '7', country: 'SG' }),
      route([entry('own-prefix')], { applicationId: '7', prefix: '6' }),
      route([entry('other')], { applicationId: '8', prefix: '65912' }),
      route([entry('elsewhere')], { prefix: '66' }),
      route([entry('malaysia')], { country: 'MY' }),
      route([entry('voice')], { channel: 'voice', prefix: '6591' }),
    ];
    const { order, why } = ask(routes);
    assert.equal(order, 'own-prefix own-country own longer prefix country general');
    assert.deepEqual(why, [
      'own prefix 6, priority 1',
      'own country SG, priority 1',
      'own default, priority 1',
      'prefix 659, priority 1',
      'prefix 65, priority 1',
      'country SG, priority 1',
      'default, priority 1',
    ]);
    assert.equal(ask(routes, { applicationId: '9' }).order, 'longer prefix country general');
  });

  test('inside a route priority decides, then the older entry', () => {
    const [third, first, second] = [entry('c', { priority: 2 }), entry('a', { id: '99' }), entry('b', { id: '100' })];
    assert.equal(ask([route([third, second, first])]).order, 'a b c');
  });

  test('what is left out has its reason, and a disabled route is none', () => {
    const quietHours = { from: '11:00', to: '13:00', time_zone: 'UTC' };
    const entries = ['off', 'gone', 'mail', 'drained', 'was-drained', 'night', 'down', 'good'].map((name) =>
      entry(name, { enabled: name !== 'off' }),
    );
    const states = {
      gone: state({ enabled: false }),
      mail: state({ channels: ['email'] }),
      drained: state({ drainedUntilMs: now + 1 }),
      'was-drained': state({ drainedUntilMs: now }),
      night: state({ quietHours }),
      down: state({ up: false }),
    };
    const { order, leftOut } = ask([route(entries), route([entry('no')], { prefix: '65', enabled: false })], {
      states,
    });
    assert.equal(order, 'was-drained good down', 'what is down stands last');
    assert.deepEqual(leftOut, [
      'off entry_disabled',
      'gone provider_disabled',
      'mail wrong_channel',
      'drained drained',
      'night quiet_hours',
    ]);
  });

  test('a provider is used once per sender', () => {
    const routes = [
      route([entry('a', { sender: 'ACME' })], { prefix: '65' }),
      route([entry('a', { sender: 'ACME' }), entry('a', { sender: 'OTHER' }), entry('b')]),
    ];
    const { order, leftOut } = ask(routes);
    assert.deepEqual([order, leftOut], ['a a b', ['a repeated']]);
  });

  test('e-mail has the default route alone', () => {
    const routes = [route([entry('m')], { channel: 'email' }), route([entry('s')], { prefix: '65' })];
    assert.equal(ask(routes, { channel: 'email', to: '65@example.com' }).order, 'm');
  });

  test('numbers of shared calling codes belong to their own country', () => {
    const table: [string, string | null][] = [
      ['+12128931234', 'US'],
      ['+14168931234', 'CA'],
      ['+18095551234', 'DO'],
      ['+18768931234', 'JM'],
      ['+79161234567', 'RU'],
      ['+77012345678', 'KZ'],
      ['+441481960194', 'GG'],
      ['+447400123456', 'GB'],
      ['+390612345678', 'IT'],
      ['+6591234567', 'SG'],
      ['+8613812345678', 'CN'],
      ['+85291234567', 'HK'],
      ['+99912345678', null],
      ['+88161234567', null],
    ];
    for (const [number, country] of table) assert.equal(countryOf(number), country, number);
    const routes = [
      route([entry('us')], { country: 'US' }),
      route([entry('kz')], { country: 'KZ' }),
      route([entry('d')]),
    ];
    assert.equal(ask(routes, { to: '+14168931234' }).order, 'd');
    assert.equal(ask(routes, { to: '+12128931234' }).order, 'us d');
    assert.equal(ask(routes, { to: '+77012345678' }).order, 'kz d');
  });

  test('over any routes: every entry of a matching route is picked or named once, longer prefixes first', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,5}$/);
    const prefixes = fc.uniqueArray(digits, { maxLength: 20 });
    fc.assert(
      fc.property(
        prefixes,
        fc.stringMatching(/^[1-9][0-9]{6,14}$/),
        fc.func(fc.boolean()),
        (list, number, isEnabled) => {
          const routes = list.map((prefix) => route([entry(`p${prefix}`, { enabled: isEnabled(prefix) })], { prefix }));
          const { picks, leftOut } = pick(
            tableOf(routes),
            { applicationId: '7', channel: 'sms', to: `+${number}` },
            () => state(),
            now,
          );
          const matching = list.filter((prefix) => number.startsWith(prefix)).sort((a, b) => b.length - a.length);
          const seen = picks.map((one) => one.route.prefix);
          assert.deepEqual(
            seen,
            matching.filter((prefix) => isEnabled(prefix)),
          );
          assert.equal(picks.length + leftOut.length, matching.length);
        },
      ),
    );
  });
});

describe('quiet hours', () => {
  test('are meant in their time zone, up to but not with the end, and may pass midnight', () => {
    const at = (time: string): number => Date.parse(`2026-01-15T${time}:00Z`);
    const night = { from: '22:00', to: '07:00', time_zone: 'Asia/Singapore' };
    const table: [string, boolean][] = [
      ['13:59', false],
      ['14:00', true],
      ['16:00', true],
      ['22:59', true],
      ['23:00', false],
    ];
    for (const [time, quiet] of table) assert.equal(isQuiet(night, at(time)), quiet, time);
    const noon = { from: '12:00', to: '13:00', time_zone: 'UTC' };
    assert.deepEqual(
      [isQuiet(noon, at('11:59')), isQuiet(noon, at('12:00')), isQuiet(noon, at('13:00'))],
      [false, true, false],
    );
    const summer = { from: '08:00', to: '09:00', time_zone: 'Europe/Berlin' };
    assert.equal(isQuiet(summer, Date.parse('2026-07-15T06:30:00Z')), true);
    assert.equal(isQuiet(summer, Date.parse('2026-01-15T06:30:00Z')), false);
  });
});
