/**
 * The listener for operators: /metrics, /healthz and /readyz, without credentials, on an address of its own that customers cannot reach.
 * The port that nobody chose may be taken by another server of this machine: then this one goes on without it. A chosen one must be free.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ConfigError } from '../config.ts';
import type { Log } from '../platform/log.ts';

export interface Answer {
  status: number;
  mediaType: string;
  body: string;
}

export interface ListenerOptions {
  host: string;
  /** Whether somebody set the host or the port. */
  chosen: boolean;
  port: number;
  log: Log;
  /** By path. */
  answers: Readonly<Record<string, () => Answer | Promise<Answer>>>;
}

export interface Listener {
  /** `http://127.0.0.1:9090`; null when the port nobody chose could not be had. */
  address: string | null;
  close(): Promise<void>;
}

const limits = { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 10_000 };

/** Throws ConfigError for a chosen address that cannot be listened on. */
export async function openListener({ host, port, chosen, log, answers }: ListenerOptions): Promise<Listener> {
  const server = createServer(limits, (request, response) => {
    answer(request, response, answers).catch((error: unknown) => {
      log.error({ err: error }, 'operators were not answered');
      write(request, response, { status: 500, mediaType: 'text/plain; charset=utf-8', body: 'internal error\n' });
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'is taken' : 'cannot be listened on';
    if (chosen) throw new ConfigError([`METRICS_PORT ${port} on ${host} ${why}.`]);
    log.warn(`port ${port} on ${host} ${why}: no metrics are served; METRICS_PORT chooses another, 0 none`);
    return { address: null, close: async () => undefined };
  }
  // It is not what the process lives for, whatever becomes of it.
  server.unref();
  server.on('error', (error) => log.warn({ err: error }, 'the listener for operators failed'));
  const at = server.address();
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    address: `http://${name}:${typeof at === 'object' && at ? at.port : port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answers: ListenerOptions['answers'],
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?');
  const text = { mediaType: 'text/plain; charset=utf-8' };
  if (!Object.hasOwn(answers, path)) return write(request, response, { ...text, status: 404, body: 'not found\n' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return write(request, response, { ...text, status: 405, body: 'method not allowed\n' });
  }
  const found = await answers[path]?.();
  if (found) write(request, response, found);
}

function write(request: IncomingMessage, response: ServerResponse, { status, mediaType, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': mediaType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
