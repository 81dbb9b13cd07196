/**
 * What a running product costs to keep: time from start to ready on a second start, and resident memory after 100,000 messages sent and
 * verified, on both engines. On PostgreSQL the memory is that of the product's own process.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import { atMost, conclude, type Figure, liftThrottle, load, median, productEnv, type Running, run } from './product.ts';

const messages = Number(process.argv[2] ?? 100_000);
const starts = 5;

function residentMegabytes({ child }: Running): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

async function measure(env: Record<string, string>): Promise<{ readyMs: number; megabytes: number }> {
  const first = await run('product-server.ts', { ...productEnv, ...env });
  await first.stop();
  const readyMs: number[] = [];
  for (let i = 0; i < starts; i++) {
    const again = await run('product-server.ts', { ...productEnv, ...env });
    readyMs.push(again.readyMs);
    await again.stop();
  }
  const server = await run('product-server.ts', { ...productEnv, ...env });
  await liftThrottle(server.address);
  const done = await load(server.address, {
    connections: 64,
    seconds: 1_200,
    firstNumber: 80_000_000,
    pairs: messages,
  });
  if (done.pairs < messages || done.failures > 0)
    throw new Error(`only ${done.pairs} pairs, ${done.failures} failures`);
  const megabytes = residentMegabytes(server);
  await server.stop();
  return { readyMs: median(readyMs), megabytes };
}

const figures: Record<string, Figure> = {};
const postgres = await startPostgres();
await postgres.createDatabase('bench');
const onPostgres = await measure({ DATABASE_URL: postgres.url('bench'), MASTER_KEY: 'ab'.repeat(32) });
await postgres.stop();
figures['ready_ms_postgres'] = atMost(onPostgres.readyMs, 1_500);
figures['memory_mb_postgres'] = atMost(onPostgres.megabytes, 220);
process.stdout.write(
  `postgres: ready in ${onPostgres.readyMs.toFixed(0)} ms, ${onPostgres.megabytes.toFixed(0)} MB after ${messages} messages\n`,
);
const directory = mkdtempSync(join(tmpdir(), 'otp-bench-'));
const embedded = await measure({ DATA_DIR: join(directory, 'data') });
rmSync(directory, { recursive: true, force: true });
process.stdout.write(
  `embedded: ready in ${embedded.readyMs.toFixed(0)} ms, ${embedded.megabytes.toFixed(0)} MB after ${messages} messages\n`,
);
figures['ready_ms_embedded'] = atMost(embedded.readyMs, 3_000);
figures['memory_mb_embedded'] = atMost(embedded.megabytes, 400);
conclude('footprint', figures);
