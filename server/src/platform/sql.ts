/**
 * The `sql` tag: values are always parameters, fragments nest, JSON is stringified here (an array for a jsonb parameter
 * would otherwise be sent as a PostgreSQL array and fail with 22P02).
 * Only store.ts files and the platform write SQL.
 */
import { createHash } from 'node:crypto';

export class Sql {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.strings = strings;
    this.values = values;
  }

  /** Text with $1… and a name under which the server keeps the parsed statement. */
  toQuery(): { text: string; values: unknown[]; name: string } {
    let text = this.strings[0] ?? '';
    for (let i = 1; i < this.strings.length; i++) text += `$${i}${this.strings[i]}`;
    return { text, values: [...this.values], name: nameOf(text) };
  }
}

const names = new Map<string, string>();
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
    names.set(text, name);
  }
  return name;
}

/** `sql\`select ${value}\``: a value becomes a parameter, another Sql is spliced in. */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Sql {
  const outStrings: string[] = [strings[0] ?? ''];
  const outValues: unknown[] = [];
  values.forEach((value, i) => {
    const after = strings[i + 1] ?? '';
    if (value instanceof Sql) {
      outStrings[outStrings.length - 1] += value.strings[0] ?? '';
      outStrings.push(...value.strings.slice(1));
      outValues.push(...value.values);
      outStrings[outStrings.length - 1] += after;
    } else {
      outStrings.push(after);
      outValues.push(value);
    }
  });
  return new Sql(outStrings, outValues);
}

/** A name or keyword written by us, never by a caller. */
export function raw(text: string): Sql {
  return new Sql([text], []);
}

export function join(parts: readonly Sql[], separator = ', '): Sql {
  return parts.reduce((left, right, i) => (i === 0 ? right : sql`${left}${raw(separator)}${right}`), raw(''));
}

/** A value for a json or jsonb parameter. */
export function json(value: unknown): string {
  return JSON.stringify(value);
}

export type Column<Item> = readonly [type: string, value: (item: Item) => unknown];

/**
 * A relation of many rows as one parameter per column: `select … from unnest(…) with ordinality as name(columns…, ord)`.
 * jsonb columns travel as text and are cast. `ord` is 1-based and in the order of `items`.
 */
export function relation<Item>(items: readonly Item[], columns: Record<string, Column<Item>>): Sql {
  const entries = Object.entries(columns);
  const arrays = entries.map(([, [type, value]]) => {
    const wire = type === 'jsonb' ? 'text' : type;
    return sql`${arrayLiteral(type, items.map(value))}::${raw(wire)}[]`;
  });
  const picks = entries.map(([name, [type]]) => raw(type === 'jsonb' ? `${name}::jsonb as ${name}` : name));
  const columnNames = raw(entries.map(([name]) => name).join(', '));
  return sql`select ${join(picks)}, ord from unnest(${join(arrays)}) with ordinality as u(${columnNames}, ord)`;
}

/** Types whose text needs no quotes inside an array literal. */
const bare = new Set(['bigint', 'integer', 'int', 'smallint', 'boolean', 'uuid', 'double precision', 'numeric']);

/** The text form of an array, by type: several times faster than finding out for each element what it is. */
function arrayLiteral(type: string, values: readonly unknown[]): string {
  if (bare.has(type)) return `{${values.map((value) => value ?? 'NULL').join()}}`;
  const text = textOf[type] ?? String;
  return `{${values.map((value) => (value === null || value === undefined ? 'NULL' : quoted(text(value)))).join()}}`;
}

const textOf: Record<string, (value: unknown) => string> = {
  jsonb: (value) => JSON.stringify(value),
  bytea: (value) => `\\x${(value as Buffer).toString('hex')}`,
  timestamptz: (value) => (value instanceof Date ? value.toISOString() : String(value)),
};

const quoted = (text: string): string => `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, '\\$&') : text}"`;
