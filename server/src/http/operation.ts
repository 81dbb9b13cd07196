/**
 * One operation of the HTTP API, described once. Validation, serialization, OpenAPI, error tables, MCP tools and function
 * definitions are all made from this description. A handler stays a few lines: it calls one deed of its room.
 */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Caller, Permission } from '../policy.ts';

export type { Caller } from '../policy.ts';

/** A claimed Idempotency-Key. A deed that stores its answer in its own transaction sets `stored`; else the front door stores it. */
export interface IdempotencyTicket {
  applicationId: string;
  key: string;
  /** The answer in the only form in which it may rest in the database: it may hold a secret that is shown once. */
  seal(answer: object): string;
  stored: boolean;
}

export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  requestId: string;
  ip: string;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  /** A header of the request by its name in lower case, for the few operations whose answer depends on one. */
  header(name: string): string | undefined;
  idempotency: IdempotencyTicket | null;
}

type CallerOf<Auth> = Auth extends 'key' ? { caller: Caller } : Record<never, never>;

export interface OperationSpec<Auth extends AuthKind, Params, Query, Body, Output> {
  /** operationId in camelCase; the MCP tool name follows from it. */
  id: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters in braces: /v1/messages/{message_id}. */
  path: string;
  tag: string;
  auth: Auth;
  /** `any`: one of the four is enough. Only with auth key. */
  permission?: Permission | 'any';
  summary: string;
  description?: string;
  input: { params?: z.ZodType<Params>; query?: z.ZodType<Query>; body?: z.ZodType<Body> };
  /** The largest body that is read; default 64 KiB. */
  maxBodyBytes?: number;
  /** An absent body counts as {}. */
  bodyOptional?: boolean;
  output: z.ZodType<Output>;
  /** Codes this operation can answer beyond those every operation can (1000, 2001, 2002, 2004, 3001, 3002, 3004 at 429). */
  errors: readonly ErrorCode[];
  /** May clash with what is there, or with somebody who was faster: 409/3002. */
  conflicts?: boolean;
  examples?: readonly { name: string; body?: unknown; output: unknown }[];
  /** Given where agents may call it as a tool. */
  agent?: { title: string; description: string };
  /** The success body is stored for a replay without these fields; the replay takes them from the repeated body. */
  notStored?: readonly string[];
  /** Answer with another media type than JSON. */
  mediaType?: string;
  /** The handler may answer with a `TextAnswer` of this media type instead. */
  otherwise?: { mediaType: string; description: string; example: string };
  /** The handler may answer with an `EventStream` instead, to who accepts text/event-stream. */
  stream?: { description: string; example: string };
  /** Answers 429/3004 to who asks too often, although no credential is counted. */
  throttled?: boolean;
  hidden?: boolean;
}

/** Returned by a handler whose answer is no error and yet not 200, such as a readiness check that says no. */
export class Answer {
  readonly status: number;
  readonly body: object;
  constructor(status: number, body: object) {
    this.status = status;
    this.body = body;
  }
}

/** Returned by a handler whose answer to this call is of another media type, the one its `otherwise` names. */
export class TextAnswer {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Returned by a handler that answers with server-sent events. `open` is called once and its text is asked for piece by piece, as fast as
 * the client takes it; the signal aborts when the client goes away, takes nothing for too long, or the server stops.
 */
export class EventStream {
  readonly open: (signal: AbortSignal) => AsyncIterable<string>;
  constructor(open: (signal: AbortSignal) => AsyncIterable<string>) {
    this.open = open;
  }
}

export type AuthKind = 'none' | 'key' | 'operator';

export interface Operation {
  spec: OperationSpec<AuthKind, unknown, unknown, unknown, unknown>;
  handle(call: Call<unknown, unknown, unknown> & { caller?: Caller | undefined }): Promise<unknown> | unknown;
}

export function defineOperation<Auth extends AuthKind, Params, Query, Body, Output>(
  spec: OperationSpec<Auth, Params, Query, Body, Output>,
  handle: (
    call: Call<Params, Query, Body> & CallerOf<Auth>,
  ) => Promise<Output | EventStream | TextAnswer> | Output | EventStream | TextAnswer,
): Operation {
  return { spec, handle } as unknown as Operation;
}
