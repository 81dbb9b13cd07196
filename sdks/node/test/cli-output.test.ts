// What becomes of the output: a result that nobody could read is never told as a success, and nothing that a server says does more to a
// terminal than to be read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { before, type TestContext, test } from 'node:test';
import { bin, type CliRun, runHere } from './support/cli.ts';
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

/** Clears the screen, rings, colours, turns the direction around, begins a line of its own. */
const evil = 'x\u001b[2J\u0007\u009b31m\u202e\u2066\r\nok    forged';
const unprintable = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const template = { template_id: evil, status: 2, send_channel_strategy: `sms|${evil}`, description: evil };
const event = {
  at: evil,
  event: evil,
  cursor: '1',
  row: {
    to: evil,
    channel: evil,
    message_id: evil,
    status: { message_status: 'verified', error_code: 7, error_detail: { message: evil } },
  },
};
const message = { message_id: evil, kind: 'otp', state: evil, explanation: { cause: evil, next_step: evil } };
const key = { id: evil, dev_key: evil, kind: evil, enabled: true, expires_at: null, permissions: [evil] };
const refusal = { code: 3002, message: evil, reason: evil, details: { fields: [{ field: evil, problem: evil }] } };
/** What a server that means harm answers, by method and path. */
const answers: { readonly [asked: string]: unknown } = {
  'GET /healthz': { status: 'ok' },
  'GET /readyz': { status: evil, checks: { [evil]: evil } },
  'GET /openapi.json': { info: { version: evil }, servers: [{ url: evil }] },
  'POST /v1/messages': { message_id: evil, send_channel: evil, expires_at: evil },
  'GET /v1/sandbox/messages': { messages: [{ received_at: evil, message_id: evil, channel: evil, text: evil }] },
  'GET /v1/messages/17': message,
  'GET /v1/events': { events: [event], next_cursor: '1' },
  'GET /v1/template-configs': [template],
  'GET /v1/template-configs/x': template,
  'POST /v1/template-configs/x/preview': {
    renderings: [{ channel: evil, language: evil, text: evil }],
    warnings: [{ level: evil, message: evil }],
  },
  'GET /v1/balance': { mode: 'prepaid', balance: 5, reserved: 0, currency: evil, threshold: 9 },
  'GET /admin/v1/organizations': { organizations: [{ id: '1' }], next_cursor: null },
  'GET /admin/v1/organizations/1/applications': {
    applications: [{ id: evil, name: evil }, { id: '2' }],
    next_cursor: null,
  },
  'GET /admin/v1/applications/1/api-keys': { api_keys: [{ ...key, description: evil }], next_cursor: null },
};

test('what a server says cannot move the cursor, colour, turn text around or begin a line', async (t) => {
  const url = await listen(t, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://edge');
    const seen = pathname === '/v1/events' && searchParams.has('cursor') ? { events: [], next_cursor: '1' } : undefined;
    const answer = seen ?? answers[`${request.method} ${pathname}`];
    response.writeHead(answer ? 200 : 400).end(JSON.stringify(answer ?? refusal));
  });
  const env = { ENGAGELAB_BASE_URL: url, ENGAGELAB_AGENT_KEY: 'dk_test:secret', ENGAGELAB_OPERATOR_TOKEN: 'token' };
  const told = new Map<string, CliRun>();
  for (const line of [
    ...['send +6591234567 -t x', 'send +6591234567 -t x --code 123456', 'inbox +6591234567', 'watch 17', 'doctor'],
    ...['templates list', 'templates get x', 'templates get y', 'templates preview x', 'keys list', 'keys list -a 1'],
  ])
    for (const words of [line, `${line} --json`]) {
      const ran = await runHere(words.split(' '), env);
      const text = ran.out + ran.err;
      assert.ok(text.includes('forged'), `${words} tells what the server said`);
      assert.doesNotMatch(text, unprintable, words);
      assert.doesNotMatch(text, /^ok {4}forged/m, words);
      told.set(words, ran);
    }
  // What no command cleans by itself is cleaned where it is shown.
  const own = await runHere(['whoami'], { ...env, ENGAGELAB_AGENT_KEY: 'dk_\u009b31m\u202e:secret' });
  assert.match(own.out, /^dev_key {3}dk_ 31m {2}\(from the environment\)$/m);
  const outOf = (words: string): string => told.get(words)?.out ?? '';
  assert.match(outOf('doctor'), /^<green:ok {2}> {2}server/, 'our own colours stay');
  assert.match(outOf('watch 17'), /^<dim:x[^>]*> {2}<green:x/);
  for (const words of ['templates get x', 'templates get x --json'])
    assert.deepEqual(JSON.parse(outOf(words)), template);
});
