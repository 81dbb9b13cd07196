/** The bridge as clients start it: today's and the one before, over a pipe, against a running server; and what it refuses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { openTestApp, type TestApp } from '../../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../../server/src/testing/database.ts';

const bridge = fileURLToPath(new URL('../bridge.mjs', import.meta.url));
let database: TestDatabase;
let app: TestApp;
let address: string;
let folder: string;
let key: { dev_key: string; dev_secret: string };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bridge-'));
  database = await openTestDatabase('pglite');
  app = await openTestApp(database);
  address = await app.app.frontDoor.listen('127.0.0.1', 0);
  const { body } = await app.operator({ path: '/admin/v1/organizations', body: { name: 'Agents' } });
  const path = `/admin/v1/organizations/${body.id}/sandbox-keys`;
  key = (await app.operator({ path, body: { kind: 'agent' } })).body.api_key;
});
after(async () => {
  await app.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

/** Nothing of this process's own settings. */
const environment = (more: Record<string, string>): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  ...more,
});
const inOne = () =>
  environment({ ENGAGELAB_BASE_URL: address, ENGAGELAB_AGENT_KEY: `${key.dev_key}:${key.dev_secret}` });
const started = (env: Record<string, string>, ...args: string[]) => ({
  command: process.execPath,
  args: [bridge, ...args],
  env,
});

async function withClient<T>(
  mode: VersionNegotiationMode,
  env: Record<string, string>,
  work: (client: Client) => Promise<T>,
  ...args: string[]
) {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport(started(env, ...args)));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

interface Called {
  isError?: boolean | undefined;
  structuredContent?: unknown;
}

/** Send, read the inbox, verify. */
async function finishes(to: string, call: (name: string, args: Record<string, unknown>) => Promise<Called>) {
  const answerOf = async (name: string, args: Record<string, unknown>) => {
    const { isError, structuredContent } = await call(name, args);
    assert.notEqual(isError, true);
    return structuredContent as Record<string, unknown>;
  };
  const send = { to, template_id: 'sandbox-otp-tpl', idempotency_key: to };
  const { message_id } = await answerOf('send_otp', send);
  await app.live(3);
  const inbox = await answerOf('get_test_inbox', { to });
  const [{ code } = { code: '' }] = inbox['messages'] as { code: string }[];
  assert.equal((await answerOf('verify_otp', { message_id, code }))['verified'], true);
}

for (const [mode, to] of [
  ['auto', '+6594440001'],
  ['legacy', '+6594440002'],
  [{ pin: '2026-07-28' }, '+6594440003'],
] as const)
  test(`the client of today works through it (${JSON.stringify(mode)})`, () =>
    withClient(mode, inOne(), (client) =>
      finishes(to, (name, args) => client.callTool({ name, arguments: args }) as Promise<Called>),
    ));

test('the client of before works through it', async () => {
  const client = new OldClient({ name: 'old', version: '1' });
  await client.connect(new OldTransport(started(inOne())) as unknown as Parameters<typeof client.connect>[0]);
  assert.ok((await client.listTools()).tools.length > 10);
  await finishes('+6594440004', (name, args) => client.callTool({ name, arguments: args }) as Promise<Called>);
  const refusal = await client.callTool({ name: 'get_message', arguments: { message_id: '1' } });
  assert.equal(refusal.isError, true);
  const [{ text } = { text: '' }] = refusal.content as { text: string }[];
  assert.ok(JSON.parse(text).next_step.length > 10, 'a refusal says what to do');
  await client.close();
});

test('the credential may stand in a file, and the tools be those that read', async () => {
  const file = join(folder, 'credentials.json');
  writeFileSync(file, JSON.stringify({ base_url: address, ...key }), { mode: 0o600 });
  const env = environment({ ENGAGELAB_CREDENTIALS_FILE: file });
  const readers = await withClient('auto', env, async (client) => (await client.listTools()).tools, '--readonly');
  assert.ok(readers.length > 0 && readers.every(({ annotations }) => annotations?.readOnlyHint));
});

test('as a plugin starts it: with the folder of the plugin and nothing of the environment', async () => {
  const home = join(folder, 'home');
  mkdirSync(join(home, '.config', 'engagelab-otp'), { recursive: true });
  const credentials = join(home, '.config', 'engagelab-otp', 'credentials.json');
  writeFileSync(credentials, JSON.stringify({ base_url: address, ...key }), { mode: 0o600 });
  const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  const { otp } = JSON.parse(readFileSync(join(root, 'mcp.json'), 'utf8')).mcpServers;
  assert.equal(otp.command, 'node');
  const args = otp.args.map((arg: string) => arg.replaceAll('\u0024{PLUGIN_ROOT}', root));
  const env = { HOME: home, PLUGIN_ROOT: root, PLUGIN_DATA: home };
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'send_otp'));
  await client.close();
});

async function run(
  env: Record<string, string>,
  args: string[],
  input = '',
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [bridge, ...args], { env: environment(env), stdio: 'pipe' });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

test('without a credential, or with one among the arguments, it does not start, and repeats no secret', async () => {
  const none = await run({}, []);
  assert.equal(none.code, 2);
  assert.match(none.err, /no credential[\s\S]*ENGAGELAB_AGENT_KEY/);
  const given = await run({ ENGAGELAB_AGENT_KEY: 'a:b' }, ['--key', 'dk_x:very-secret']);
  assert.equal(given.code, 2);
  assert.doesNotMatch(given.err + given.out, /very-secret/);
  const file = join(folder, 'broken.json');
  writeFileSync(file, '{"dev_secret":"very-secret"');
  const broken = await run({ ENGAGELAB_CREDENTIALS_FILE: file }, []);
  assert.equal(broken.code, 2);
  assert.match(broken.err, /not JSON/);
  assert.doesNotMatch(broken.err, /very-secret/);
});

test('the pair of the file goes to the server it was stored for alone', async () => {
  const file = join(folder, 'elsewhere.json');
  const ask = `${JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list', params: {} })}\n`;
  const runWith = (base_url: string) => {
    writeFileSync(file, JSON.stringify({ base_url, ...key }), { mode: 0o600 });
    return run({ ENGAGELAB_CREDENTIALS_FILE: file, ENGAGELAB_BASE_URL: address }, [], ask);
  };
  const other = await runWith('https://otp.example.com');
  assert.deepEqual([other.code, other.out], [2, '']);
  assert.match(other.err, /no credential for this server: .* stored for another one/);
  assert.match((await runWith(`${address}/`)).out, /"name":"send_otp"/);
});

test('an address that holds a credential, or is none, is refused without being repeated', async () => {
  for (const url of ['http://me:very-secret@127.0.0.1', 'http://me:very-secret@:', 'ftp://very-secret']) {
    const { code, err, out } = await run({ ENGAGELAB_BASE_URL: url, ENGAGELAB_AGENT_KEY: 'a:b' }, []);
    assert.equal(code, 2, err);
    assert.match(err, /^ENGAGELAB_BASE_URL is no address: .*without a credential/);
    assert.doesNotMatch(err + out, /very-secret/);
  }
});

test('a redirect is told instead of followed: no message reaches the address it names', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'verify_otp' } };
  const env = { ENGAGELAB_BASE_URL: `http://127.0.0.1:${port}`, ENGAGELAB_AGENT_KEY: 'a:b' };
  const { out } = await run(env, [], `${JSON.stringify(call)}\n`);
  assert.match(JSON.parse(out).error.message, /^307 .*redirects, which is not followed/);
  assert.deepEqual(asked, ['/mcp']);
});

test('a wrong key, a server that is not there, and what is no JSON: an answer that says so, and it goes on', async () => {
  const ask = `not json\n${JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list', params: {} })}\n`;
  const stranger = await run({ ENGAGELAB_BASE_URL: address, ENGAGELAB_AGENT_KEY: 'dk_no:very-secret' }, [], ask);
  const [first, second] = stranger.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(first.error.code, -32700);
  assert.equal(second.id, 7);
  assert.match(second.error.message, /^401 authentication failed; check the key/);
  assert.doesNotMatch(stranger.out + stranger.err, /very-secret/);
  const nobody = await run({ ENGAGELAB_BASE_URL: 'http://127.0.0.1:1', ENGAGELAB_AGENT_KEY: 'a:b' }, [], ask.slice(9));
  assert.match(nobody.out, /does not answer .*is it running\?/);
});
