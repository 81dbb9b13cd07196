/**
 * Checks values against the schemas of the published description: the keywords that stand in it and no others, an unknown
 * keyword throws. What the schema library says about its own schemas is tested elsewhere; this is what a client's tools see.
 */
import type { Description, Schema } from './description.ts';

const annotations = new Set(['description', 'title', 'default', 'examples', 'format', '$ref']);
const checked = new Set(
  'type properties required additionalProperties propertyNames items anyOf allOf enum const pattern minLength maxLength minimum maximum minItems maxItems'.split(
    ' ',
  ),
);

/** Those that replies are held to; other formats are for people. */
const formats: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  // A test's server that does not listen has no address.
  uri: /^([a-z][a-z0-9+.-]*:|\/)\S+$/,
};

/** One sentence per fault of the value. */
export function schemaFaults(schema: Schema, value: unknown, document: Description, at = 'value'): string[] {
  for (const keyword of Object.keys(schema))
    if (!annotations.has(keyword) && !checked.has(keyword)) throw new Error(`unknown keyword ${keyword}`);
  const { $ref, anyOf, allOf } = schema as Schema & { allOf?: Schema[] };
  if ($ref !== undefined) return schemaFaults(resolveRef(document, $ref) as Schema, value, document, at);
  const faults = [
    ...(allOf ?? []).flatMap((part) => schemaFaults(part, value, document, at)),
    ...ownFaults(schema, value, at),
  ];
  if (anyOf?.every((branch) => schemaFaults(branch, value, document, at).length > 0))
    faults.push(`${at} has none of the forms`);
  if (Array.isArray(value))
    for (const [i, item] of value.entries())
      faults.push(...schemaFaults(schema.items ?? {}, item, document, `${at}[${i}]`));
  else if (typeof value === 'object' && value !== null) faults.push(...memberFaults(schema, value, document, at));
  return faults;
}

function memberFaults(schema: Schema, value: object, document: Description, at: string): string[] {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at} lacks ${name}`);
  return missing.concat(
    Object.entries(value).flatMap(([name, member]) => {
      const own = properties[name];
      const other = typeof additionalProperties === 'object' ? additionalProperties : {};
      return [
        ...(propertyNames ? schemaFaults(propertyNames, name, document, `${at} name`) : []),
        ...schemaFaults(own ?? other, member, document, `${at}.${name}`),
      ];
    }),
  );
}

function ownFaults(schema: Schema, value: unknown, at: string): string[] {
  const told = JSON.stringify(value)?.slice(0, 80);
  const fault = (problem: string): string[] => [`${at} ${problem}: ${told}`];
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOf(type, value)))
    return fault(`is no ${schema.type}`);
  if (schema.const !== undefined && value !== schema.const) return fault(`is not ${schema.const}`);
  if (schema.enum && !schema.enum.includes(value)) return fault('is not in the list');
  if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
      return fault('has another pattern');
    if (formats[schema.format ?? '']?.test(value) === false) return fault(`is no ${schema.format}`);
    return outside([...value].length, schema.minLength, schema.maxLength) ? fault('has another length') : [];
  }
  if (typeof value === 'number') return outside(value, schema.minimum, schema.maximum) ? fault('is out of range') : [];
  if (Array.isArray(value))
    return outside(value.length, schema.minItems, schema.maxItems) ? fault('has another size') : [];
  return [];
}

const outside = (value: number, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): boolean =>
  value < min || value > max;

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  const name: string = typeof value;
  return name === type;
}

/** What `#/components/…` names; throws when there is nothing. */
export function resolveRef(document: Description, ref: string): unknown {
  const found = ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);
  if (!ref.startsWith('#/') || found === undefined) throw new Error(`${ref} leads nowhere`);
  return found;
}
