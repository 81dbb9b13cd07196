/** The price table by the operator's operations: kept, listed, looked up, taken in and given out; each change in the ledger. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { bodyOf } from '../testing/application.ts';
import { onEachScene } from './fixture.ts';

const header = 'provider,channel,country,prefix,price,valid_from';

onEachScene('the price table', (get) => {
  beforeEach(() => get().clear());

  const operator = (path: string, method: 'GET' | 'DELETE' = 'GET') => get().box.operator({ path, method });
  const told = async () => {
    const entries = await listEvents(get().database.db, '0', '0');
    return entries.filter(({ cause }) => cause === 'price_managed').map(({ data = {} }) => data);
  };
  const rows = async (query = ''): Promise<[string, string, string, string, number][]> => {
    const { prices } = bodyOf(await operator(`/admin/v1/prices${query}`));
    return prices.map((row: Record<string, string | number>) =>
      ['provider', 'channel', 'country', 'prefix', 'price_micros'].map((name) => row[name]),
    );
  };

  test('a price is kept, changed at its moment, deleted; the ledger tells who did it', async () => {
    const { prices } = get();
    const before = (await told()).length;
    const key = { provider: 'carrier-a', country: 'SG', valid_from: '2026-01-01T08:00:00+08:00' };
    const first = await prices({ ...key, price_micros: 41_200 });
    assert.deepEqual(
      [first.provider, first.country, first.prefix, first.price_micros, first.currency, first.valid_from],
      ['carrier-a', 'SG', '', 41_200, 'USD', '2026-01-01T00:00:00.000Z'],
    );
    const again = await prices({ ...key, price_micros: 50_000 });
    assert.deepEqual([again.id, again.price_micros], [first.id, 50_000]);
    assert.deepEqual(await rows(), [['carrier-a', 'sms', 'SG', '', 50_000]]);
    assert.deepEqual(bodyOf(await operator(`/admin/v1/prices/${first.id}`, 'DELETE')), { id: first.id, deleted: true });
    assert.deepEqual(await rows(), []);
    const gone = await get().box.expectNothingHappened(() => operator(`/admin/v1/prices/${first.id}`, 'DELETE'));
    assert.deepEqual([gone.status, gone.body.code], [404, 4001]);
    const entries = (await told()).slice(before);
    assert.deepEqual(
      entries.map(({ action, price, price_micros }) => [action, price, price_micros]),
      [
        ['set price', first.id, 41_200],
        ['set price', first.id, 50_000],
        ['delete price', first.id, 50_000],
      ],
    );
    assert.ok(entries.every(({ operator: who }) => (who as { ip_address: string }).ip_address !== ''));
  });

  test('what cannot be a price is refused and changes nothing', async () => {
    const bad: [object, string][] = [
      [{ provider: 'Carrier A' }, 'provider'],
      [{ channel: 'fax' }, 'channel'],
      [{ country: 'UK' }, 'country'],
      [{ country: 'sg' }, 'country'],
      [{ country: 'SG', prefix: '44' }, 'prefix'],
      [{ prefix: '+65' }, 'prefix'],
      [{ channel: 'email', country: 'SG' }, 'country'],
      [{ price_micros: -1 }, 'price_micros'],
      [{ price_micros: 0.5 }, 'price_micros'],
      [{ price_micros: 1_000_000_000_001 }, 'price_micros'],
      [{ valid_from: '1969-12-31T23:59:59Z' }, 'valid_from'],
    ];
    for (const [body, field] of bad) {
      const reply = await get().box.expectNothingHappened(() => get().setPrice({ price_micros: 1, ...body }));
      assert.deepEqual([reply.status, reply.body.code, reply.body.details?.fields[0].field], [400, 3002, field]);
    }
  });

  test('is listed in pages, by provider, channel, country and prefix', async () => {
    const list = ['a,sms,SG,,1', 'a,sms,SG,65,2', 'a,sms,*,6591,3', 'b,voice,*,,4', '*,email,*,,5'].map(
      (line) => `x${line}`,
    );
    const csv = ['provider,channel,country,prefix,price', ...list].join('\n').replace('x*', '*');
    bodyOf(await get().importCsv(csv));
    const micros = async (query: string): Promise<number[]> => (await rows(query)).map((row) => row[4] / 1_000_000);
    assert.deepEqual(await micros(''), [5, 4, 3, 2, 1]);
    assert.deepEqual(await micros('?provider=xa'), [3, 2, 1]);
    assert.deepEqual(await micros('?provider=*'), [5]);
    assert.deepEqual(await micros('?channel=sms&country=SG'), [2, 1]);
    assert.deepEqual(await micros('?prefix=65'), [3, 2]);
    const pages: number[] = [];
    for (let cursor = ''; ; ) {
      const page = bodyOf(await operator(`/admin/v1/prices?limit=2${cursor && `&cursor=${cursor}`}`));
      pages.push(...page.prices.map((row: { price_micros: number }) => row.price_micros / 1_000_000));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    assert.deepEqual(pages, [5, 4, 3, 2, 1]);
    assert.equal((await operator('/admin/v1/prices?cursor=x')).status, 400);
  });

  test('a lookup says which price decides, what was passed over, and what will be at another moment', async () => {
    const { prices, lookUp, database } = get();
    await prices({ price_micros: 10 });
    await prices({ price_micros: 20, country: 'SG', provider: 'carrier-a' });
    const begins = new Date(database.clock.now() + 86_400_000).toISOString();
    await prices({ price_micros: 30, prefix: '6591', valid_from: begins });
    const ask = { provider: 'carrier-a', channel: 'sms', to: '+6591234567', units: '2' };
    const now = await lookUp(ask);
    assert.deepEqual([now.country, now.cost_micros, now.decided_by.price_micros], ['SG', 40, 20]);
    assert.match(now.because, /^provider carrier-a, country SG, since .*: 2 × 0\.00002 USD$/);
    assert.deepEqual(
      now.passed_over.map((row: { price_micros: number }) => row.price_micros),
      [10],
    );
    const later = await lookUp({ ...ask, at: begins });
    assert.deepEqual([later.cost_micros, later.passed_over.length], [60, 2]);
    const mail = await lookUp({ provider: 'carrier-a', channel: 'email', to: 'ana@example.net' });
    assert.deepEqual([mail.country, mail.cost_micros, mail.decided_by], [null, null, null]);
    const odd = await operator('/admin/v1/price-lookup?provider=carrier-a&channel=email&to=%2B6591234567');
    assert.deepEqual([odd.status, odd.body.details.fields[0].field], [400, 'to']);
  });

  test('an import is all or nothing, told in the ledger once, and repeated changes nothing', async () => {
    const { importCsv, box } = get();
    const good = ['carrier-a,sms,SG,,0.0412,2026-01-01', 'carrier-a,sms,SG,,0.05,2099-01-01', '*,voice,*,,0.1,'];
    const bad = [header, ...good, 'carrier-a,sms,SG,,a lot,', 'carrier a,sms,SG,,1,'].join('\r\n');
    const refused = await box.expectNothingHappened(() => importCsv(bad));
    assert.deepEqual([refused.status, refused.body.code], [400, 3002]);
    assert.deepEqual(
      refused.body.details.fields.map(({ field }: { field: string }) => field),
      ['csv[5].price', 'csv[6].provider'],
    );
    const csv = [header, ...good].join('\r\n');
    const before = (await told()).length;
    const dry = await box.expectNothingHappened(() => importCsv(csv, { dry_run: true }));
    assert.deepEqual(dry.body, { added: 3, changed: 0, unchanged: 0, removed: 0, applied: false });
    assert.deepEqual(bodyOf(await importCsv(csv)), { added: 3, changed: 0, unchanged: 0, removed: 0, applied: true });
    const again = await box.expectNothingHappened(() => importCsv(csv));
    assert.deepEqual(again.body, { added: 0, changed: 0, unchanged: 3, removed: 0, applied: true });
    const dearer = csv.replace('0.0412', '0.0413').replace('0.1,', '0.2,');
    assert.deepEqual(bodyOf(await importCsv(dearer)), {
      added: 1,
      changed: 1,
      unchanged: 1,
      removed: 0,
      applied: true,
    });
    const replaced = await importCsv([header, good[0]].join('\n'), { mode: 'replace' });
    assert.deepEqual(replaced.body, { added: 0, changed: 1, unchanged: 0, removed: 3, applied: true });
    assert.deepEqual(await rows(), [['carrier-a', 'sms', 'SG', '', 41_200]]);
    assert.deepEqual(
      (await told())
        .slice(before)
        .map(({ action, mode, added, changed, removed }) => [action, mode, added, changed, removed]),
      [
        ['import prices', 'merge', 3, 0, 0],
        ['import prices', 'merge', 1, 1, 0],
        ['import prices', 'replace', 0, 1, 3],
      ],
    );
  });

  test('two imports at once leave the whole of one of them', async () => {
    const list = (price: string): string =>
      [header, ...Array.from({ length: 50 }, (_, i) => `carrier-a,sms,*,65${i + 10},${price},2026-01-01`)].join('\n');
    const prices = ['1', '2', '3', '4'];
    await Promise.all(prices.map((price) => get().importCsv(list(price), { mode: 'replace' })));
    const kept = await rows('?limit=500');
    assert.deepEqual([kept.length, new Set(kept.map((row) => row[4])).size], [50, 1]);
  });

  test('an export is taken in again without a change, also one far larger than other requests may be', async () => {
    const { importCsv, exportCsv, box } = get();
    const lines = Array.from(
      { length: 3_000 },
      (_, i) => `-c${i},sms,SG,659${i},0.${String(i).padStart(6, '0')},2026-01-01`,
    );
    bodyOf(await importCsv([header, ...lines, '*,email,*,,0.0001,2030-01-01T00:00:00.001Z'].join('\n')));
    const text = await exportCsv();
    assert.ok(
      text.length > 65_536 && text.startsWith('provider,channel,country,prefix,price,currency,refund,valid_from\r\n'),
    );
    assert.ok(!/^-/m.test(text), 'no cell is a formula');
    for (const mode of ['merge', 'replace']) {
      const { body } = await box.expectNothingHappened(() => importCsv(text, { mode }));
      assert.deepEqual(body, { added: 0, changed: 0, unchanged: 3_001, removed: 0, applied: true });
    }
    await get().clear();
    bodyOf(await importCsv(text, { mode: 'replace' }));
    assert.equal(await exportCsv(), text);
  });
});
