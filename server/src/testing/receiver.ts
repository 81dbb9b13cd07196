/**
 * A customer's server on 127.0.0.1: a real receiver of callbacks that keeps every request as it came and answers as its script says,
 * also as badly as servers in the world do.
 *
 *   const receiver = await openReceiver({ answer: (request, n) => (n < 2 ? 500 : 200) });
 *   … let something post to receiver.url …
 *   const [first] = await receiver.until(1);
 *   await receiver.close();
 *
 * Requests stand in `received` in the order in which they were read whole, before they are answered.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Identity } from './certificate.ts';

export interface Received {
  /** 0, 1, 2 … in order. */
  index: number;
  /** Milliseconds since 1970 at which the request had arrived whole. */
  atMs: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The body byte for byte. */
  raw: Buffer;
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  json: any;
  /** The name asked for in the TLS handshake. */
  servername: string | undefined;
  /** True when the connection had carried a request before. */
  reused: boolean;
}

/** An answer; 200 without a body unless told. */
export interface Reply {
  status?: number;
  /** Such as `retry-after`. */
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Waits before it answers. */
  delayMs?: number;
}

/**
 * hang: never answers · close: closes the connection instead of answering · close within: closes in the middle of the answer's
 * body · drip: a byte now and then for ever · huge: 100 MB as fast as they are taken · huge headers: more than any client reads ·
 * garbage: bytes that are no HTTP
 */
export type Trouble = 'hang' | 'close' | 'close within' | 'drip' | 'huge' | 'huge headers' | 'garbage';

/** A number is a status. */
export type Behaviour = number | Reply | Trouble;

export interface ReceiverOptions {
  /** What each request gets, also for all (default 200). `index` counts from 0. */
  answer?: Behaviour | ((request: Received, index: number) => Behaviour | Promise<Behaviour>);
  /** HTTPS with this certificate. */
  tls?: Identity;
}

export interface Receiver {
  /** `http://127.0.0.1:PORT`, or https. */
  url: string;
  port: number;
  /** Every request so far. */
  received: Received[];
  /** Resolves with the first `count` requests as soon as there are so many; rejects after `withinMs` naming what came. */
  until(count: number, withinMs?: number): Promise<Received[]>;
  /** The rows of all envelopes `{total, rows}` so far, in order of arrival; of repeated posts again. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  rows(): any[];
  /** From now on this is the answer. */
  answerWith(answer: NonNullable<ReceiverOptions['answer']>): void;
  /** Connections accepted so far, also those over which nothing was said. */
  connections(): number;
  /** Bytes of bodies handed to the network so far. */
  written(): number;
  close(): Promise<void>;
}

const hugeBytes = 100_000_000;
const dripEveryMs = 10;

export async function openReceiver({ answer = 200, tls }: ReceiverOptions = {}): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const over = new AbortController();
  const seen = new WeakSet<object>();
  let script = answer;
  let connections = 0;
  let written = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reused = seen.has(request.socket);
    seen.add(request.socket);
    const raw = await buffer(request);
    const one = noteOf(request, raw, { index: received.length, reused });
    received.push(one);
    for (const look of [...waiting]) look();
    const behaviour = typeof script === 'function' ? await script(one, one.index) : script;
    await behave(behaviour, response, { signal: over.signal, count: (bytes) => (written += bytes) });
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // A caller that leaves in the middle is part of the game.
    serve(request, response).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    received,
    until: (count, withinMs = 20_000) => untilReceived(received, waiting, count, withinMs),
    rows: () => received.flatMap(({ json }) => (Array.isArray(json?.rows) ? json.rows : [])),
    answerWith(next) {
      script = next;
    },
    connections: () => connections,
    written: () => written,
    async close() {
      over.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function noteOf(request: IncomingMessage, raw: Buffer, more: Pick<Received, 'index' | 'reused'>): Received {
  return {
    ...more,
    atMs: Date.now(),
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    servername: (request.socket as { servername?: string }).servername,
    raw,
    json: parse(raw),
  };
}

function parse(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString());
  } catch {
    return undefined;
  }
}

function untilReceived(
  received: Received[],
  waiting: Set<() => void>,
  count: number,
  withinMs: number,
): Promise<Received[]> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (received.length < count) return;
      clearTimeout(limit);
      waiting.delete(look);
      resolve(received.slice(0, count));
    };
    const limit = setTimeout(() => {
      waiting.delete(look);
      reject(new Error(`${received.length} of ${count} requests within ${withinMs} ms`));
    }, withinMs);
    waiting.add(look);
    look();
  });
}

interface Stage {
  /** Ends what waits when the receiver closes. */
  signal: AbortSignal;
  count(bytes: number): void;
}

async function behave(behaviour: Behaviour, response: ServerResponse, { signal, count }: Stage): Promise<void> {
  if (typeof behaviour === 'number') return void response.writeHead(behaviour).end();
  if (typeof behaviour === 'string') return trouble[behaviour](response, { signal, count });
  const { status = 200, headers = {}, body = '', delayMs = 0 } = behaviour;
  if (delayMs > 0) await pause(delayMs, undefined, { signal });
  response.writeHead(status, headers).end(body);
}

const trouble: Record<Trouble, (response: ServerResponse, stage: Stage) => Promise<void> | void> = {
  hang: () => undefined,
  close: (response) => void response.destroy(),
  'close within': (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half an answer', () => response.destroy());
  },
  drip: async (response, { signal }) => {
    response.writeHead(200);
    while (response.write('.')) await pause(dripEveryMs, undefined, { signal });
  },
  huge: (response, { count }) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let left = hugeBytes;
    const source = new Readable({
      read() {
        count(Math.min(left, chunk.length));
        this.push(left > 0 ? chunk.subarray(0, left) : null);
        left = Math.max(0, left - chunk.length);
      },
    });
    response.writeHead(200, { 'content-type': 'text/plain' }).on('close', () => source.destroy());
    source.pipe(response);
  },
  'huge headers': (response) => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'x'.repeat(4_000)]));
    response.writeHead(200, many).end();
  },
  garbage: (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n'),
};
