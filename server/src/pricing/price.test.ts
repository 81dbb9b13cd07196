/** Which price counts: compared with the rule written down once more, as plainly as it can be said. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatMicros, parseMicros } from './money.ts';
import { type Asked, any, decide, fitting, nameOf, type Price, tableOf } from './price.ts';

const nowMs = Date.parse('2026-07-03T00:00:00Z');
let ids = 0;
const priced = (part: Partial<Price>): Price => ({
  ...{ id: String(++ids), provider: any, channel: 'sms', country: any, prefix: '', priceMicros: 1, refund: 'none' },
  ...{ validFrom: new Date(0), updatedAt: new Date(0) },
  ...part,
});
const asked: Asked = { providerId: 'a', channel: 'sms', to: '+6591234567', country: 'SG' };
const micros = (prices: Price[], ask: Partial<Asked> = {}, atMs = nowMs): number | undefined =>
  decide(tableOf(prices), { ...asked, ...ask }, atMs)?.priceMicros;

/** 1 for a, -1 for b: who of two prices that fit is more specific, by the words of the documentation. */
function moreSpecific(a: Price, b: Price): number {
  if (a.prefix.length !== b.prefix.length) return a.prefix.length > b.prefix.length ? 1 : -1;
  if ((a.country === any) !== (b.country === any)) return a.country === any ? -1 : 1;
  if ((a.provider === any) !== (b.provider === any)) return a.provider === any ? -1 : 1;
  return a.validFrom > b.validFrom ? 1 : -1;
}

const fits = (price: Price, { providerId, channel, to, country }: Asked): boolean =>
  price.channel === channel &&
  [any, providerId].includes(price.provider) &&
  (price.country === any || price.country === country) &&
  (price.prefix === '' || to.startsWith(`+${price.prefix}`)) &&
  price.validFrom.getTime() <= nowMs;

const anyPrice = fc
  .record({
    provider: fc.constantFrom(any, 'a', 'b'),
    channel: fc.constantFrom('sms' as const, 'voice' as const),
    country: fc.constantFrom(any, 'SG', 'DE'),
    prefix: fc.constantFrom('', '6', '65', '6591', '65912', '49'),
    validFrom: fc.integer({ min: -3, max: 3 }).map((days) => new Date(nowMs + days * 86_400_000)),
  })
  .map(priced);

describe('which price counts', () => {
  test('is the most specific one in force, for any table and any recipient', () => {
    const recipients = fc.record({
      providerId: fc.constantFrom('a', 'b', 'c'),
      channel: fc.constantFrom('sms' as const, 'voice' as const, 'email' as const),
      to: fc.constantFrom('+6591234567', '+6581234567', '+4915112345678', '+888123456', 'ana@example.net'),
      country: fc.constantFrom('SG', 'DE', null),
    });
    const prices = fc.uniqueArray(anyPrice, {
      selector: ({ provider, channel, country, prefix, validFrom }) =>
        [provider, channel, country, prefix, validFrom.getTime()].join(),
    });
    fc.assert(
      fc.property(prices, recipients, (list, given) => {
        const ask: Asked = given.to.includes('@') ? { ...given, country: null } : given;
        const best =
          list
            .filter((price) => fits(price, ask))
            .sort(moreSpecific)
            .at(-1) ?? null;
        const found = [...fitting(tableOf(list), ask, nowMs)];
        assert.equal(found[0]?.id ?? null, best?.id ?? null);
        assert.ok(found.every((price, i) => i === 0 || moreSpecific(found[i - 1] ?? price, price) > 0));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a longer prefix before a shorter one, before the country, before anywhere; the provider before any', () => {
    const table = [
      priced({ priceMicros: 10 }),
      priced({ priceMicros: 20, provider: 'a' }),
      priced({ priceMicros: 30, country: 'SG' }),
      priced({ priceMicros: 40, prefix: '65' }),
      priced({ priceMicros: 50, prefix: '6591' }),
      priced({ priceMicros: 60, prefix: '6591', provider: 'a' }),
    ];
    const inTurn: (number | undefined)[] = [];
    for (let left = table; ; left = left.slice(0, -1)) {
      inTurn.push(micros(left));
      if (left.length === 0) break;
    }
    assert.deepEqual(inTurn, [60, 50, 40, 30, 20, 10, undefined]);
    assert.equal(micros(table, { providerId: 'b' }), 50);
    assert.equal(micros(table, { channel: 'voice' }), undefined);
    assert.equal(
      nameOf(table[5] ?? priced({})),
      'provider a, numbers that begin with 6591, since 1970-01-01T00:00:00.000Z',
    );
  });

  test('a price that begins later is as if it were not there, until its moment', () => {
    const later = new Date(nowMs + 1000);
    const table = [priced({ priceMicros: 1 }), priced({ priceMicros: 2, validFrom: later })];
    assert.deepEqual([micros(table), micros(table, {}, nowMs + 999), micros(table, {}, nowMs + 1000)], [1, 1, 2]);
    const ahead = [priced({ priceMicros: 1 }), priced({ priceMicros: 9, prefix: '65', validFrom: later })];
    assert.deepEqual([micros(ahead), micros(ahead, {}, nowMs + 1000)], [1, 9]);
  });

  test('the country is found out only where it could count', () => {
    const dear: Asked = {
      ...asked,
      get country(): string {
        throw new Error('nobody needs it');
      },
    };
    assert.equal(decide(tableOf([priced({ prefix: '65' })]), dear, nowMs)?.prefix, '65');
    assert.throws(() => decide(tableOf([priced({ country: 'SG' })]), dear, nowMs), /nobody needs it/);
  });
});

describe('money', () => {
  test('goes to text and back digit by digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (amount) => {
        assert.equal(parseMicros(formatMicros(amount)), amount);
      }),
    );
    assert.deepEqual([41_200, 1, 1_000_000, 0, 12_340_000].map(formatMicros), [
      '0.0412',
      '0.000001',
      '1',
      '0',
      '12.34',
    ]);
    assert.deepEqual(
      ['0.0412', '0.100000', '8.2', '4.35', '1.005', '1000000'].map(parseMicros),
      [41_200, 100_000, 8_200_000, 4_350_000, 1_005_000, 1_000_000_000_000],
    );
  });

  test('is nothing else', () => {
    for (const text of [
      '',
      '.5',
      '5.',
      '-1',
      '+1',
      '1e3',
      '0.0000001',
      '1,5',
      ' 1',
      '1000000.000001',
      '0x1',
      'NaN',
      '１',
    ])
      assert.equal(parseMicros(text), null, text);
  });
});
