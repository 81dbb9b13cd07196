/** What a handler is given. The signal is made only when a handler asks for it: most never do. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call, Caller, IdempotencyTicket } from './operation.ts';

export interface CallParts {
  params: unknown;
  query: unknown;
  body: unknown;
  requestId: string;
  ip: string;
  caller: Caller | undefined;
  idempotency: IdempotencyTicket | null;
}

export class RequestCall implements Call<unknown, unknown, unknown> {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly requestId: string;
  readonly ip: string;
  readonly caller: Caller | undefined;
  readonly idempotency: IdempotencyTicket | null;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #gone: AbortController | undefined;

  constructor(parts: CallParts, request: IncomingMessage, response: ServerResponse) {
    this.params = parts.params;
    this.query = parts.query;
    this.body = parts.body;
    this.requestId = parts.requestId;
    this.ip = parts.ip;
    this.caller = parts.caller;
    this.idempotency = parts.idempotency;
    this.#request = request;
    this.#response = response;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get signal(): AbortSignal {
    if (!this.#gone) {
      const gone = new AbortController();
      this.#gone = gone;
      if (this.#response.destroyed) gone.abort();
      else
        this.#response.once('close', () => {
          if (!this.#response.writableFinished) gone.abort();
        });
    }
    return this.#gone.signal;
  }
}
