/**
 * One request and its one answer: the id, what the answer's headers need, and the line in the log. Answers are written straight
 * to the response: the framework's reply would add hooks and serializers that have nothing to do here.
 * A stream of events (stream.ts) is such an answer too, and ends when the client, the room or the server says so.
 * The log line holds the route's pattern, never the target: paths and queries carry recipients.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { prefixedId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { ClientGone } from './body.ts';
import { errorBody, errorHeaders, toApiError } from './failure.ts';
import type { Caller, EventStream } from './operation.ts';
import { writeStream } from './stream.ts';
import { type Allowance, policyHeader, rateHeader } from './throttle.ts';

export interface House {
  log: Log;
  clock: Clock;
  publicUrl(): string;
  /** Aborted when the server begins to stop. */
  closing: AbortSignal;
  /** A client of a stream that takes nothing for so long is dropped. */
  drainMs: number;
  /** Told about every answer to a key, after it went out. Must not throw. */
  onAnswered: ((answered: Answered) => void) | undefined;
  /** Who counts the answers of one operation, or of what else stands at an address. */
  measure(operation: string): Meter;
}

/** Told about one answer: status, seconds, and the contract's error code, 0 without one. Must not throw. */
export type Meter = (status: number, seconds: number, code: number) => void;

/** One answered request of a key. */
export interface Answered {
  caller: Caller;
  ip: string;
  method: string;
  /** The pattern, never the target: those carry recipients. */
  path: string;
  status: number;
  /** 0 without an error. */
  code: number;
  requestId: string;
}

const json = 'application/json; charset=utf-8';
/** In the log alone: nobody was there to be answered. */
const clientGone = 499;
/** How long the rest of a body that nobody wants may keep coming after the answer. */
const lingerMs = 2_000;

/** The client's id if it has the right form, else a new one (contract §2 step 1). */
export function requestIdOf(request: IncomingMessage, clock: Clock): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : prefixedId('req', clock.now());
}

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly #house: House;
  readonly #route: string | null;
  readonly #meter: Meter;
  readonly #startedAt = performance.now();
  caller: Caller | undefined;
  ip = '';
  allowance: Allowance | undefined;
  replayed = false;
  /** Where the list that is answered goes on. */
  nextCursor: string | null = null;

  constructor(
    house: House,
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    route: string | null,
    meter: Meter,
  ) {
    this.#house = house;
    this.request = request;
    this.response = response;
    this.id = id;
    this.#route = route;
    this.#meter = meter;
  }

  /** Answers with a body that is text already. */
  answer(status: number, body: string, mediaType = json): void {
    this.#write(status, body, ['Content-Type', mediaType]);
    this.#note(status, undefined);
  }

  /** Answers with a page: bytes or text, with caching of its own. HEAD gets the same without the body, and so does a 304. */
  page(status: number, body: string | Buffer, headers: Readonly<Record<string, string>>): void {
    const list = Object.entries(headers).flat();
    if (status !== 304) list.push('Content-Length', String(Buffer.byteLength(body)));
    list.push('X-Request-Id', this.id);
    if (this.#house.closing.aborted) list.push('Connection', 'close');
    this.response.writeHead(status, list);
    this.response.end(status === 304 || this.request.method === 'HEAD' ? undefined : body);
    if (this.request.complete === false) this.#linger();
    this.#note(status, undefined);
  }

  /** Answers any failure; one without a listener is only noted. */
  refuse(failure: unknown, challenge?: string): void {
    if (failure instanceof ClientGone) {
      this.#note(clientGone, undefined);
      return;
    }
    const error = toApiError(failure);
    if (error.status >= 500) this.#report(error);
    const url = this.#house.publicUrl();
    const headers = ['Content-Type', json, ...errorHeaders(error, url, challenge)];
    this.#write(error.status, errorBody(error, this.id, url), headers);
    this.#note(error.status, error.code);
  }

  /** Answers with events until they end; never rejects. The connection is used for nothing afterwards. */
  async stream(events: EventStream): Promise<void> {
    const type = ['Content-Type', 'text/event-stream; charset=utf-8', 'X-Accel-Buffering', 'no', 'Connection', 'close'];
    this.response.writeHead(200, this.#headers(type));
    // How long it lasts is the client's choice.
    this.#meter(200, this.#ms() / 1_000, 0);
    try {
      await writeStream(this.response, events, this.#house);
    } catch (failure) {
      this.#report(toApiError(failure));
      this.response.destroy();
    }
    this.#tell(200, 0);
    this.#log(200, undefined);
  }

  #write(status: number, body: string, headers: string[]): void {
    headers.push('Content-Length', String(Buffer.byteLength(body)));
    if (this.#house.closing.aborted) headers.push('Connection', 'close');
    this.response.writeHead(status, this.#headers(headers));
    this.response.end(body);
    if (this.request.complete === false) this.#linger();
  }

  /** Those of every answer, behind the given ones. */
  #headers(headers: string[]): string[] {
    headers.push('X-Request-Id', this.id, 'Cache-Control', 'no-store');
    if (this.allowance) {
      const now = this.#house.clock.now();
      headers.push('RateLimit-Policy', policyHeader(this.allowance), 'RateLimit', rateHeader(this.allowance, now));
    }
    if (this.replayed) headers.push('Idempotent-Replayed', 'true');
    if (this.nextCursor !== null) headers.push('Link', `<${nextPage(this.request, this.nextCursor)}>; rel="next"`);
    return headers;
  }

  /** The answer goes out at once; a client still sending gets a moment to notice, then loses the connection. */
  #linger(): void {
    setTimeout(() => {
      if (!this.request.complete) this.request.destroy();
    }, lingerMs).unref();
  }

  #report(error: ApiError): void {
    const line = { request_id: this.id, route: this.#route, err: error.cause ?? error };
    if (error.status === 503) this.#house.log.warn(line, 'request refused for now');
    else this.#house.log.error(line, 'request failed');
  }

  #ms(): number {
    return performance.now() - this.#startedAt;
  }

  #note(status: number, code: number | undefined): void {
    this.#meter(status, this.#ms() / 1_000, code ?? 0);
    this.#tell(status, code ?? 0);
    this.#log(status, code);
  }

  #log(status: number, code: number | undefined): void {
    const { log } = this.#house;
    if (!log.isLevelEnabled('info')) return;
    log.info(
      {
        request_id: this.id,
        method: this.request.method,
        route: this.#route,
        status,
        code,
        ms: Math.round(this.#ms() * 10) / 10,
        key_id: this.caller?.keyId,
        replayed: this.replayed || undefined,
      },
      'request',
    );
  }

  #tell(status: number, code: number): void {
    const { caller, ip, id: requestId } = this;
    if (!caller || this.#route === null || status === clientGone) return;
    const method = this.request.method ?? '';
    this.#house.onAnswered?.({ caller, ip, method, path: this.#route, status, code, requestId });
  }
}

/** The same question with the cursor, relative to the address that was asked, which alone knows how the reader reached us. */
function nextPage({ url = '/' }: IncomingMessage, cursor: string): string {
  const [path, query] = url.split(/\?(.*)/s);
  const asked = new URLSearchParams(query);
  asked.set('cursor', cursor);
  return `${path}?${asked}`;
}
