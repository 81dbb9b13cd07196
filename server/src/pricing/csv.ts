/**
 * The price table as CSV (RFC 4180) and back. What is written is read back as it was, and is safe to open in a spreadsheet: a cell
 * that would be taken for a formula begins with an apostrophe, which reading takes away. Nothing here decides what is stored.
 */
import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { FieldFault } from '../errors.ts';
import { formatMicros, parseMicros } from './money.ts';
import type { Price } from './price.ts';
import {
  channelProblem,
  faultsOfRow,
  isChannel,
  isRefund,
  type NewPrice,
  prefixForm,
  prefixProblem,
  providerForm,
  providerProblem,
  type RowField,
  refundProblem,
} from './rows.ts';

const needed = ['provider', 'channel', 'country', 'price'] as const;
const priceColumns = ['provider', 'channel', 'country', 'prefix', 'price', 'currency', 'refund', 'valid_from'] as const;
type ColumnName = (typeof priceColumns)[number];
const isColumn = (name: string): name is ColumnName => priceColumns.some((column) => column === name);

/** The same cells that csv-stringify guards. */
const guarded = /^'(?=[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20])/;
const timeForm = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Cells by column, one line for each. */
export function writeCsv(columns: readonly string[], rows: readonly Record<string, string>[]): string {
  return stringify([...rows], {
    header: true,
    columns: [...columns],
    record_delimiter: 'windows',
    escape_formulas: true,
  });
}

export const writePrices = (prices: readonly Price[], currency: string): string =>
  writeCsv(
    priceColumns,
    prices.map(({ provider, channel, country, prefix, priceMicros, refund, validFrom }) => ({
      ...{ provider, channel, country, prefix, currency, refund },
      price: formatMicros(priceMicros),
      valid_from: validFrom.toISOString(),
    })),
  );

export interface ReadPrices {
  rows: NewPrice[];
  /** One for each thing that is wrong: `csv[line].column`. Where there is any, the rows are worth nothing. */
  faults: FieldFault[];
}

interface Line {
  line: number;
  cells: string[];
}

export function readPrices(text: string, currency: string): ReadPrices {
  const lines = linesOf(text);
  if (!Array.isArray(lines)) return { rows: [], faults: [lines] };
  const [header, ...body] = lines;
  if (!header)
    return { rows: [], faults: [{ field: 'csv', problem: 'must begin with a line that names the columns' }] };
  const faults = faultsOfHeader(header);
  if (faults.length > 0) return { rows: [], faults };
  const names = header.cells.map((name) => name.toLowerCase());
  const rows: NewPrice[] = [];
  const seen = new Map<string, number>();
  for (const { line, cells } of body) {
    const say = (column: string, problem: string): void =>
      void faults.push({ field: `csv[${line}]${column}`, problem });
    if (cells.length !== names.length) {
      say('', `has ${cells.length} columns and the first line ${names.length}`);
      continue;
    }
    const given = Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
    const row = readRow(given, currency, (column, problem) => say(`.${column}`, problem));
    if (!row) continue;
    const key = [row.provider, row.channel, row.country, row.prefix, row.validFrom?.getTime() ?? ''].join(' ');
    const earlier = seen.get(key);
    if (earlier !== undefined) say('', `is for the same as line ${earlier}`);
    seen.set(key, line);
    rows.push(row);
  }
  return { rows, faults };
}

/** A fault where the text is no CSV. */
function linesOf(text: string): Line[] | FieldFault {
  try {
    const found = parse(text, {
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return found.map(({ record, info }) => ({
      line: info.lines,
      cells: record.map((cell) => cell.replace(guarded, '')),
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? `[${error['lines']}]` : '';
    return { field: `csv${line}`, problem: 'is not CSV: a quotation mark stands where none may, or is missing' };
  }
}

function faultsOfHeader({ line, cells }: Line): FieldFault[] {
  const names = cells.map((name) => name.toLowerCase());
  const field = `csv[${line}]`;
  return [
    ...needed
      .filter((name) => !names.includes(name))
      .map((name) => ({ field, problem: `the column ${name} is missing` })),
    ...names.flatMap((name, i) => {
      if (!isColumn(name))
        return { field, problem: `${JSON.stringify(name.slice(0, 40))} is no column of a price table` };
      return names.indexOf(name) < i ? { field, problem: `the column ${name} stands there twice` } : [];
    }),
  ];
}

type Cells = Partial<Record<string, string>>;

/** Null where anything is wrong, which `say` was told. */
function readRow(
  { provider = '', channel = '', country = '', prefix = '', price = '', valid_from = '', ...more }: Cells,
  ours: string,
  say: (column: RowField | 'currency', problem: string) => void,
): NewPrice | null {
  const priceMicros = parseMicros(price);
  const refund = more['refund'] || 'none';
  const currency = more['currency'] || ours;
  const validFrom = valid_from === '' ? null : readTime(valid_from);
  let right = true;
  const require = (holds: boolean, column: RowField | 'currency', problem: string): void => {
    if (holds) return;
    right = false;
    say(column, problem);
  };
  require(providerForm.test(provider), 'provider', providerProblem);
  require(isChannel(channel), 'channel', channelProblem);
  require(prefixForm.test(prefix), 'prefix', prefixProblem);
  require(priceMicros !== null, 'price', 'must be a decimal such as 0.0412, with at most six digits behind the point');
  require(currency === ours, 'currency', `must be ${ours}`);
  require(isRefund(refund), 'refund', refundProblem);
  require(validFrom !== undefined, 'valid_from', 'must be an RFC 3339 time or a day, or empty for now');
  if (!isChannel(channel) || priceMicros === null || !isRefund(refund) || validFrom === undefined) return null;
  const row: NewPrice = { provider, channel, country, prefix, priceMicros, refund, validFrom };
  for (const { field, problem } of faultsOfRow(row)) require(false, field, problem);
  return right ? row : null;
}

/** Undefined for what is no time after 1970. A day begins at midnight UTC. */
function readTime(text: string): Date | undefined {
  const [, year, month, day] = timeForm.exec(text) ?? [];
  // Of 31 February a Date makes 3 March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const time = new Date(Number(day) <= lastDay ? text : Number.NaN);
  return time.getTime() >= 0 ? time : undefined;
}
