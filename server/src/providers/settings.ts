/**
 * The settings of an adapter as its JSON Schema describes them: shown without secrets, changed member by member. A secret is shown
 * as "set", and "set" sent back keeps it, so that what was read may be sent again.
 */
import { z } from 'zod';
import type { Adapter } from '../channels/index.ts';

export type Json = Record<string, unknown>;

const shownSecret = 'set';
const described = new WeakMap<Adapter, Json>();

/** JSON Schema 2020-12 of what an operator may send, with titles, descriptions and `secret` marks. */
export function describeSettings(adapter: Adapter): Json {
  let schema = described.get(adapter);
  if (!schema) {
    const { $schema: _, ...made } = z.toJSONSchema(adapter.settings, { io: 'input', unrepresentable: 'any' }) as Json;
    schema = made;
    described.set(adapter, schema);
  }
  return schema;
}

/** What may be read: secrets as "set" or null. What no schema knows is treated as a secret. */
export function shownSettings(adapter: Adapter | null, settings: Json): Json {
  if (!adapter) return Object.fromEntries(Object.keys(settings).map((name) => [name, shownSecret]));
  const schema = describeSettings(adapter);
  return show(createReader(schema), schema, settings) as Json;
}

/** `stored` with what `given` says laid over it: null takes a setting away, "set" for a secret keeps it. */
export function changedSettings(adapter: Adapter, stored: Json, given: Json): Json {
  const schema = describeSettings(adapter);
  return change(createReader(schema), schema, stored, given) as Json;
}

interface Reader {
  isSecret(schema: Json): boolean;
  takesNull(schema: Json): boolean;
  /** Whether an object here has one of several forms, whose members do not mix. */
  hasForms(schema: Json): boolean;
  /** The schemas of an object's members, over all its forms. */
  members(schema: Json): Record<string, Json>;
  /** Of the members without a name of their own, or of the entries of a list. */
  others(schema: Json): Json | null;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function createReader(root: Json): Reader {
  /** A schema and all its alternatives, references followed. */
  function forms(schema: Json, depth = 0): Json[] {
    const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []));
    const name = /^#\/\$defs\/(.+)$/.exec(String(schema['$ref']))?.[1];
    const target = name === undefined ? undefined : (root['$defs'] as Record<string, unknown>)[name];
    const deeper = [...inner, target].filter(isObject);
    return depth > 8 ? [schema] : [schema, ...deeper.flatMap((form) => forms(form, depth + 1))];
  }
  return {
    isSecret: (schema) => forms(schema).some((form) => form['secret'] === true),
    takesNull: (schema) =>
      forms(schema).some(({ type }) => type === 'null' || (Array.isArray(type) && type.includes('null'))),
    hasForms: (schema) => forms(schema).filter((form) => isObject(form['properties'])).length > 1,
    members: (schema) =>
      Object.assign({}, ...forms(schema).map((form) => form['properties'] ?? {})) as Record<string, Json>,
    others(schema) {
      const found = forms(schema).map((form) => form['additionalProperties'] ?? form['items']);
      return found.find(isObject) ?? null;
    },
  };
}

function show(reader: Reader, schema: Json, value: unknown): unknown {
  if (reader.isSecret(schema)) return value === undefined || value === null ? null : shownSecret;
  const others = reader.others(schema);
  if (Array.isArray(value)) return value.map((item) => (others ? show(reader, others, item) : shownSecret));
  if (!isObject(value)) return value;
  const members = reader.members(schema);
  const shown: Json = {};
  for (const [name, inner] of Object.entries(value)) {
    const own = members[name] ?? others;
    shown[name] = own ? show(reader, own, inner) : shownSecret;
  }
  for (const [name, own] of Object.entries(members)) if (reader.isSecret(own)) shown[name] ??= null;
  return shown;
}

function change(reader: Reader, schema: Json, stored: unknown, given: unknown): unknown {
  const members = reader.members(schema);
  if (!isObject(given) || Object.keys(members).length === 0) return given;
  const before = isObject(stored) ? stored : {};
  const changed: Json = reader.hasForms(schema) ? {} : { ...before };
  for (const [name, value] of Object.entries(given)) {
    const own = members[name] ?? {};
    if (value === shownSecret && reader.isSecret(own)) {
      if (before[name] !== undefined) changed[name] = before[name];
    } else if (value === null && !reader.takesNull(own)) delete changed[name];
    else changed[name] = change(reader, own, before[name], value);
  }
  return changed;
}
