/** For programs that test a protocol and bring no credential: an address that adds one to what it passes on. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testCredential } from '../server/src/testing/app.ts';

export interface Credentialed {
  address: string;
  close(): Promise<void>;
}

/** On a free port of this machine. Everything else of a request goes on as it came. */
export async function openCredentialed(server: string, credential = testCredential): Promise<Credentialed> {
  const { hostname: host, port } = new URL(server);
  const authorization = `Bearer ${credential}`;
  const door = createServer((asked, answer) => {
    const headers = { ...asked.headers, authorization };
    const passed = request({ host, port, path: asked.url, method: asked.method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  return {
    address: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    async close() {
      door.closeAllConnections();
      door.close();
      await once(door, 'close');
    },
  };
}
