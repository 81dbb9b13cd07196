/**
 * What deciding costs: pairs of send + verify at 64 connections by two applications of one server on live providers, in alternating
 * rounds. One asks nothing; the other asks every limit that live applications have (so high that none refuses), the shipped fraud
 * rules and a budget, and its sends tell an address and a device.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import { type Application, liveApplication, newApplication } from './live-application.ts';
import { atMost, conclude, load, median, operatorToken, productEnv, run } from './product.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = 5;
const aim = 0.15;
let nextNumber = 80_000_000;

const limit = (name: string, per: string, window_seconds: number, on = 'send') => ({
  ...{ name, on, per, window_seconds, limit: 1_000_000 },
});
const limits = [
  limit('send_target_10m', 'target', 600),
  limit('send_target_1h', 'target', 3_600),
  limit('send_target_1d', 'target', 86_400),
  limit('send_ip_1h', 'ip', 3_600),
  limit('send_device_1h', 'device', 3_600),
  limit('send_prefix_1h', 'prefix', 3_600),
  { ...limit('send_dial_code_1d', 'dial_code', 86_400), growth: 3 },
  limit('check_ip_1h', 'ip', 3_600, 'check'),
  limit('check_device_1h', 'device', 3_600, 'check'),
];

async function operate(address: string, method: string, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' };
  const reply = await fetch(`${address}/admin/v1/${path}`, { method, headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
}

async function openCarrier(): Promise<{ url: string; close(): void }> {
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(202, { 'content-type': 'application/json' }).end(`{"id":"${++taken}"}`);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, close };
}

const carrier = await openCarrier();
const postgres = await startPostgres();
await postgres.createDatabase('bench');
const env = { ...productEnv, OUTBOUND_ALLOW: '127.0.0.0/8', MASTER_KEY: 'ab'.repeat(32) };
const { address, stop } = await run('product-server.ts', { ...env, DATABASE_URL: postgres.url('bench') });
const settings = { url: carrier.url, body: { type: 'text', template: '{{to}} {{text}}' }, id: { pointer: '/id' } };
const free = await liveApplication(address, { adapter: 'sms-http', settings, concurrency: 200 });
await operate(address, 'PUT', `applications/${free.id}/fraud-rules`, { rules: [] });
const judged = await newApplication(address, limits);
const cap = { scope: 'all', period: 'month', cap_micros: 1_000_000_000_000 };
await operate(address, 'POST', `applications/${judged.id}/budgets`, cap);

async function pairsPerSecond({ credential }: Application, signals: boolean): Promise<number> {
  const firstNumber = nextNumber;
  const result = await load(address, { connections: 64, seconds, firstNumber, credential, signals });
  nextNumber += result.pairs + result.failures + 1_000;
  if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
  return result.pairs / result.seconds;
}

await pairsPerSecond(free, false);
await pairsPerSecond(judged, true);
const costs: number[] = [];
for (let round = 1; round <= rounds; round++) {
  const without = await pairsPerSecond(free, false);
  const deciding = await pairsPerSecond(judged, true);
  costs.push(1 - deciding / without);
  process.stdout.write(
    `round ${round}: without ${without.toFixed(0)} pairs/s, deciding ${deciding.toFixed(0)} pairs/s, cost ${((1 - deciding / without) * 100).toFixed(1)} %\n`,
  );
}
await stop();
await postgres.stop();
carrier.close();
conclude('decision', { decision_cost: atMost(median(costs), aim) });
