/**
 * Pairs of send + verify at 64 connections, the product against a bare Fastify server with the same schemas and authentication and no
 * storage, in alternating rounds. The product answers after its durable commit, and delivers every message beside it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import {
  atLeast,
  conclude,
  type Figure,
  key,
  liftThrottle,
  load,
  median,
  productEnv,
  type Running,
  run,
  secret,
} from './product.ts';

const rounds = 5;
const seconds = 5;
const aim = 0.5;
let nextNumber = 80_000_000;

async function pairsPerSecond(server: Running): Promise<number> {
  const firstNumber = nextNumber;
  const result = await load(server.address, { connections: 64, seconds, firstNumber });
  nextNumber += result.pairs + result.failures + 1_000;
  if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
  return result.pairs / result.seconds;
}

async function compare(name: string, env: Record<string, string>): Promise<Figure> {
  const bare = await run('bare-server.ts', { BENCH_CREDENTIAL: `${key}:${secret}` });
  const product = await run('product-server.ts', { ...productEnv, ...env });
  await liftThrottle(product.address);
  await pairsPerSecond(bare);
  await pairsPerSecond(product);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const yardstick = await pairsPerSecond(bare);
    const measured = await pairsPerSecond(product);
    ratios.push(measured / yardstick);
    process.stdout.write(
      `${name} round ${round}: bare ${yardstick.toFixed(0)} pairs/s, product ${measured.toFixed(0)} pairs/s, ratio ${(measured / yardstick).toFixed(3)}\n`,
    );
  }
  await bare.stop();
  await product.stop();
  return atLeast(median(ratios), aim);
}

const only = process.argv[2];
const figures: Record<string, Figure> = {};
if (only !== 'pglite') {
  const postgres = await startPostgres();
  await postgres.createDatabase('bench');
  figures['ratio_postgres'] = await compare('postgres', {
    DATABASE_URL: postgres.url('bench'),
    MASTER_KEY: 'ab'.repeat(32),
  });
  await postgres.stop();
}
if (only !== 'postgres') {
  const directory = mkdtempSync(join(tmpdir(), 'otp-bench-'));
  figures['ratio_pglite'] = await compare('pglite', { DATA_DIR: join(directory, 'data') });
  rmSync(directory, { recursive: true, force: true });
}
conclude('send-verify', figures);
