/** For tests: a receiver on the outside edge, and callback endpoints of an application that post to it. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { webhookSignature } from '../platform/webhook-signature.ts';
import type { TestApp, TestCall, TestReply } from './app.ts';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** A status, or what to do with the request; null never answers. */
  answer: number | ((response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

/** On a free port of this machine; gone when the test has ended. */
export async function openReceiver(t: Pick<TestContext, 'after'>, answer: Receiver['answer'] = 200): Promise<Receiver> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      receiver.received.push({ headers: request.headers, body });
      const { answer } = receiver;
      if (typeof answer === 'number') response.writeHead(answer, { location: '/elsewhere' }).end();
      else answer?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const receiver: Receiver = {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/hook`,
    received: [],
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  t.after(() => receiver.close());
  return receiver;
}

/** The app may reach receivers of this machine. */
export const reaching = { env: { OUTBOUND_ALLOW: '127.0.0.1' } };

/** How many of the signatures are of the secret. */
export function signaturesBy(secret: string, { headers, body }: Received): number {
  const id = String(headers['webhook-id']);
  const expected = webhookSignature([secret], id, Number(headers['webhook-timestamp']), body);
  return String(headers['webhook-signature'])
    .split(' ')
    .filter((signature) => signature === expected).length;
}

/** The operations on the endpoints of one application; a bare `ask` goes to the list itself. */
export function useEndpoints({ operator }: Pick<TestApp, 'operator'>, applicationId: string) {
  const root = `/admin/v1/applications/${applicationId}/callback-endpoints`;
  const ask = (path = '', call: Omit<TestCall, 'path'> = {}): Promise<TestReply> =>
    operator({ path: `${root}${path}`, ...call });

  async function make(body: Record<string, unknown>) {
    const reply = await ask('', { method: 'POST', body });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body;
  }

  return {
    ask,
    make,
    change: (id: string, body: unknown): Promise<TestReply> => ask(`/${id}`, { method: 'PATCH', body }),
    remove: (id: string): Promise<TestReply> => ask(`/${id}`, { method: 'DELETE' }),
    probe: (id: string): Promise<TestReply> => ask(`/${id}/probe`, { method: 'POST' }),
    rotate: (id: string): Promise<TestReply> => ask(`/${id}/rotate-secret`, { method: 'POST' }),
    testEvent: (id: string, body?: unknown): Promise<TestReply> =>
      ask(`/${id}/test-event`, { method: 'POST', ...(body !== undefined && { body }) }),
    replay: (id: string, body: unknown): Promise<TestReply> => ask(`/${id}/replays`, { body }),
    deliveries: (id: string, query = ''): Promise<TestReply> => ask(`/${id}/deliveries${query}`),
    attempts: (id: string, query = ''): Promise<TestReply> => ask(`/${id}/attempts${query}`),
  };
}
