/**
 * Makes a schema of the API description readable: every field has a sentence, what may be null says so in its type, numbers say how wide
 * they are, and fields of replies carry the bounds that follow from their name. What a schema says itself stays as it is.
 *
 * An entry of the words is found by the name of the field: `resend.mode` (below the field resend) before `mode:enum` (by its type)
 * before `mode`.
 */
import type { Json } from './openapi-schemas.ts';
import { wordsAsking } from './words-asking.ts';
import { wordsOperating } from './words-operating.ts';
import { wordsSending } from './words-sending.ts';

export type Side = 'request' | 'reply';

const words = new Map(Object.entries({ ...wordsAsking, ...wordsOperating, ...wordsSending }));
const constraints = 'enum const format pattern minimum maximum minLength maxLength minItems maxItems'.split(' ');

/** A new schema; `field` is the name of the property it belongs to. */
export function withWords(schema: Json, side: Side, field = ''): Json {
  const one = widened(nullable(schema));
  const { properties, items, anyOf, allOf, additionalProperties } = one as Record<string, Json & Json[]>;
  return {
    ...one,
    ...(properties && { properties: tellFields(properties as Json, side, field) }),
    ...(items && { items: withWords(items, side, field) }),
    ...(anyOf && { anyOf: anyOf.map((part) => withWords(part, side, field)) }),
    ...(allOf && { allOf: allOf.map((part) => withWords(part, side, field)) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: withWords(additionalProperties, side, field),
    }),
  };
}

/** The sentence for a field below another; undefined where there is none. */
export function wordsFor(name: string, schema: Json, parent = ''): string | undefined {
  const type = typeOf(schema);
  const kinds = [...(schema['enum'] ? ['enum'] : []), type, ...(type === 'integer' ? ['number'] : [])];
  return [`${parent}.${name}`, ...kinds.map((kind) => `${name}:${kind}`), name]
    .map((key) => words.get(key))
    .find((text) => text !== undefined);
}

function tellFields(properties: Json, side: Side, parent: string): Json {
  return Object.fromEntries(
    Object.entries(properties as Record<string, Json>).map(([name, part]) => {
      const told = withWords(part, side, name);
      const description = '$ref' in told ? undefined : (told['description'] ?? wordsFor(name, told, parent));
      return [
        name,
        {
          ...told,
          ...(side === 'reply' && boundsOf(name, told)),
          ...(description !== undefined && { description }),
        },
      ];
    }),
  );
}

const typesOf = ({ type }: Json): string[] => [type ?? []].flat() as string[];
const typeOf = (schema: Json): string => typesOf(schema)[0] ?? '';

/** `anyOf: [X, null]` as X with one type more: the same, and every reader understands it. */
function nullable(schema: Json): Json {
  const { anyOf, ...outer } = schema;
  const [one, other, ...more] = (anyOf ?? []) as Json[];
  if (!one || other?.['type'] !== 'null' || more.length > 0 || typeof one['type'] !== 'string' || 'const' in one)
    return schema;
  const choices = one['enum'] as unknown[] | undefined;
  return { ...one, type: [one['type'], 'null'], ...(choices && { enum: [...choices, null] }), ...outer };
}

const int32 = 2 ** 31;

/** Programs made from the description must not cut an amount in millionths. */
function widened(schema: Json): Json {
  if ('format' in schema || 'enum' in schema || 'const' in schema) return schema;
  const type = typeOf(schema);
  if (type === 'number') return { ...schema, format: 'double' };
  if (type !== 'integer') return schema;
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number };
  return { ...schema, format: minimum >= -int32 && maximum < int32 ? 'int32' : 'int64' };
}

/** May be less than nothing, or are about something that may. */
const signed = /amount|balance|available|saved|difference|value|threshold/;
const neverEmpty =
  /^(id|\w+_id|to|dev_key|dev_secret|provider|adapter|message|event|rule|policy|budget|template_key|signing_secret|currency|request_id|field|problem|fact|node|host|next_cursor|next_before|cursor|title|message_sid|account_sid|time_zone|because|why|cause|next_step|verdict|answer|keyword|target|source|session_token)$/;

/** What is true of every reply; nothing where the schema has bounds of its own. */
function boundsOf(name: string, schema: Json): Json {
  const type = typeOf(schema);
  if ((type === 'integer' || type === 'number') && !('enum' in schema || 'const' in schema)) {
    return 'minimum' in schema || signed.test(name) ? {} : { minimum: 0 };
  }
  if (type !== 'string' || constraints.some((key) => key in schema)) return {};
  if (/(^|_)(at|since|until)$/.test(name)) return { format: 'date-time' };
  if (/(^|_)url$/.test(name)) return { format: 'uri' };
  if (name === 'currency') return { pattern: '^[A-Z]{3}$' };
  return neverEmpty.test(name) ? { minLength: 1 } : {};
}
