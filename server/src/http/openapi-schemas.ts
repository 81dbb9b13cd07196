/**
 * Schemas of operations as JSON Schema 2020-12 for the API description. Requests and replies are both described as input: output
 * mode would close objects and demand fields that have a default, and a client must survive fields it does not know.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Side } from './field-words.ts';

export type Json = Record<string, unknown>;

export interface SchemaBook {
  /** The schema of one side, `query`, `path` or the body; with every named part moved to `components.schemas`. Throws for what JSON Schema cannot say. */
  describe(schema: z.ZodType, side?: Side, place?: string): Json;
  /** Everything named so far. */
  components: Record<string, Json>;
}

const prefix = '#/components/schemas/';

/** `tell` has the last word on every schema. */
export function createSchemaBook(
  own: Record<string, Json>,
  tell: (schema: Json, side: Side, place?: string) => Json = (schema) => schema,
): SchemaBook {
  const components = { ...own };
  const keep = (name: string, schema: Json): void => {
    const known = components[name];
    if (known !== undefined && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${name}`);
    components[name] = schema;
  };
  return {
    components,
    describe(schema, side = 'reply', place = '') {
      const { $defs, $schema: _, ...root } = z.toJSONSchema(schema, { io: 'input' }) as Json & { $defs?: Json };
      for (const [name, part] of Object.entries($defs ?? {})) keep(name, tell(tidy(part) as Json, 'request'));
      return tell(tidy(root) as Json, side, place);
    },
  };
}

/** Opens objects, points references into the components and leaves out what tells a reader nothing. */
function tidy(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(tidy);
  if (typeof node !== 'object' || node === null) return node;
  const fields = Object.entries(node).filter(([key, value]) => !isNoise(node as Json, key, value));
  return Object.fromEntries(
    fields.map(([key, value]) => {
      if (key === '$ref' && typeof value === 'string') return [key, value.replace('#/$defs/', prefix)];
      // Values, not schemas: a property could be called anything in there.
      if (['const', 'enum', 'default', 'examples', 'required'].includes(key)) return [key, value];
      if (key === 'properties') return [key, mapValues(value as Json, tidy)];
      return [key, tidy(value)];
    }),
  );
}

function isNoise(node: Json, key: string, value: unknown): boolean {
  if (key === 'additionalProperties') return value === false;
  if (key === 'pattern') return typeof node['format'] === 'string';
  // Bounds that only say that a number is one.
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function mapValues<From, To>(from: Record<string, From>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value)]));
}
