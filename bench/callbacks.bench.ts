/**
 * Callbacks on PostgreSQL: how many signed posts per second reach a local receiver, each try written down; how long after an event is
 * committed it is received, at 200 events per second; what one dead endpoint of ten costs the other nine.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { messageIdOf } from '../server/src/platform/ids.ts';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import { atLeast, atMost, conclude, type Figure, operatorToken, productEnv, type Running, run } from './product.ts';

const events = Number(process.argv[2] ?? 20_000);
const perMessage = 5;
const perSecond = 200;
const seconds = 15;
const rounds = 3;
const endpoints = 10;
const eventsPerEndpoint = 2_000;
const env = { ...productEnv, OUTBOUND_ALLOW: '127.0.0.0/8', MASTER_KEY: 'ab'.repeat(32) };
const product = fileURLToPath(new URL('product-server.ts', import.meta.url));

async function operate(address: string, method: string, path: string, body?: object): Promise<Record<string, string>> {
  const reply = await fetch(`${address}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = (await reply.json()) as Record<string, string>;
  if (!reply.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function newApplication(address: string): Promise<string> {
  const { id: organization } = await operate(address, 'POST', 'organizations', { name: 'Bench' });
  const { id } = await operate(address, 'POST', `organizations/${organization}/applications`, { name: 'Bench' });
  return id ?? '';
}

async function newEndpoint(address: string, application: string, url: string): Promise<void> {
  const path = `applications/${application}/callback-endpoints`;
  await operate(address, 'POST', path, { url, description: 'bench', username: 'bench', secret: 'secret-of-the-bench' });
}

/** Of now: what is older than its retention would be forgotten at once. */
let lastMessage = BigInt(messageIdOf(Date.now(), 0, 0));
/** Messages with so many events each, as one transaction. */
async function write(db: Client, application: string, count: number, each: number): Promise<void> {
  const first = lastMessage;
  lastMessage += BigInt(count);
  await db.query('begin');
  await db.query(
    `insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, created_at)
     select $1, $2::bigint + n, 'otp', '+6598120044', 'login', 1, 'en', now() from generate_series(1, $3::int) n`,
    [application, String(first), count],
  );
  await db.query(
    `insert into events (application_id, message_id, cause, status, sequence, channel)
     select $1, $2::bigint + n, 'accepted', 'sent', s, 'sms' from generate_series(1, $3::int) n, generate_series(1, $4::int) s`,
    [application, String(first), count, each],
  );
  await db.query('commit');
}

const attempts = async (db: Client, application: string): Promise<number> => {
  const text = `select count(*)::int as n from callback_attempts where application_id = $1 and outcome = 'accepted'`;
  return (await db.query(text, [application])).rows[0]?.n ?? 0;
};

/** What waits is posted by a process that does nothing else. */
async function measureRate(url: string, receiver: Running): Promise<number> {
  const db = new Client({ connectionString: url });
  await db.connect();
  const api = await run(product, { ...env, DATABASE_URL: url, ROLES: 'api' });
  const application = await newApplication(api.address);
  await newEndpoint(api.address, application, `${receiver.address}/rate`);
  await write(db, application, events / perMessage, perMessage);
  await api.stop();
  const worker = await run(product, { ...env, DATABASE_URL: url, ROLES: 'worker' });
  while ((await attempts(db, application)) === 0) await pause(5);
  const startedAt = performance.now();
  const before = await attempts(db, application);
  while ((await attempts(db, application)) < events) await pause(50);
  const rate = (events - before) / ((performance.now() - startedAt) / 1000);
  await worker.stop();
  await db.end();
  process.stdout.write(`rate: ${rate.toFixed(0)} signed callbacks/s, ${events} waiting, one worker, one endpoint\n`);
  return rate;
}

/** One event every few milliseconds, each in a transaction of its own; milliseconds from its commit to the receiver, sorted. */
async function measureLatency(url: string, receiver: Running): Promise<number> {
  const db = new Client({ connectionString: url });
  await db.connect();
  const server = await run(product, { ...env, DATABASE_URL: url });
  const application = await newApplication(server.address);
  await newEndpoint(server.address, application, `${receiver.address}/latency`);
  const committedAt = new Map<string, number>();
  const startedAt = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const waitMs = startedAt + (i * 1000) / perSecond - performance.now();
    if (waitMs > 1) await pause(waitMs);
    await write(db, application, 1, 1);
    committedAt.set(String(lastMessage), performance.timeOrigin + performance.now());
  }
  await pause(2_000);
  const arrived = (await (await fetch(`${receiver.address}/arrivals`)).json()) as Record<string, number>;
  await server.stop();
  await db.end();
  const sorted = [...committedAt]
    .slice(perSecond)
    .map(([id, at]) => Math.max(0, (arrived[id] ?? Number.POSITIVE_INFINITY) - at))
    .sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY;
  const [p50, p95, p99] = [at(0.5), at(0.95), at(0.99)];
  process.stdout.write(
    `event to receiver: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms at ${perSecond}/s\n`,
  );
  return p95;
}

/** Events per second that nine endpoints get, beside a tenth that hangs or beside none. */
async function nineEndpoints(url: string, receiver: Running, dead: boolean): Promise<number> {
  const db = new Client({ connectionString: url });
  await db.connect();
  const server = await run(product, { ...env, DATABASE_URL: url });
  const application = await newApplication(server.address);
  for (let i = 1; i < endpoints; i++) await newEndpoint(server.address, application, `${receiver.address}/${i}`);
  if (dead) await newEndpoint(server.address, application, `${receiver.address}/hang`);
  await pause(1_000);
  const startedAt = performance.now();
  await write(db, application, eventsPerEndpoint / perMessage, perMessage);
  const wanted = (endpoints - 1) * eventsPerEndpoint;
  while ((await attempts(db, application)) < wanted) await pause(20);
  const rate = wanted / ((performance.now() - startedAt) / 1000);
  await server.stop();
  await db.end();
  return rate;
}

async function measureDead(url: (i: number) => string, receiver: Running): Promise<number> {
  const rates: { alone: number; beside: number }[] = [];
  for (let i = 0; i < rounds; i++) {
    // Alternating which goes first: the machine's state drifts.
    const [first, second] = [2 * i, 2 * i + 1].map(url);
    const beside = i % 2 === 0 ? null : await nineEndpoints(second ?? '', receiver, true);
    const alone = await nineEndpoints(first ?? '', receiver, false);
    rates.push({ alone, beside: beside ?? (await nineEndpoints(second ?? '', receiver, true)) });
  }
  const sum = (of: (rate: { alone: number; beside: number }) => number): number =>
    rates.reduce((total, rate) => total + of(rate), 0) / rounds;
  const [alone, beside] = [sum((rate) => rate.alone), sum((rate) => rate.beside)];
  const cost = Math.max(0, (1 - beside / alone) * 100);
  process.stdout.write(
    `nine endpoints: ${alone.toFixed(0)} callbacks/s alone, ${beside.toFixed(0)} beside a tenth that hangs: ${cost.toFixed(1)} % less\n`,
  );
  return cost;
}

const figures: Record<string, Figure> = {};
const postgres = await startPostgres();
const receiver = await run('receiver-server.ts');
for (const name of ['rate', 'latency']) await postgres.createDatabase(name);
for (let i = 0; i < 2 * rounds; i++) await postgres.createDatabase(`dead_${i}`);
figures['callbacks_per_second'] = atLeast(await measureRate(postgres.url('rate'), receiver), 1_500);
figures['event_to_receiver_p95_ms'] = atMost(await measureLatency(postgres.url('latency'), receiver), 150);
figures['dead_endpoint_cost_percent'] = atMost(await measureDead((i) => postgres.url(`dead_${i}`), receiver), 5);
await receiver.stop();
await postgres.stop();
conclude('callbacks', figures);
