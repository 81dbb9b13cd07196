/**
 * JSON Schemas for models, which read every byte of them: descriptions and bounds of parameters stay, the forms of answers are told
 * two levels deep, on the second by their names. Made from the same zod schemas as the API description.
 */
import type { z } from 'zod';
import { createSchemaBook } from '../http/openapi-schemas.ts';
import type { Json } from './tool.ts';

/** As JSON Schema 2020-12 with an object at its root. */
export function inputSchemaOf(schema: z.ZodType): Json {
  const described = createSchemaBook({}).describe(schema);
  return { type: 'object', properties: {}, ...described };
}

/** The fields of an answer, nested objects as such. With `fields` only those. */
export function outlineOf(schema: z.ZodType, fields?: readonly string[]): Json {
  const { type, properties, required, items } = createSchemaBook({}).describe(schema) as Described;
  if (type === 'array') return { type, ...(items && { items: bare(items, 1) }) };
  const shown = Object.entries(properties ?? {}).filter(([name]) => fields?.includes(name) ?? true);
  return {
    type: 'object',
    properties: Object.fromEntries(shown.map(([name, part]) => [name, bare(part, 1)])),
    required: (required ?? []).filter((name) => fields?.includes(name) ?? true),
  };
}

interface Described extends Json {
  type?: string;
  properties?: Record<string, Described>;
  required?: string[];
  items?: Described;
  anyOf?: Described[];
  enum?: unknown[];
}

/** Type and choices; what lies deeper than `depth` is an object or a list of something, and a plain value there by its name. */
function bare(part: Described, depth: number): Json {
  const { type, enum: choices, anyOf, properties, items } = part;
  if (depth === 0 && (anyOf ?? [part]).every(isPlain)) return {};
  if (anyOf) return oneOf(anyOf.map((branch) => (branch.type === 'null' ? { type: 'null' } : bare(branch, depth))));
  if (type === 'array') return { type, ...(items && { items: bare(items, depth) }) };
  if (type !== 'object' || !properties || depth === 0)
    return { ...(type !== undefined && { type }), ...(choices && choices.length <= 8 && { enum: choices }) };
  return {
    type,
    properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, bare(inner, depth - 1)])),
  };
}

const isPlain = ({ type, properties, enum: choices }: Described): boolean =>
  !properties && !choices && type !== 'array' && type !== 'object';

/** Branches that are types and nothing else are one list of types. */
const oneOf = (branches: Json[]): Json =>
  branches.every(({ type, ...more }) => typeof type === 'string' && Object.keys(more).length === 0)
    ? { type: branches.map(({ type }) => type) }
    : { anyOf: branches };
