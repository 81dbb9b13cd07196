/** Ten thousand sends over several connections, and the demonstration: the product as its first user sees it at work. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from '../server/src/platform/sql.ts';
import { keyClient, liftThrottle, newRecipient, sendLogin } from './client.ts';
import { openSite } from './site.ts';

const sends = 10_000;
const connections = 16;
const run = promisify(execFile);

for (const kind of ['pglite', 'postgres'] as const) {
  test(`${sends} sends get ${sends} different ids, each stored once (${kind})`, async (t) => {
    const site = await openSite(t, kind);
    const server = await site.start();
    await liftThrottle(server.address);
    const client = keyClient(server.address);
    const ids: string[] = [];
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun++ < sends) {
        const { status, body } = await sendLogin(client, newRecipient());
        assert.equal(status, 200, JSON.stringify(body));
        ids.push(body.message_id);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    assert.equal(new Set(ids).size, sends);
    for (const id of ids) assert.match(id, /^[0-9]{19}$/);
    assert.equal(await server.stop(), 0);
    const stored = await site.withDb((db) => db.query<{ id: string }>(sql`select id from messages`));
    assert.deepEqual(stored.map(({ id }) => id).sort(), ids.sort());
  });
}

test('the demonstration starts a server of its own, sees a code arrive and be verified, and exits with 0', async () => {
  const demo = fileURLToPath(new URL('../scripts/demo.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, [demo], { env: { PATH: process.env['PATH'] } });
  assert.match(stdout, /^handset {4}\[sms\] [0-9]{6} /m);
  assert.match(stdout, /-> verified false, 4 attempts remaining\n/);
  assert.match(stdout, /\nverified\n$/);
});
