/** Takes callbacks at once; below /hang it never answers; tells when each message's event came. Prints `ready ADDRESS`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const arrivals: Record<string, number> = {};
const server = createServer(async (request, response) => {
  if (request.url === '/arrivals') {
    response.end(JSON.stringify(arrivals));
    return;
  }
  const body = await text(request);
  const at = performance.timeOrigin + performance.now();
  // The probe of a new endpoint is empty.
  if (request.url === '/hang' && body !== '{}') return;
  if (request.url === '/latency') for (const row of JSON.parse(body).rows ?? []) arrivals[row.message_id] = at;
  response.end();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
