/**
 * A tool, as a model sees it: a name and a few flat parameters over one operation of the registry.
 * Title, description, permission and the form of the answer come from the operation; a shape says only what differs.
 */
import type { z } from 'zod';
import type { Operation } from '../http/operation.ts';
import type { Permission } from '../policy.ts';

export const toolsets = ['docs', 'send', 'verify', 'inspect', 'templates', 'callbacks', 'test'] as const;
export type Toolset = (typeof toolsets)[number];

export type Json = Record<string, unknown>;

/** What MCP clients are told about a tool; hints, not guards. */
export interface Hints {
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
}

/** The request of the operation that a call of the tool becomes. */
export interface Ask {
  /** One of the shape's `also`, in place of its operation. */
  operation?: string;
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: Json;
  idempotencyKey?: string;
}

/** What is told without a caller: the registry and the documents made from it. */
export interface Texts {
  operations: readonly Operation[];
  docs: {
    /** The best pages for the words, best first. */
    search(query: string, limit: number): { path: string; title: string; description: string; line: string }[];
    /** The Markdown of the page at an address such as `/docs/templates`; null where there is none. */
    read(path: string): string | null;
  };
}

export interface ToolShape<Args extends z.ZodObject = z.ZodObject> {
  name: string;
  /** Its operation; only a tool that answers from texts has none. */
  operation: string | null;
  /** Operations that some of its calls become: for the same permission, and in the same reach. */
  also?: readonly string[];
  /** In place of an operation. Throws ApiError. */
  tell?(texts: Texts, args: z.infer<Args>): Json;
  toolset: Toolset;
  /** Where several tools read one operation, the later ones say themselves what they are for. */
  title?: string;
  description?: string;
  input: Args;
  /** Its operation knows no dry_run: what it would do is tried here. */
  tries?: boolean;
  /** The fields of the operation's body are parameters too. */
  takesBody?: boolean;
  hints: Hints;
  /** virtual: only where nothing leaves the virtual phone network. send: also live, for an agent key in live mode. */
  reach?: 'virtual' | 'send';
  ask(args: z.infer<Args>): Ask;
  /** What parameters are called in the operation, where the tool says it otherwise: refusals are told in the tool's words. */
  renamed?: Readonly<Record<string, string>>;
  /** The fields of the operation's answer that are shown; default all. */
  fields?: readonly string[];
  /** A bare array is answered under this name. */
  list?: string;
  /** Where the answer has another form than the operation's. */
  output?: z.ZodObject;
  answer?(body: Json, args: z.infer<Args>): Json;
  /** Texts of the application itself, in which an address is nobody's to hide. */
  unmasked?: boolean;
}

/** Keeps the type of the parameters where shapes of many forms stand in one list. */
export const shape = <Args extends z.ZodObject>(given: ToolShape<Args>): ToolShape => given as unknown as ToolShape;

export interface Tool {
  name: string;
  title: string;
  description: string;
  toolset: Toolset;
  permission: Permission | 'any' | undefined;
  hints: Hints;
  inputSchema: Json;
  outputSchema: Json;
  shape: ToolShape;
  operation: Operation | null;
  also: readonly Operation[];
}

/** What a call asks of which operation. Throws for a tool that answers from texts. */
export function askedOf(
  { name, shape: { ask }, operation, also }: Tool,
  args: Json,
): { asked: Ask; spec: Operation['spec'] } {
  const asked = ask(args);
  const spec = (asked.operation === undefined ? operation : also.find((other) => other.spec.id === asked.operation))
    ?.spec;
  if (!spec) throw new Error(`${name} asks no operation`);
  return { asked, spec };
}

export const reads: Hints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
