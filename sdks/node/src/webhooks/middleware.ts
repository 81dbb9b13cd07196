// The order of work for one received callback: read the body, check who sent it, read the events, let the handler work, answer.
// The answer decides whether the platform sends again: anything but 200 repeats, so a failing handler must not give 200.

import { WebhookSignatureError } from '../errors.ts';
import type { WebhookEvent } from './events.ts';
import type { HeaderSource } from './signature.ts';

export type EventHandler = (events: WebhookEvent[]) => unknown;

export interface MiddlewareOptions {
  /** Answer 200 even if the handler fails: the events do not come again. Default false. */
  ackOnError?: boolean | undefined;
  /** Told what went wrong: an error of the handler, or a mistake in the set-up. Default: console.error. */
  onError?: ((error: unknown) => void) | undefined;
}

/** The part of a Node or Express request that is used. */
export interface CallbackRequest {
  headers: { readonly [name: string]: string | string[] | undefined };
  body?: unknown;
  rawBody?: unknown;
  readableEnded?: boolean;
  on(event: string, listener: (...values: never[]) => void): unknown;
}

/** The part of a Node or Express response that is used. */
export interface CallbackResponse {
  statusCode: number;
  headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(text?: string): unknown;
}

export type RequestHandler = (request: CallbackRequest, response: CallbackResponse, next?: unknown) => void;

export interface Checks {
  needsRawBody: boolean;
  verify(headers: HeaderSource, rawBody: string | Uint8Array | undefined): void;
  parse(body: unknown): WebhookEvent[];
}

/** Far above what the platform sends in one callback (100 rows). */
export const largestBodyBytes = 1024 * 1024;

/** What is answered with its own status and sentence; everything else is a fault on this side. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function requestHandler(checks: Checks, handler: EventHandler, options: MiddlewareOptions): RequestHandler {
  return (request, response) => {
    void handle(request, checks, handler, options).then(({ status, text }) => answer(response, status, text));
  };
}

export interface Outcome {
  status: number;
  text?: string;
}

/** What to answer. Never rejects: an Express of version 4 would lose the rejection and leave the platform without an answer. */
export async function handle(
  request: CallbackRequest,
  checks: Checks,
  handler: EventHandler,
  options: MiddlewareOptions,
): Promise<Outcome> {
  const onError = options.onError ?? ((error: unknown) => console.error(error));
  let status = 500;
  try {
    const events = await receive(request, checks);
    if (options.ackOnError) status = 200;
    // Not called for a probe: there is nothing to handle.
    if (events.length > 0) await handler(events);
    return { status: 200 };
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, text: error.message };
    report(onError, error);
    return { status };
  }
}

/** A reporter that fails itself must not cost the answer. */
function report(onError: (error: unknown) => void, error: unknown): void {
  try {
    onError(error);
  } catch (fault) {
    console.error(fault);
  }
}

/** The events of a request that is what it claims to be. */
async function receive(request: CallbackRequest, checks: Checks): Promise<WebhookEvent[]> {
  const body = request.body ?? request.rawBody ?? (await readStream(request));
  const raw = [request.rawBody, body].find(isRaw);
  if (raw === undefined && checks.needsRawBody) {
    throw new Error(
      'WebhookVerifier: the body was parsed before it could be checked; mount the middleware before express.json()',
    );
  }
  try {
    checks.verify(request.headers, raw);
    // What was signed is what is read, also where a parsed form lies beside it.
    return checks.parse(raw ?? body);
  } catch (error) {
    if (error instanceof WebhookSignatureError) throw new Refusal(401, error.message);
    if (error instanceof SyntaxError) throw new Refusal(400, error.message);
    throw error;
  }
}

function readStream(request: CallbackRequest): Promise<Buffer> {
  if (request.readableEnded) {
    // Taking it for an empty probe would lose events without a trace.
    throw new Error('WebhookVerifier: the body was read before the middleware ran, and not kept in req.body');
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= largestBodyBytes) chunks.push(chunk);
      else reject(new Refusal(413, 'the body is too large'));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(new Refusal(400, 'the body is incomplete')));
  });
}

function isRaw(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}

function answer(response: CallbackResponse, status: number, text?: string): void {
  if (response.headersSent) return;
  response.statusCode = status;
  if (text !== undefined) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(text);
}
