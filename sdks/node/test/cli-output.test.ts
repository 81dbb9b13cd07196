// What becomes of the output: a result that nobody could read is never told as a success.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { before, type TestContext, test } from 'node:test';
import { bin } from './support/cli.ts';
import { packageRoot, run as runNode } from './support/consumer.ts';
import { listen } from './support/server.ts';

before(async () => assert.deepEqual(await runNode(packageRoot, ['build.mjs']), { code: 0, output: '' }));

/** Refuses every code, and tells one event after the other. */
const startPlatform = (t: TestContext): Promise<string> =>
  listen(t, (request, response) => {
    if (request.url?.startsWith('/v1/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = JSON.stringify({ at: '2026-01-01T00:00:00Z', event: 'plan', row: {} });
      const timer = setInterval(() => response.write(`id: 1\ndata: ${event}\n\n`), 10);
      response.on('close', () => clearInterval(timer));
    } else response.end(JSON.stringify({ verified: false, attempts_remaining: 4 }));
  });

/** The program with an output that takes nothing: one whose reader has gone, or a disk that is full. */
async function leave(baseUrl: string, output: 'pipe' | number, ...args: string[]) {
  const env = { ENGAGELAB_BASE_URL: baseUrl, ENGAGELAB_AGENT_KEY: 'dk_test:secret', HOME: '/nonexistent' };
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', output, 'pipe'] });
  child.stdout?.destroy();
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  return { code, err };
}

test('a reader that has gone changes nothing of the exit code, and ends what would go on without an end', async (t) => {
  const platform = await startPlatform(t);
  const [wrong, shown, watched] = await Promise.all([
    leave(platform, 'pipe', 'verify', '17', '000000'),
    leave(platform, 'pipe', '--version'),
    leave(platform, 'pipe', 'watch'),
  ]);
  assert.deepEqual(wrong, { code: 1, err: '' });
  assert.deepEqual(shown, { code: 0, err: '' });
  assert.deepEqual(watched, { code: 0, err: '' });
});

test('output that cannot be written is a failure', async (t) => {
  if (!existsSync('/dev/full')) return t.diagnostic('nothing was run: this system has no /dev/full');
  const platform = await startPlatform(t);
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const [wrong, asJson, shown] = await Promise.all([
    leave(platform, full, 'verify', '17', '000000'),
    leave(platform, full, 'verify', '17', '000000', '--json'),
    leave(platform, full, '--version'),
  ]);
  assert.deepEqual(wrong, { code: 1, err: 'error: standard output cannot be written (ENOSPC)\n' });
  assert.equal(asJson.code, 1);
  assert.equal(JSON.parse(asJson.err).error.message, 'standard output cannot be written (ENOSPC)');
  assert.equal(shown.code, 1);
});
