/**
 * Insights on PostgreSQL: how long `GET /v1/insights` takes over a quarter with ten million events, by country × channel and, of the
 * last fourteen days, by hour; how many entries of the ledger the follower counts per second.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { messageIdOf } from '../server/src/platform/ids.ts';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import {
  atLeast,
  atMost,
  conclude,
  type Figure,
  key,
  liftThrottle,
  median,
  productEnv,
  run,
  secret,
} from './product.ts';

const events = Number(process.argv[2] ?? 10_000_000);
const days = 92;
/** plan, target_valid, sent, delivered, verified, and one in between. */
const eventsPerMessage = 6;
const followed = 120_000;
const rounds = 15;
const product = fileURLToPath(new URL('product-server.ts', import.meta.url));
const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;

/**
 * Twenty countries, a few with most of the traffic; two channels, three templates, two providers per channel. Each message is drawn
 * with its hour and its latencies and added up as the follower would, so that there are as many rows and buckets as in earnest, in the order in
 * which time brings them.
 */
const fill = (name: string) => `
  insert into insight_rollups (application_id, span, starts_at, country, channel, template_id, provider, messages, steps_sent, delivered,
    verifications, verified, resends, fallbacks, wrong_codes, exhausted, expired, cost_micros, accept_to_sent, sent_to_delivered, accept_to_verified)
  select ${name}, span, date_trunc(span, at, 'UTC'), country, channel, template, provider, count(*), count(*), count(*) * 9 / 10, count(*),
    count(*) * 8 / 10, 0, 0, 0, 0, 0, count(*) * 41200, sum(bucket(60, a)), sum(bucket(2500, b)), sum(bucket(17000, c))
  from (
    select date_trunc('hour', now(), 'UTC') - interval '1 hour' * floor(random() * ${days} * 24)::int as at,
      chr(65 + floor(20 * random() ^ 3)::int) || 'X' as country, channel, 'template_' || floor(3 * random() ^ 2)::int as template,
      channel || '-' || floor(2 * random() ^ 2)::int as provider, random_normal() as a, random_normal() as b, random_normal() as c
    from (select case when random() < 0.7 then 'sms' else 'whatsapp' end as channel
      from generate_series(1, ${Math.round(events / eventsPerMessage)})) as message offset 0
  ) as drawn cross join (values ('hour'), ('day')) as spans (span)
  group by 2, 3, 4, 5, 6, 7 order by 3`;

/** A log-normal latency around its median, as one in the counter of its bucket. */
const bucket = `
  create function pg_temp.bucket(median double precision, normal double precision) returns numeric language sql immutable as $$
    select ('1e' || 12 * floor(ln(greatest(median * exp(0.8 * normal), 1)) / ln(1.1::double precision))::integer)::numeric $$`;

async function fillRollups(db: Client, application: string): Promise<number> {
  await db.query(bucket);
  await db.query(`set search_path = public, pg_temp`);
  await db.query(fill(application).replaceAll('bucket(', 'pg_temp.bucket('));
  await db.query('vacuum analyze insight_rollups');
  return (await db.query('select count(*)::int as n from insight_rollups')).rows[0]?.n ?? 0;
}

/** Median of the rounds, after one that warms up. */
async function measureRead(address: string, query: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= rounds; i++) {
    const startedAt = performance.now();
    const reply = await fetch(`${address}/v1/insights?${query}`, { headers: { authorization } });
    const { rows } = (await reply.json()) as { rows: unknown[] };
    if (i > 0) times.push(performance.now() - startedAt);
    if (reply.status !== 200 || rows.length === 0) throw new Error(`${query}: ${reply.status}`);
  }
  const worst = Math.max(...times);
  process.stdout.write(`${query}: ${median(times).toFixed(0)} ms, at worst ${worst.toFixed(0)} ms\n`);
  return median(times);
}

/** Messages with a code each, sent, delivered and verified. */
async function writeLedger(db: Client, application: string): Promise<void> {
  const first = messageIdOf(Date.now(), 0, 0);
  const each = 5;
  const numbers = `generate_series(1, ${followed / each}) n`;
  await db.query(
    `insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, country, verification_id, created_at)
     select $1, $2::bigint + n, 'otp', '+6598120044', 'login', 1, 'en', 'SG', $2::bigint + n, now() from ${numbers}`,
    [application, first],
  );
  await db.query(
    `insert into verifications (application_id, id, target, template_id, state, code_type, code_hashes, code_expiries, expires_at,
       max_attempts, target_attempts, target_window, counted, message_ids, ended_at)
     select $1, $2::bigint + n, 't', 'login', 'verified', 1, '{}', '{}', now(), 5, 10, '1 hour', true, array[$2::bigint + n], now() from ${numbers}`,
    [application, first],
  );
  await db.query(
    `insert into attempts (application_id, message_id, attempt, try, step, channel, provider, outcome, started_at)
     select $1, $2::bigint + n, 1, 1, 1, 'sms', 'carrier', 'accepted', now() from ${numbers}`,
    [application, first],
  );
  await db.query(
    `insert into events (application_id, message_id, cause, status, sequence, step, attempt, channel)
     select $1, $2::bigint + n, 'accepted', status, sequence, 1, 1, 'sms' from ${numbers}
     cross join unnest(array['plan', 'target_valid', 'sent', 'delivered', 'verified']) with ordinality as story (status, sequence)`,
    [application, first],
  );
  await db.query('vacuum analyze events, messages, verifications, attempts');
}

async function measureFollower(url: string, db: Client, application: string): Promise<number> {
  await writeLedger(db, application);
  const { rows } = await db.query('select max(position) as last from events where application_id = $1', [application]);
  const last = BigInt(rows[0].last);
  const position = async (): Promise<bigint> => {
    const text = 'select position from insight_followers where application_id = $1';
    return BigInt((await db.query(text, [application])).rows[0]?.position ?? 0);
  };
  const before = await position();
  const worker = await run(product, { ...productEnv, DATABASE_URL: url, MASTER_KEY: 'ab'.repeat(32), ROLES: 'worker' });
  while ((await position()) === before) await pause(2);
  const from = await position();
  const startedAt = performance.now();
  while ((await position()) < last) await pause(10);
  const rate = Number(last - from) / ((performance.now() - startedAt) / 1000);
  await worker.stop();
  process.stdout.write(`follower: ${rate.toFixed(0)} entries/s, ${followed} waiting, one worker\n`);
  return rate;
}

const postgres = await startPostgres();
await postgres.createDatabase('insights');
const url = postgres.url('insights');
const env = { ...productEnv, DATABASE_URL: url, MASTER_KEY: 'ab'.repeat(32), ROLES: 'api' };
const server = await run(product, env);
await liftThrottle(server.address);
const db = new Client({ connectionString: url });
await db.connect();
const application: string = (await db.query('select application_id from api_keys where dev_key = $1', [key])).rows[0]
  .application_id;
const count = await fillRollups(db, application);
process.stdout.write(`${events} events of ${days} days: ${count} rollups\n`);
const ago = (back: number): string => `from=${Math.floor(Date.now() / 1000) - back * 86_400}`;
const figures: Record<string, Figure> = {};
figures['quarter_ms'] = atMost(await measureRead(server.address, `${ago(days)}&group_by=country,channel`), 300);
figures['hours_ms'] = atMost(await measureRead(server.address, `${ago(14)}&group_by=hour`), 300);
// The largest answer there is: thousands of rows, so it is only shown.
await measureRead(server.address, `${ago(14)}&group_by=hour,country`);
await server.stop();
figures['entries_per_second'] = atLeast(await measureFollower(url, db, application), 5_000);
await db.end();
await postgres.stop();
conclude('insights', figures);
