/**
 * The arguments of a call as the tool's schema wants them. Strict function calling knows neither absent values nor free maps, so null stands
 * for absent and a list of name and value for a map. Pure.
 */
import type { Json } from './tool.ts';

/** Null where the schema does not know null is left out, pairs where it has a map become one; everything else stays for validation. */
export function plainArguments(schema: Json, given: Json): Json {
  const properties = (schema['properties'] ?? {}) as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => {
      const part = properties[name];
      if (value === null && !(part && takesNull(part))) return [];
      return [[name, part ? plain(part, value) : value]];
    }),
  );
}

function plain(schema: Json, value: unknown): unknown {
  const branches = (schema['anyOf'] as Json[] | undefined) ?? [schema];
  if (Array.isArray(value)) {
    const map = branches.find(isMap);
    if (map && value.every(isPair))
      return Object.fromEntries(
        value.map((pair) => [pair.name, plain(map['additionalProperties'] as Json, pair.value)]),
      );
    const items = branches.find(({ type }) => type === 'array')?.['items'] as Json | undefined;
    return items ? value.map((part) => plain(items, part)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const object = branches.find(({ type, properties }) => type === 'object' && properties);
  return object ? plainArguments(object, value as Json) : value;
}

const isMap = ({ type, additionalProperties, properties }: Json): boolean =>
  type === 'object' && !properties && typeof additionalProperties === 'object';

const isPair = (value: unknown): value is { name: string; value: unknown } =>
  typeof value === 'object' && value !== null && 'name' in value && 'value' in value && typeof value.name === 'string';

const takesNull = ({ type, anyOf }: Json): boolean =>
  type === 'null' ||
  (Array.isArray(type) && type.includes('null')) ||
  (Array.isArray(anyOf) && anyOf.some((branch: Json) => takesNull(branch)));
