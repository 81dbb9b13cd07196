/**
 * Requests drawn from the published description: mostly lawful, with a part broken now and then. For properties that must hold
 * for any request.
 */
import fc, { type Arbitrary } from 'fast-check';
import { type Described, type Method, pathOf, type Schema, sampleOf, typeOf } from './description.ts';

export interface DrawnRequest {
  /** operationId; counterexamples stay readable without the whole description. */
  id: string;
  method: Method;
  path: string;
  body?: unknown;
  headers: Record<string, string>;
}

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\u0000', '\ud800', '\u202e', '__proto__', '1e999', '-0', 'null', '{{code}}', '9'.repeat(40)),
  fc.constantFrom(-1, 0, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, true, null),
  fc.constantFrom<unknown>({ __proto__: null, constructor: { prototype: {} } }, [[[]]], { toString: 1 }),
);

const text: Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '+6591234567',
    '+10000000004',
    'ana@example.com',
    'login',
    'en',
    '{{name}} {{code}}',
    'sms|email',
    '482913',
  ),
);

/** Values that fit the schema, most of the time; `known` says what some names stand for. */
function arbitraryOf(schema: Schema, name: string, known: Record<string, Arbitrary<unknown>>): Arbitrary<unknown> {
  const lawful = known[name] ?? lawfulOf(schema, name, known);
  return fc.oneof({ arbitrary: lawful, weight: 24 }, { arbitrary: junk, weight: 1 });
}

function lawfulOf(schema: Schema, name: string, known: Record<string, Arbitrary<unknown>>): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((branch) => arbitraryOf(branch, name, known)));
  switch (typeOf(schema)) {
    case 'object':
      return objectOf(schema, known);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}, name, known), { maxLength: 4 });
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1000, noNaN: true });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1000 });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.oneof({ arbitrary: fc.constant(sampleOf(schema, name)), weight: 3 }, { arbitrary: text, weight: 1 });
  }
}

function objectOf(schema: Schema, known: Record<string, Arbitrary<unknown>>): Arbitrary<unknown> {
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, part]) => [name, arbitraryOf(part, name, known)] as const,
  );
  const own = fc.record(Object.fromEntries(members), {
    requiredKeys: (schema.required ?? []).filter((name) => schema.properties?.[name]),
  });
  const { additionalProperties, propertyNames } = schema;
  if (typeof additionalProperties !== 'object') return own;
  const names = propertyNames?.enum
    ? fc.constantFrom(...propertyNames.enum.map(String))
    : fc.constantFrom('name', 'order', 'code', 'a b', 'ü');
  const more = fc.dictionary(names, arbitraryOf(additionalProperties, 'name', known), { maxKeys: 4 });
  return fc.tuple(own, more).map(([one, other]) => ({ ...(one as object), ...other }));
}

/** A request to one of the operations; `known` draws ids and what must not be drawn at random. */
export function requestTo(
  operations: readonly Described[],
  known: Record<string, Arbitrary<unknown>>,
): Arbitrary<DrawnRequest> {
  return fc.constantFrom(...operations).chain((operation) => {
    const inPath = fc.record(
      Object.fromEntries(operation.params.map(({ name, schema }) => [name, arbitraryOf(schema, name, known)])),
    );
    const inQuery = fc.record(
      Object.fromEntries(operation.query.map(({ name, schema }) => [name, arbitraryOf(schema, name, known)])),
      { requiredKeys: operation.query.filter(({ required }) => required).map(({ name }) => name) },
    );
    const key = fc.option(fc.nat(200).map(String), { freq: 3, nil: undefined });
    const body = operation.body ? arbitraryOf(operation.body, '', known) : fc.constant(undefined);
    return fc
      .record({ inPath, inQuery, key, body })
      .map(({ inPath: params, inQuery: query, key: idempotencyKey, ...drawn }) => ({
        id: operation.id,
        method: operation.method,
        path: `${pathOf(operation, names(texts(params)))}${queryText(texts(query))}`,
        headers: { ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }) },
        ...(drawn.body !== undefined && { body: drawn.body }),
      }));
  });
}

/** A name that is empty or made of dots makes another path. */
const names = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, /^\.{0,2}$/.test(value) ? 'x' : value]));

const texts = (values: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value).toWellFormed().slice(0, 500)]));

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

function queryText(query: Record<string, string>): string {
  const encoded = new URLSearchParams(query).toString();
  return encoded === '' ? '' : `?${encoded}`;
}
