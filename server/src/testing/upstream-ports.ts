/**
 * What an adapter under test is given: ports that remember what they took, and a real HTTP server for its webhooks, so that fake
 * upstreams report over a socket as real ones do.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { HookAnswer, HookRequest, OutgoingMessage, Ports, Receipt, Uplink, Upstream } from '../channels/index.ts';
import type { Log } from '../platform/log.ts';
import { createOutbound } from '../platform/outbound.ts';

export interface TestPorts extends Ports {
  receipts: Receipt[];
  uplinks: Uplink[];
  /** What `reopen` finds: by message id. */
  sent: Map<string, OutgoingMessage>;
  /** From now on webhooks go to this upstream; before, they get 503. */
  serve(upstream: Upstream): void;
  close(): Promise<void>;
}

export async function openTestPorts(log: Log, onReceipt?: Ports['onReceipt']): Promise<TestPorts> {
  const secret = randomUUID();
  const outbound = createOutbound({ allow: ['127.0.0.0/8', '::1/128'] });
  const receipts: Receipt[] = [];
  const uplinks: Uplink[] = [];
  const sent = new Map<string, OutgoingMessage>();
  const seen = new Set<string>();
  let serving: Upstream | undefined;
  const server = createServer((request, response) => {
    answerTo(request, base, () => serving).then(
      ({ status, type = 'text/plain', body = '' }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/test/t0ken`;
  return {
    log,
    outbound,
    receipts,
    uplinks,
    sent,
    async onReceipt(receipt) {
      if (onReceipt) return onReceipt(receipt);
      receipts.push(receipt);
      return true;
    },
    async onUplink(uplink) {
      if (!uplinks.some((one) => one.upstreamId === uplink.upstreamId)) uplinks.push(uplink);
    },
    hookUrl: (path = '') => base + path,
    sign: (text) => createHmac('sha256', secret).update(text).digest('base64url'),
    async once(key) {
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    },
    reopen: async ({ messageId }) => sent.get(messageId) ?? null,
    serve(upstream) {
      serving = upstream;
    },
    async close() {
      await outbound.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerTo(
  request: IncomingMessage,
  base: string,
  serving: () => Upstream | undefined,
): Promise<HookAnswer> {
  const body = await buffer(request);
  const url = new URL(request.url ?? '', base);
  const hook = serving()?.hook;
  if (!hook || !url.href.startsWith(base)) return { status: hook ? 404 : 503 };
  const asked: HookRequest = {
    method: request.method === 'GET' ? 'GET' : 'POST',
    path: url.pathname.slice(new URL(base).pathname.length),
    url: url.href,
    query: url.searchParams,
    headers: request.headers as Record<string, string | undefined>,
    body,
  };
  return hook(asked);
}
