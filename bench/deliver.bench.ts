/**
 * Delivery: how long after a message was accepted its hand-over reaches the upstream, at 200 messages per second on both engines; how
 * many attempts per second the engine makes on PostgreSQL when the upstream answers at once; how many SQL statements one message
 * costs when nothing else happens, from the send to its receipt.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import { type Application, liveApplication } from './live-application.ts';
import { atLeast, atMost, conclude, type Figure, productEnv, type Running, run } from './product.ts';

const perSecond = 200;
const seconds = 20;
const enqueued = Number(process.argv[2] ?? 20_000);
const masterKey = 'ab'.repeat(32);
const env = { ...productEnv, OUTBOUND_ALLOW: '127.0.0.0/8' };

interface Carrier {
  url: string;
  /** When each message came, by its id. */
  arrivedAt: Map<string, number>;
  close(): void;
}

async function openCarrier(): Promise<Carrier> {
  const arrivedAt = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const at = performance.now();
    const [id = '', to = ''] = (await text(request)).split(' ');
    arrivedAt.set(id + to, at);
    response.writeHead(202, { 'content-type': 'application/json' }).end(`{"id":"${arrivedAt.size}"}`);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, arrivedAt, close: () => server.closeAllConnections() };
}

const gateway = (url: string) => ({
  url,
  body: { type: 'text', template: '{{message_id}} {{to}} {{text}}' },
  id: { pointer: '/id' },
});

/** Open loop: one message every few milliseconds, whatever the answers do. Milliseconds from the answer to the wire, sorted. */
async function wireLatencies(application: Application, carrier: Carrier): Promise<number[]> {
  const acceptedAt = new Map<string, number>();
  const asked: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const waitMs = startedAt + (i * 1000) / perSecond - performance.now();
    if (waitMs > 1) await pause(waitMs);
    const to = `+659${1_000_000 + i}`;
    asked.push(application.send(to).then((id) => void acceptedAt.set(id + to, performance.now())));
  }
  await Promise.all(asked);
  await pause(1_000);
  // The first second warms the process up.
  return [...acceptedAt]
    .slice(perSecond)
    .map(([key, at]) => Math.max(0, (carrier.arrivedAt.get(key) ?? Number.POSITIVE_INFINITY) - at))
    .sort((a, b) => a - b);
}

async function measureWire(name: string, storage: Record<string, string>): Promise<number> {
  const carrier = await openCarrier();
  const server = await run('product-server.ts', { ...env, ...storage });
  const application = await liveApplication(server.address, { adapter: 'sms-http', settings: gateway(carrier.url) });
  const sorted = await wireLatencies(application, carrier);
  await server.stop();
  carrier.close();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY;
  const [p50, p95, p99] = [at(0.5), at(0.95), at(0.99)];
  process.stdout.write(
    `${name}: accept to wire p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms at ${perSecond}/s\n`,
  );
  return p95;
}

const started = (file: string, storage: Record<string, string>): Promise<Running> => run(file, { ...env, ...storage });

/** Accepted by a process that only accepts, then delivered by one that only delivers. */
async function measureEngine(storage: Record<string, string>): Promise<number> {
  const api = await started('instant-server.ts', { ...storage, ROLES: 'api' });
  const settings = { receipts: false };
  const application = await liveApplication(api.address, { adapter: 'instant', settings, concurrency: 1_000 });
  for (let i = 0; i < enqueued; i += 250)
    await Promise.all(Array.from({ length: 250 }, (_, j) => application.send(`+658${1_000_000 + i + j}`)));
  await api.stop();
  const db = new Client({ connectionString: storage['DATABASE_URL'] });
  await db.connect();
  const done = async (): Promise<number> => {
    const { rows } = await db.query("select count(*)::int as n from attempts where provider = 'bench'");
    return rows[0]?.n ?? 0;
  };
  const before = await done();
  const worker = await started('instant-server.ts', { ...storage, ROLES: 'worker' });
  const startedAt = performance.now();
  while ((await done()) < before + enqueued) await pause(100);
  const rate = enqueued / ((performance.now() - startedAt) / 1000);
  await worker.stop();
  await db.end();
  process.stdout.write(`engine: ${rate.toFixed(0)} attempts/s, ${enqueued} waiting, one worker\n`);
  return rate;
}

async function statementsOf(server: Running): Promise<number> {
  const answer = new Promise<number>((resolve) => {
    const onData = (chunk: Buffer): void => {
      const found = /statements (\d+)/.exec(chunk.toString());
      if (!found) return;
      server.child.stdout?.off('data', onData);
      resolve(Number(found[1]));
    };
    server.child.stdout?.on('data', onData);
  });
  server.child.kill('SIGUSR2');
  return answer;
}

/** One message after the other, each with its receipt, less what the process says while nothing is sent. */
async function measureStatements(storage: Record<string, string>): Promise<number> {
  const messages = 40;
  const everyMs = 250;
  const server = await started('instant-server.ts', storage);
  const application = await liveApplication(server.address, { adapter: 'instant', settings: {} });
  await application.send('+6570000000');
  await pause(2_000);
  const idleFrom = await statementsOf(server);
  await pause(messages * everyMs);
  const idle = (await statementsOf(server)) - idleFrom;
  const from = await statementsOf(server);
  for (let i = 0; i < messages; i++) {
    await application.send(`+657${1_000_000 + i}`);
    await pause(everyMs);
  }
  const busy = (await statementsOf(server)) - from;
  await server.stop();
  const each = (busy - idle) / messages;
  process.stdout.write(`one message alone: ${each.toFixed(2)} SQL statements from send to receipt (idle: ${idle})\n`);
  // What is left of a statement is upkeep that traffic causes every few seconds.
  return Math.round(each);
}

const figures: Record<string, Figure> = {};
const postgres = await startPostgres();
for (const name of ['wire', 'engine', 'alone']) await postgres.createDatabase(name);
const on = (name: string) => ({ DATABASE_URL: postgres.url(name), MASTER_KEY: masterKey });
figures['wire_p95_ms_postgres'] = atMost(await measureWire('postgres', on('wire')), 50);
figures['attempts_per_second'] = atLeast(await measureEngine(on('engine')), 2_000);
figures['statements_per_message'] = atMost(await measureStatements(on('alone')), 4);
await postgres.stop();
const directory = mkdtempSync(join(tmpdir(), 'otp-bench-'));
figures['wire_p95_ms_embedded'] = atMost(await measureWire('embedded', { DATA_DIR: join(directory, 'data') }), 50);
rmSync(directory, { recursive: true, force: true });
conclude('deliver', figures);
