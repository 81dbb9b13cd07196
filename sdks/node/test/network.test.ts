// Faults of the network, on real sockets: refused, reset, cut in the middle of the body, and a server that never answers.
// Both ways onto the network give the same error: code 0, retryable, nothing of the request in it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { OTPClient } from '../src/index.ts';
import { listen, startServer } from './support/server.ts';

const fault = { name: 'EngagelabError', code: 0, httpStatus: 0, retryable: true, category: 'transient' };

function client(baseUrl: string, options = {}) {
  return new OTPClient('dk_private', 'hunter2', { baseUrl, ...options });
}

/** An address where nobody listens any more. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

for (const wire of ['fetch', 'the built-in modules']) {
  const useWire = (t: TestContext) => {
    if (wire !== 'fetch') t.mock.property(globalThis, 'fetch', undefined as never);
  };

  describe(`through ${wire}`, () => {
    test('a refused connection names the server and the fault', async (t) => {
      useWire(t);
      const url = await deadUrl();
      await assert.rejects(client(url).balance(), {
        ...fault,
        reason: 'network',
        message: `no answer from ${url} (ECONNREFUSED)`,
      });
    });

    test('a connection that is reset', async (t) => {
      useWire(t);
      const url = await listen(t, (request) => request.socket.resetAndDestroy());
      await assert.rejects(client(url).send('+6598120044', 't'), { ...fault, reason: 'network' });
    });

    test('an answer that breaks off in its body', async (t) => {
      useWire(t);
      const url = await listen(t, (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"balance":', () => request.socket.destroy());
      });
      await assert.rejects(client(url).balance(), { ...fault, reason: 'network' });
    });

    test('a server that never answers is left after timeoutMs', async (t) => {
      useWire(t);
      t.mock.timers.enable({ apis: ['setTimeout'] });
      let closed: Promise<unknown> | undefined;
      const url = await listen(t, (request) => {
        closed = once(request.socket, 'close');
        t.mock.timers.tick(2500);
      });
      await assert.rejects(client(url, { timeoutMs: 2500 }).balance(), {
        ...fault,
        reason: 'timeout',
        message: `${url}: no answer within 2500 ms`,
      });
      await closed;
    });

    test('an answer held back on purpose gets its time on top', async (t) => {
      useWire(t);
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const server = await startServer(t, [{ hang: () => t.mock.timers.tick(22_500) }]);
      await assert.rejects(client(server.url, { timeoutMs: 2500 }).sandbox.messages({ to: '+10000000000', wait: 20 }), {
        reason: 'timeout',
        message: `${server.url}: no answer within 22500 ms`,
      });
    });
  });
}

test('a fetch that fails with its request attached leaks nothing of it', async () => {
  const fetch = (_url: string, init: object) =>
    Promise.reject(Object.assign(new Error(`failed: ${JSON.stringify(init)}`), { request: init, code: 'EBROKEN' }));
  const error: unknown = await client('http://h', { fetch })
    .verify('1', '482913')
    .catch((reason: unknown) => reason);
  const shown = inspect(error, { depth: null, showHidden: true });
  for (const value of ['hunter2', 'dk_private', 'Basic', '482913']) assert.ok(!shown.includes(value), value);
  assert.match(shown, /no answer from http:\/\/h \(EBROKEN\)/);
});

test('a fetch that throws nothing sensible is still a network fault', async () => {
  await assert.rejects(client('http://h', { fetch: () => Promise.reject(undefined) }).balance(), fault);
});
