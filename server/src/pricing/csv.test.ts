/** Price lists as text: what is written is read back, what is wrong is named where it stands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readPrices, writeCsv, writePrices } from './csv.ts';
import { planImport } from './plan.ts';
import { any, type Price } from './price.ts';

const header = 'provider,channel,country,prefix,price,currency,valid_from';
const read = (...lines: string[]) => readPrices([header, ...lines].join('\n'), 'USD');
const faults = (...lines: string[]): string[] =>
  read(...lines).faults.map(({ field, problem }) => `${field}: ${problem}`);

const destination = fc.oneof(
  fc.record({
    channel: fc.constantFrom('sms' as const, 'whatsapp' as const, 'voice' as const),
    country: fc.constantFrom(any, 'SG', 'US', 'CA'),
    prefix: fc.constantFrom(''),
  }),
  fc.record({
    channel: fc.constantFrom('sms' as const, 'voice' as const),
    country: fc.constantFrom(any, 'SG'),
    prefix: fc.constantFrom('65', '659', '6591234567'),
  }),
  fc.constant({ channel: 'email' as const, country: any, prefix: '' }),
);
const anyPrice = fc
  .tuple(
    destination,
    fc.record({
      id: fc.bigInt({ min: 1n, max: 10n ** 18n }).map(String),
      provider: fc.oneof(fc.constant(any), fc.stringMatching(/^[a-z0-9-]{2,40}$/)),
      priceMicros: fc.integer({ min: 0, max: 1_000_000_000_000 }),
      refund: fc.constantFrom('none' as const, 'undelivered' as const),
      validFrom: fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }),
      updatedAt: fc.constant(new Date(0)),
    }),
  )
  .map(([where, rest]): Price => ({ ...where, ...rest }));
const keyOf = ({ provider, channel, country, prefix, validFrom }: Price): string =>
  [provider, channel, country, prefix, validFrom.getTime()].join(' ');
const anyTable = fc.uniqueArray(anyPrice, { selector: keyOf, comparator: 'IsStrictlyEqual' });

describe('a price list as CSV', () => {
  test('is read back as it was written: importing an export changes nothing, by either mode', () => {
    fc.assert(
      fc.property(anyTable, fc.constantFrom('merge' as const, 'replace' as const), (table, mode) => {
        const { rows, faults: found } = readPrices(writePrices(table, 'USD'), 'USD');
        assert.deepEqual(found, []);
        const now = Date.parse('2026-07-03T00:00:00Z');
        const plan = planImport(table, rows, mode, now);
        assert.deepEqual(plan, { added: [], changed: [], unchanged: table.length, removed: [] });
      }),
      { numRuns: 500 },
    );
  });

  test('imported twice changes nothing the second time, whatever stood there and with or without moments', () => {
    const wantedRow = anyPrice.map((price) => ({ ...price, begins: price.priceMicros % 2 === 0 }));
    fc.assert(
      fc.property(
        anyTable,
        fc.uniqueArray(wantedRow, { selector: (row) => keyOf({ ...row, validFrom: new Date(0) }) }),
        fc.constantFrom('merge' as const, 'replace' as const),
        (table, list, mode) => {
          const now = Date.parse('2026-07-03T00:00:00Z');
          const wanted = list.map((row) => ({ ...row, validFrom: row.begins ? row.validFrom : null }));
          const first = planImport(table, wanted, mode, now);
          let made = 0;
          const after = [
            ...table
              .filter(({ id }) => !first.removed.includes(id))
              .map((price) => ({ ...price, ...first.changed.find(({ id }) => id === price.id) })),
            ...first.added.map((row) => ({ ...row, id: `new-${++made}`, updatedAt: new Date(0) })),
          ];
          const second = planImport(after, wanted, mode, now + 1_000);
          assert.deepEqual([second.added, second.changed, second.removed], [[], [], []]);
          if (mode === 'replace') assert.equal(after.length, wanted.length);
          if (mode === 'merge') assert.deepEqual(first.removed, []);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('columns stand in any order, some may be missing, and quoting, a byte order mark and line ends of either kind are taken', () => {
    const text = '\uFEFF"price",channel,"provider",Country\r\n"0.0412",sms,carrier-a,SG\r\n\r\n 0.05 , voice ,*,*\r\n';
    const { rows, faults: found } = readPrices(text, 'USD');
    assert.deepEqual(found, []);
    const common = { prefix: '', refund: 'none', validFrom: null };
    assert.deepEqual(rows, [
      { ...common, provider: 'carrier-a', channel: 'sms', country: 'SG', priceMicros: 41_200 },
      { ...common, provider: '*', channel: 'voice', country: '*', priceMicros: 50_000 },
    ]);
  });

  test('names every bad line with its number and column', () => {
    assert.deepEqual(
      faults(
        'carrier-a,sms,SG,65,0.0412,USD,2026-08-01',
        'Carrier A,sms,SG,,0.0412,,',
        '*,fax,XX,+65,1.2345678,EUR,tomorrow',
        '',
        '*,sms,UK,,0.1,USD,2026-02-30',
        '*,sms,SG',
        '*,email,SG,65,0.1,,',
        '*,sms,SG,44,0.1,,1969-12-31',
        'carrier-a,sms,SG,65,0.05,USD,2026-08-01T00:00:00Z',
      ),
      [
        'csv[3].provider: must be the id of a provider, or * for any',
        'csv[4].channel: must be one of whatsapp, sms, email, voice',
        'csv[4].prefix: must be the first digits of numbers, calling code first, without + or zeros in front',
        'csv[4].price: must be a decimal such as 0.0412, with at most six digits behind the point',
        'csv[4].currency: must be USD',
        'csv[4].valid_from: must be an RFC 3339 time or a day, or empty for now',
        'csv[6].valid_from: must be an RFC 3339 time or a day, or empty for now',
        'csv[7]: has 3 columns and the first line 7',
        'csv[8].country: must be * for e-mail',
        'csv[8].prefix: must be empty for e-mail',
        'csv[9].valid_from: must be an RFC 3339 time or a day, or empty for now',
        'csv[10]: is for the same as line 2',
      ],
    );
    assert.deepEqual(faults('*,sms,UK,,0.1,,', '*,sms,SG,44,0.1,,', '*,sms,sg,,0.1,,'), [
      'csv[2].country: must be an ISO 3166 alpha-2 code, or * for any',
      'csv[3].prefix: no number of SG begins with it',
      'csv[4].country: must be an ISO 3166 alpha-2 code, or * for any',
    ]);
  });

  test('a refund is one of two words, and none where nothing is said', () => {
    const list = (refund: string) => readPrices(`provider,channel,country,price,refund\n*,sms,*,1,${refund}`, 'USD');
    assert.deepEqual(
      ['', 'none', 'undelivered'].map((refund) => list(refund).rows[0]?.refund),
      ['none', 'none', 'undelivered'],
    );
    assert.deepEqual(list('always').faults, [{ field: 'csv[2].refund', problem: 'must be one of none, undelivered' }]);
  });

  test('names what is wrong with the first line, and a quotation mark that does not end', () => {
    const first = (text: string): string[] => readPrices(text, 'USD').faults.map(({ problem }) => problem);
    assert.deepEqual(first(''), ['must begin with a line that names the columns']);
    assert.deepEqual(first('provider,channel,country,amount,channel\n'), [
      'the column price is missing',
      '"amount" is no column of a price table',
      'the column channel stands there twice',
    ]);
    const [fault] = read('*,sms,SG,,"0.1,,', '*,sms,SG,,0.1,,').faults;
    assert.match(String(fault?.field), /^csv/);
    assert.match(String(fault?.problem), /^is not CSV/);
  });

  test('is read whatever it is, without an exception', () => {
    const cell = fc.oneof(
      fc.string(),
      fc.constantFrom('*', 'sms', 'SG', '65', '0.1', 'USD', "'-x", '"', '\n', "'", '\u0000'),
    );
    fc.assert(
      fc.property(fc.array(fc.array(cell).map((cells) => cells.join(','))), (lines) => {
        const { rows, faults: found } = read(...lines);
        assert.ok(rows.length <= lines.length * 9 && Array.isArray(found));
      }),
    );
  });

  test('holds no formula for a spreadsheet, and gives the cell back', () => {
    const [price] = fc.sample(anyPrice, 1);
    assert.ok(price);
    const text = writePrices([{ ...price, provider: '-2-3' }], 'USD');
    assert.match(text, /^'-2-3,/m);
    assert.equal(readPrices(text, 'USD').rows[0]?.provider, '-2-3');
    const evil = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'];
    const lines = writeCsv(
      ['cell'],
      evil.map((cell) => ({ cell })),
    );
    assert.deepEqual(lines.match(/(^|\n)"?[=+\-@\t\r]/g), null, lines);
  });
});
