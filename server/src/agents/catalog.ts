/**
 * Every tool there is, in a fixed order, and which of them a credential is shown. What is not shown also refuses: both ask `standing`.
 * A tool that nobody may ever have (keys, secrets, providers, limits, approvals, deletions) has no shape, and so does not exist.
 */
import type { Operation } from '../http/operation.ts';
import type { Caller } from '../policy.ts';
import { callbackTools } from './callback-tools.ts';
import { docsTools } from './docs-tools.ts';
import { inputSchemaOf, outlineOf } from './outline.ts';
import { readTools } from './read-tools.ts';
import { sendTools } from './send-tools.ts';
import { templateTools } from './template-tools.ts';
import type { Json, Tool, ToolShape, Toolset } from './tool.ts';

/** What a caller gave up beyond what its key does not have: can only take tools away. */
export interface Narrowing {
  readOnly: boolean;
  /** Null: all. */
  toolsets: readonly Toolset[] | null;
}

const shapes: readonly ToolShape[] = [...docsTools, ...sendTools, ...readTools, ...templateTools, ...callbackTools];

/** Throws for a shape without its operation, and for an operation offered to agents that no shape makes a tool of. */
export function makeTools(operations: readonly Operation[]): Tool[] {
  const byId = new Map(operations.map((operation) => [operation.spec.id, operation]));
  const tools = shapes.map((shape) => toTool(shape, byId));
  const used = new Set(shapes.map(({ operation }) => operation));
  const unused = operations.filter(({ spec }) => spec.agent && !used.has(spec.id));
  if (unused.length > 0) throw new Error(`no tool is made of ${unused.map(({ spec }) => spec.id).join(', ')}`);
  return tools;
}

function toTool(shape: ToolShape, byId: ReadonlyMap<string, Operation>): Tool {
  const operation = shape.operation === null ? null : byId.get(shape.operation);
  if (operation === undefined || (operation && !operation.spec.agent))
    throw new Error(`the tool ${shape.name} has no operation that is offered to agents`);
  const spec = operation?.spec;
  const also = (shape.also ?? []).flatMap((id) => byId.get(id) ?? []);
  if (also.length !== (shape.also ?? []).length || also.some((other) => other.spec.permission !== spec?.permission))
    throw new Error(`the tool ${shape.name} becomes an operation that is missing or needs another permission`);
  return {
    name: shape.name,
    title: shape.title ?? spec?.agent?.title ?? shape.name,
    description: shape.description ?? spec?.agent?.description ?? '',
    toolset: shape.toolset,
    permission: spec?.permission,
    hints: shape.hints,
    inputSchema: inputSchema(shape, operation),
    outputSchema: outputSchema(shape, operation),
    shape,
    operation,
    also,
  };
}

function inputSchema({ input, takesBody }: ToolShape, operation: Operation | null): Json {
  const own = inputSchemaOf(input);
  const body = takesBody && operation?.spec.input.body;
  if (!body) return own;
  const { additionalProperties: _, ...described } = inputSchemaOf(body);
  return { ...described, properties: { ...(described['properties'] as Json), ...(own['properties'] as Json) } };
}

function outputSchema({ output, list, fields }: ToolShape, operation: Operation | null): Json {
  if (output) return outlineOf(output);
  if (!operation) return { type: 'object' };
  const described = outlineOf(operation.spec.output, fields);
  return list === undefined ? described : { type: 'object', properties: { [list]: described }, required: [list] };
}

/** Why a caller does not have a tool. */
type Standing = 'given' | 'no permission' | 'virtual network only' | 'server key' | 'test mode' | 'narrowed';

/** Without a caller only what needs no credential. */
export function standing(tool: Tool, caller: Caller | null, { readOnly, toolsets }: Narrowing): Standing {
  if (readOnly && !tool.hints.readOnlyHint) return 'narrowed';
  if (toolsets && !toolsets.includes(tool.toolset)) return 'narrowed';
  if (tool.operation === null) return 'given';
  if (!caller) return 'no permission';
  const { permission, shape } = tool;
  const permitted =
    permission === undefined ||
    (permission === 'any' ? caller.permissions.size > 0 : caller.permissions.has(permission));
  if (!permitted) return 'no permission';
  if (shape.reach === undefined || caller.application.network === 'virtual') return 'given';
  if (shape.reach === 'virtual') return 'virtual network only';
  if (!caller.agent) return 'server key';
  return caller.agent.mode === 'live' ? 'given' : 'test mode';
}

export const toolsFor = (tools: readonly Tool[], caller: Caller | null, narrowing: Narrowing): Tool[] =>
  tools.filter((tool) => standing(tool, caller, narrowing) === 'given');
