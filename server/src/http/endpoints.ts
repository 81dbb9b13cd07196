/**
 * Protocols of their own, spoken over one address: their method, status, headers and body are theirs, so nothing of the contract applies but
 * the request id and the errors of what fails. Requests and answers have the web's own form. Who may say what is for the room to decide.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { readBody } from './body.ts';
import { clientAddress } from './client-address.ts';
import { Exchange, type House } from './exchange.ts';
import { type Caller, EventStream } from './operation.ts';
import type { Desk } from './serve.ts';
import { requireUnder } from './throttle.ts';
import type { Work } from './work.ts';

const mostBytes = 256 * 1024;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export interface EndpointFrom {
  ip: string;
  requestId: string;
  /**
   * Counts this request of a key like one of an operation; throws 429/3004 for one too many. Call the result before an operation is
   * asked in its place, which counts itself.
   */
  count(caller: Pick<Caller, 'keyId' | 'application'>): () => void;
}

export interface Endpoint {
  /** Without parameters. Asked for every method. */
  path: string;
  /** Of a request's body; default 256 KiB. */
  maxBytes?: number;
  /** A body of text/event-stream is passed on as it comes; any other is read to its end. The request's signal aborts when the client goes away. */
  answer(request: Request, from: EndpointFrom): Promise<Response>;
}

export function addEndpointRoutes(
  app: FastifyInstance,
  endpoints: readonly Endpoint[],
  { house, work, desk }: { house: House; work: Work; desk: Pick<Desk, 'throttle' | 'clock'> },
): void {
  const count: EndpointFrom['count'] = ({ keyId, application }) => {
    const allowance = desk.throttle.take(keyId, application.policy.request_rate);
    requireUnder(allowance, desk.clock.now());
    return () => {
      allowance.used--;
    };
  };
  for (const endpoint of endpoints) {
    const meter = house.measure(endpoint.path);
    app.route({
      method: methods,
      url: endpoint.path,
      onRequest: (request, reply) => {
        reply.hijack();
        const exchange = new Exchange(house, request.raw, reply.raw, request.id, endpoint.path, meter);
        work.track(serve(exchange, endpoint, request, count));
      },
      handler: () => undefined,
    });
  }
}

async function serve(
  exchange: Exchange,
  endpoint: Endpoint,
  request: FastifyRequest,
  count: EndpointFrom['count'],
): Promise<void> {
  try {
    const body = await readBody(exchange.request, endpoint.maxBytes ?? mostBytes);
    const from = { ip: clientAddress(request), requestId: exchange.id, count };
    const response = await endpoint.answer(toRequest(exchange, body), from);
    const { headers } = response;
    if (response.body && headers.get('content-type')?.startsWith('text/event-stream'))
      return await exchange.stream(new EventStream((signal) => piecesOf(response.body as ReadableStream, signal)));
    const text = Buffer.from(await response.arrayBuffer());
    exchange.page(response.status, text, { 'Cache-Control': 'no-store', ...named(headers) });
  } catch (error) {
    exchange.refuse(error);
  }
}

/** Throws 3001 for an address or a header that the web's own form does not take. */
function toRequest({ request: raw, response }: Exchange, body: Buffer): Request {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const target = (raw.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '');
    const headers = new Headers();
    for (let i = 0; i < raw.rawHeaders.length; i += 2)
      headers.append(raw.rawHeaders[i] ?? '', raw.rawHeaders[i + 1] ?? '');
    const method = raw.method ?? 'GET';
    const carries = method !== 'GET' && method !== 'HEAD' && body.length > 0;
    return new Request(`http://${raw.headers.host ?? 'localhost'}${target}`, {
      method,
      headers,
      signal: gone.signal,
      ...(carries && { body: new Uint8Array(body) }),
    });
  } catch (cause) {
    throw new ApiError(3001, 'malformed HTTP request', { cause });
  }
}

async function* piecesOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const stop = (): void => {
    reader.cancel().catch(() => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read())
      yield decoder.decode(piece.value, { stream: true });
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** With the names as they are usually written: `Www-Authenticate` helps nobody who looks at a reply. */
const named = (headers: Headers): Record<string, string> =>
  Object.fromEntries([...headers].map(([name, value]) => [spelled[name] ?? name, value]));
const spelled: Record<string, string> = {
  'content-type': 'Content-Type',
  'cache-control': 'Cache-Control',
  'www-authenticate': 'WWW-Authenticate',
  allow: 'Allow',
};
