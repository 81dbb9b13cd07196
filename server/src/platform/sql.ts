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
    const cells = items.map((item) => (type === 'jsonb' ? stringify(value(item)) : value(item)));
    return sql`${cells}::${raw(wire)}[]`;
  });
  const picks = entries.map(([name, [type]]) => raw(type === 'jsonb' ? `${name}::jsonb as ${name}` : name));
  const columnNames = raw(entries.map(([name]) => name).join(', '));
  return sql`select ${join(picks)}, ord from unnest(${join(arrays)}) with ordinality as u(${columnNames}, ord)`;
}

const stringify = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);
