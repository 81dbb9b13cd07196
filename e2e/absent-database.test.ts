/** The database goes away under a running server: PostgreSQL dies, the disk of the embedded one is full. It must come back by itself. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startPostgres } from '../server/src/testing/postgres-server.ts';
import { until } from '../server/src/testing/until.ts';
import {
  type Client,
  isFinal,
  keyClient,
  liftThrottle,
  newRecipient,
  presetEnv,
  type Reply,
  sendLogin,
} from './client.ts';
import { startLoad } from './load.ts';
import type { ServerProcess } from './server-process.ts';
import { siteWith, temporaryDirectory } from './site.ts';

const recoveryMs = 60_000;
const mb = 1024 * 1024;

/** What is left free when the ballast is on the disk decides what fails first. */
const fullDisks = [
  // Less than the 16 MB of a file of the log: PostgreSQL panics.
  { title: 'the log of the embedded database', freeMb: 14 },
  { title: 'its tables', freeMb: 3 },
];

// At once: most of the time is waiting for leases to lapse.
describe('an absent database', { concurrency: true }, () => {
  test('a lost PostgreSQL is answered with 503 and Retry-After, and work goes on by itself when it is back', async (t) => {
    const postgres = await startPostgres();
    t.after(() => postgres.stop());
    await postgres.createDatabase('lost');
    const site = siteWith(t, { ...presetEnv, DATABASE_URL: postgres.url('lost'), MASTER_KEY: '07'.repeat(32) });
    const server = await site.start();
    await liftThrottle(server.address);
    const client = keyClient(server.address);
    const load = startLoad(12);
    t.after(() => load.stop());
    load.use(server.address);
    await load.more(150);

    await postgres.kill();
    await until('the loss is noticed', async () => (await sendLogin(client, newRecipient())).status === 503);
    for (let i = 0; i < 10; i++) assertUnavailable(await sendLogin(client, newRecipient()));
    assertUnavailable(await client.call('GET', `/v1/messages/${load.acknowledged[0]}`));
    const readiness = await client.call('GET', '/readyz');
    assert.deepEqual(
      [readiness.status, readiness.body],
      [503, { status: 'not_ready', checks: { database: 'failing' } }],
    );
    assert.equal((await client.call('GET', '/healthz')).status, 200);
    await load.stop();
    for (const refusal of load.refusals) assert.equal(refusal, '503/1000');

    await postgres.start();
    await untilWorking(client, server);
    await allFinal(client, load.acknowledged);
    t.diagnostic(`${load.acknowledged.length} accepted before, all final`);
    assert.equal(await server.stop(), 0);
  });

  for (const { title, freeMb } of fullDisks) {
    test(`a disk too full for ${title} is answered with 503, and work goes on by itself when there is room`, async (t) => {
      const disk = smallDisk(t);
      if (disk === null) {
        t.diagnostic('NOT CHECKED: this user may not mount a tmpfs');
        return;
      }
      const site = siteWith(t, { ...presetEnv, DATA_DIR: join(disk, 'data') });
      const server = await site.start();
      await liftThrottle(server.address);
      const client = keyClient(server.address);
      const free = freeBytes(disk) - freeMb * mb;
      assert.ok(free > 0, 'the disk of this test is too small');
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(free));

      const load = startLoad(12);
      t.after(() => load.stop());
      load.use(server.address);
      await until('the disk is full', () => load.refusals.size > 0, recoveryMs);
      for (let i = 0; i < 10; i++) {
        const reply = await sendLogin(client, newRecipient());
        if (reply.status !== 200) assertUnavailable(reply);
      }
      await load.stop();
      for (const refusal of load.refusals) assert.equal(refusal, '503/1000');

      rmSync(join(disk, 'ballast'));
      await untilWorking(client, server);
      await allFinal(client, load.acknowledged);
      assert.equal(await server.stop(), 0);
      const again = await site.start();
      await allFinal(keyClient(again.address), load.acknowledged);
      t.diagnostic(`${load.acknowledged.length} accepted until the disk was full, none lost`);
    });
  }
});

function assertUnavailable({ status, body, headers }: Reply): void {
  assert.deepEqual([status, body.code, body.message], [503, 1000, 'internal error']);
  assert.match(headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);
}

/** The same process, without anybody's help. */
async function untilWorking(client: Client, server: ServerProcess): Promise<void> {
  await until('a send is accepted', async () => (await sendLogin(client, newRecipient())).status === 200, recoveryMs);
  await until('the process says so', async () => (await client.call('GET', '/readyz')).status === 200, recoveryMs);
  assert.ok(server.isRunning());
}

async function allFinal(client: Client, ids: readonly string[]): Promise<void> {
  assert.ok(ids.length > 0);
  let left = [...ids];
  await until(
    'everything accepted is final',
    async () => {
      const states = await Promise.all(
        left.slice(0, 50).map(async (id) => (await client.call('GET', `/v1/messages/${id}`)).body),
      );
      left = left.filter((_, i) => states[i] === undefined || !isFinal(states[i]));
      if (left.length > 0)
        throw new Error(`${left.length} are not: ${JSON.stringify(states.find((one) => !isFinal(one)))}`);
      return true;
    },
    recoveryMs,
  );
}

const diskMb = 110;

/** A file system of its own; null where mounting is not allowed. */
function smallDisk(t: TestContext): string | null {
  const at = join(temporaryDirectory(t), 'disk');
  mkdirSync(at);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m`, 'tmpfs', at], { stdio: 'pipe' });
  } catch {
    return null;
  }
  assert.deepEqual(readdirSync(at), []);
  // Lazily: the server is killed by then, but the order of the hooks is not ours to choose.
  t.after(() => execFileSync('umount', ['-l', at]));
  return at;
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
