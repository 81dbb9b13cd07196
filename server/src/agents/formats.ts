/** The tools as definitions for function calling, in the form of each vendor. Pure. */

import type { Json, Tool } from './tool.ts';
import { wireTool } from './wire-tool.ts';

export const formats = ['openai', 'anthropic', 'mcp'] as const;
export type Format = (typeof formats)[number];

export function definitionsOf(tools: readonly Tool[], format: Format, live: boolean): object[] {
  return tools.map((tool) => definitions[format](tool, live));
}

const definitions: Record<Format, (tool: Tool, live: boolean) => object> = {
  openai: ({ name, description, inputSchema }) => ({
    type: 'function',
    name,
    description,
    parameters: strict(inputSchema),
    strict: true,
  }),
  anthropic: ({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }),
  mcp: wireTool,
};

/** What strict schemas may say besides structure. */
const kept = ['type', 'description', 'enum', 'const', 'pattern', 'minimum', 'maximum', 'minItems', 'maxItems'];

/**
 * Objects closed, every property required, an optional one nullable instead, and a free map a list of name and value. call-tool.ts reads
 * such arguments back.
 */
export function strict(schema: Json): Json {
  const { properties, required = [], items, anyOf, additionalProperties, propertyNames } = schema;
  const plain = Object.fromEntries(Object.entries(schema).filter(([key]) => kept.includes(key)));
  if (Array.isArray(anyOf)) return { ...plain, anyOf: anyOf.map((branch: Json) => strict(branch)) };
  if (schema['type'] === 'array') return { ...plain, items: strict((items ?? { type: 'string' }) as Json) };
  if (schema['type'] !== 'object') return plain;
  if (typeof additionalProperties === 'object' && !properties)
    return {
      ...(plain['description'] !== undefined && { description: plain['description'] }),
      type: 'array',
      items: closed({
        name: strict((propertyNames ?? { type: 'string' }) as Json),
        value: strict(additionalProperties as Json),
      }),
    };
  const all = Object.entries((properties ?? {}) as Record<string, Json>).map(([name, part]) => {
    const inner = strict(part);
    return [name, (required as string[]).includes(name) ? inner : nullable(inner)] as const;
  });
  return { ...plain, ...closed(Object.fromEntries(all)) };
}

const closed = (properties: Record<string, Json>): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

function nullable({ description, ...schema }: Json): Json {
  const told = description === undefined ? {} : { description };
  if (Array.isArray(schema['anyOf'])) return { ...told, anyOf: [...schema['anyOf'], { type: 'null' }] };
  if (typeof schema['type'] === 'string' && !schema['enum'] && schema['type'] !== 'object')
    return { ...told, ...schema, type: [schema['type'], 'null'] };
  return { ...told, anyOf: [schema, { type: 'null' }] };
}
