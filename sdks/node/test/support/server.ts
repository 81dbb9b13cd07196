// A real HTTP server that stands at the edge: it records what reached it and answers what the test laid out, in order.
// It closes with the test, including connections it left hanging, so nothing outlives a test.
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  text?: string;
  /** Ends the connection without an answer. */
  hang_up?: boolean;
  /** Never answers; called when the request is there. */
  hang?: () => void;
}

export interface Received {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Listens on a free port until the test ends. */
export async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with `replies`, one per request; a request too many gets a 418. */
export async function startServer(t: TestContext, replies: Reply[]) {
  const requests: Received[] = [];
  const url = await listen(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = new URL(request.url ?? '', 'http://edge');
      requests.push({
        method: request.method ?? '',
        path: target.pathname,
        query: Object.fromEntries(target.searchParams),
        headers: request.headers,
        text: Buffer.concat(chunks).toString('utf8'),
      });
      const reply = replies[requests.length - 1] ?? { status: 418 };
      if (reply.hang) return reply.hang();
      if (reply.hang_up) return request.socket.destroy();
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.text ?? JSON.stringify(reply.body ?? {}));
    });
  });
  return { url, requests };
}
