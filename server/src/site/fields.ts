/** A schema as a table for readers: one row per field, nested ones with their whole name (`template.params`, `rows[].to`). */
import { type Description, resolve, type Schema } from './description.ts';
import { table } from './table.ts';

export interface Field {
  name: string;
  required: boolean;
  schema: Schema;
}

/** Deeper than any schema of today; a schema that contains itself ends here. */
const maxDepth = 8;

/** Every field below the schema, in order; of alternatives all, each once and with the values that any of them allows. */
export function fieldsOf(description: Description, schema: Schema, prefix = '', depth = 0): Field[] {
  if (depth > maxDepth) return [];
  const found: Field[] = [];
  const add = (fields: readonly Field[]): void => {
    for (const field of fields) {
      const known = found.findIndex(({ name }) => name === field.name);
      if (known === -1) found.push(field);
      else found[known] = merged(found[known] ?? field, field);
    }
  };
  const one = resolve(description, schema);
  for (const branch of [...(one.anyOf ?? []), ...(one.allOf ?? [])])
    add(fieldsOf(description, branch, prefix, depth + 1));
  for (const [key, part] of Object.entries(one.properties ?? {})) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    const inner = resolve(description, part);
    add([{ name, required: one.required?.includes(key) ?? false, schema: inner }]);
    add(fieldsOf(description, inner, name, depth + 1));
  }
  if (one.items) add(fieldsOf(description, one.items, `${prefix}[]`, depth + 1));
  if (typeof one.additionalProperties === 'object') {
    add(fieldsOf(description, one.additionalProperties, `${prefix === '' ? '' : `${prefix}.`}*`, depth + 1));
  }
  return found;
}

const choicesOf = ({ enum: all, const: only }: Schema): readonly unknown[] => all ?? (only === undefined ? [] : [only]);

function merged(one: Field, other: Field): Field {
  const choices = [...new Set([...choicesOf(one.schema), ...choicesOf(other.schema)])];
  if (choices.length === 0) return one;
  const { const: _, ...schema } = one.schema;
  return { ...one, schema: { ...schema, enum: choices } };
}

/** Empty without a field. `what` heads the first column; answers have no column that says what is required. */
export function fieldTable(description: Description, fields: readonly Field[], what: string, asked = true): string {
  if (fields.length === 0) return '';
  const rows = fields.map(({ name, required, schema }) => [
    `\`${name}\``,
    typeOf(description, schema),
    ...(asked ? [required ? 'yes' : 'no'] : []),
    meaningOf(schema),
  ]);
  return table([what, 'Type', ...(asked ? ['Required'] : []), 'Meaning'], rows);
}

/** `string`, `integer or null`, `list of object`. */
export function typeOf(description: Description, schema: Schema): string {
  const one = resolve(description, schema);
  if (one.anyOf) return [...new Set(one.anyOf.map((branch) => typeOf(description, branch)))].join(' or ');
  if (one.const !== undefined) return typeof one.const;
  const types = [one.type ?? (one.enum ? typeof one.enum[0] : 'any')].flat();
  return types
    .map((type) => {
      if (type === 'array') return one.items ? `list of ${typeOf(description, one.items)}` : 'list';
      if (type === 'object' && typeof one.additionalProperties === 'object')
        return `map to ${typeOf(description, one.additionalProperties)}`;
      return one.format === 'date-time' ? 'time (RFC 3339)' : type;
    })
    .join(' or ');
}

/** The sentence of the field and its rules. */
function meaningOf(schema: Schema): string {
  const parts = [schema.description?.replace(/([^.!?])$/, '$1.'), ...rulesOf(schema)].filter(
    (part) => part !== undefined,
  );
  return parts.join(' ');
}

function rulesOf(schema: Schema): string[] {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, pattern, format } = schema;
  const choices = choicesOf(schema);
  const rules: string[] = [];
  if (choices.length > 0)
    rules.push(`${choices.length > 1 ? 'One of ' : ''}${choices.map((value) => `\`${value}\``).join(', ')}.`);
  if (maxLength !== undefined) rules.push(`${between(minLength || undefined, maxLength)} characters.`);
  if (minimum !== undefined || maximum !== undefined) rules.push(`${between(minimum, maximum)}.`);
  if (maxItems !== undefined) rules.push(`${between(minItems || undefined, maxItems)} entries.`);
  // A cell cannot hold an escaped bar; in brackets it means the same.
  if (pattern !== undefined && format === undefined) rules.push(`Pattern \`${pattern.replaceAll('\\|', '[|]')}\`.`);
  if (schema.default !== undefined) rules.push(`Default \`${JSON.stringify(schema.default)}\`.`);
  return rules;
}

function between(min: number | undefined, max: number | undefined): string {
  if (min === undefined) return `At most ${max}`;
  if (max === undefined) return `At least ${min}`;
  return min === max ? `Exactly ${min}` : `${min} to ${max}`;
}
