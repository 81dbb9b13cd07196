/** The ground of the emulated APIs of Vonage: an HTTP server on a free port, and webhooks posted over connections of their own. Only for tests. */
import { createServer, request as httpRequest, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  response: ServerResponse;
}

/** What the server answers; `hang` answers never, `drop` closes the connection after reading. */
export type Reply = { status: number; body: string; headers?: Record<string, string> } | 'hang' | 'drop';

export interface Api {
  url: string;
  /** Resolves when a request has been left without an answer. */
  whenHanging(): Promise<void>;
  close(): Promise<void>;
}

export async function openApi(answer: (asked: Asked) => Reply | Promise<Reply>): Promise<Api> {
  let hung = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString('utf8');
    const { method = '', url = '', headers } = request;
    const reply = await answer({ method, path: url, headers, body, response });
    if (reply === 'drop') response.destroy();
    else if (reply === 'hang') hung.resolve();
    // No connection is kept: what stays open would be counted as the adapter's.
    else response.writeHead(reply.status, { connection: 'close', ...reply.headers }).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async whenHanging() {
      await hung.promise;
      hung = Promise.withResolvers();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const json = (status: number, value: unknown): Reply => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});

export interface HookCall {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface HookReply {
  status: number;
  type: string;
  body: string;
}

export async function callHook({ method, url, headers = {}, body }: HookCall): Promise<HookReply> {
  const { promise, resolve, reject } = Promise.withResolvers<HookReply>();
  const sending = httpRequest(
    url,
    { method, headers: { connection: 'close', ...headers }, agent: false },
    (response) => {
      text(response).then(
        (answer) =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: answer }),
        reject,
      );
    },
  );
  sending.on('error', reject).end(body);
  return promise;
}
