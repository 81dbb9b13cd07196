/**
 * The HTTP server under the framework: limits on what a client may take its time with, and the contract's error body also where
 * no request could be read (contract §3): malformed HTTP, oversized headers, requests that never end.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { prefixedId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { errorBody, errorHeaders } from './failure.ts';

export interface ServerPorts {
  log: Log;
  clock: Clock;
  publicUrl(): string;
  /** Kept here: connections that have not asked anything yet. Node does not count them as idle, and would wait for them. */
  silent: Set<Duplex>;
  /** Answers with the contract's error without looking for an operation. */
  refuse(request: IncomingMessage, response: ServerResponse, error: ApiError): void;
}

const limits = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  /** Longer than the minute after which load balancers drop an idle connection, so that they close first. */
  keepAliveTimeout: 72_000,
  // Answered by us below, with a body.
  requireHostHeader: false,
};

/** How long a refused connection may go on sending before it is cut. */
const lingerMs = 1_000;

export function createHttpServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  ports: ServerPorts,
): Server {
  const malformed = (): ApiError => new ApiError(3001, 'malformed HTTP request', { status: 400 });
  const server = createServer(limits, (request, response) => {
    ports.silent.delete(request.socket);
    if (request.headers.host === undefined && request.httpVersion === '1.1')
      ports.refuse(request, response, malformed());
    else handler(request, response);
  });
  server.on('connection', (socket: Duplex) => {
    ports.silent.add(socket);
    socket.once('close', () => ports.silent.delete(socket));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    ports.refuse(request, response, new ApiError(3002, 'Expect: only 100-continue', { status: 417 }));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || hasAnswerUnderWay(socket)) socket.destroy();
    else refuseUnread(socket, unreadError(error.code), ports);
  });
  server.on('connect', (_request, socket) =>
    refuseUnread(socket, new ApiError(4001, 'no such endpoint', { status: 404 }), ports),
  );
  return server;
}

function unreadError(cause: string | undefined): ApiError {
  if (cause === 'HPE_HEADER_OVERFLOW') return new ApiError(3002, 'headers: larger than 16 KiB', { status: 431 });
  if (cause === 'ERR_HTTP_REQUEST_TIMEOUT') return new ApiError(3001, 'request not received in time', { status: 408 });
  return new ApiError(3001, 'malformed HTTP request', { status: 400 });
}

/** Text now would be read as the answer to an earlier request of the same connection. */
function hasAnswerUnderWay(socket: Duplex): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  return response ? response.headersSent || response.req.complete : false;
}

const phrases: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Writes a whole response where there is no request to answer, and ends the connection. */
function refuseUnread(socket: Duplex, error: ApiError, { log, clock, publicUrl }: ServerPorts): void {
  // The parser reports again for every further piece that arrives.
  if (!socket.writable || socket.writableEnded) return;
  const requestId = prefixedId('req', clock.now());
  const body = errorBody(error, requestId, publicUrl());
  const head = [`HTTP/1.1 ${error.status} ${phrases[error.status] ?? ''}`];
  const headers = [
    ...['Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))],
    ...['X-Request-Id', requestId, 'Cache-Control', 'no-store', 'Connection', 'close'],
    ...errorHeaders(error, publicUrl(), undefined),
  ];
  for (let i = 0; i < headers.length; i += 2) head.push(`${headers[i]}: ${headers[i + 1]}`);
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Cut at once, what is still unread would make the system reset the connection under the answer.
  setTimeout(() => socket.destroy(), lingerMs).unref();
  log.info({ request_id: requestId, status: error.status, code: error.code }, 'unreadable request');
}
