/** What is read without a credential: documents and skills, as tools and as resources, and no way from them to anything else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '@modelcontextprotocol/client';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { done, makeSandboxKey, openClient, refused } from './fixture.ts';

let database: TestDatabase;
let app: TestApp;
let open: Client;
let keyed: Client;

before(async () => {
  database = await openTestDatabase('pglite');
  app = await openTestApp(database);
  open = await openClient(app, null, { path: '/mcp/docs' });
  keyed = await openClient(app, (await makeSandboxKey(app)).credential);
});
after(async () => {
  await open.close();
  await keyed.close();
  await app.close();
  await database.close();
});

const docsTools = ['search_docs', 'get_doc', 'get_operation'];

test('without a credential there are the tools of the documents and no others, for old clients too', async () => {
  for (const mode of ['auto', 'legacy'] as const) {
    const client = await openClient(app, null, { path: '/mcp/docs', mode });
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      docsTools,
    );
    for (const name of ['send_otp', 'list_templates', 'get_test_inbox'])
      await assert.rejects(client.callTool({ name, arguments: {} }), /there is no tool/);
    assert.equal(client.getServerCapabilities()?.prompts, undefined);
    await client.close();
  }
});

test('who asks without a credential may say little at once, and not without end', async () => {
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const post = (body: object) =>
    app.call({
      path: '/mcp/docs',
      credential: null,
      headers: { host: 'localhost', accept: 'application/json, text/event-stream' },
      body,
    });
  assert.equal((await post({ ...list, params: { fill: 'x'.repeat(17_000) } })).status, 413);
  const replies = await Promise.all(Array.from({ length: 80 }, () => post(list)));
  const refusal = replies.find(({ status }) => status === 429);
  assert.equal(refusal?.body.code, 3004);
  assert.ok(Number(refusal?.headers['retry-after']) >= 1);
  assert.ok(replies.some(({ status }) => status === 200));
  await database.clock.travel(60_000);
  assert.equal((await post(list)).status, 200);
});

test('what it answers may be kept by anybody: public, with a time', async () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'server/discover']) {
    const { status, body } = await app.call({
      path: '/mcp/docs',
      credential: null,
      headers: {
        host: 'localhost',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
      },
      body: { jsonrpc: '2.0', id: 1, method, params: { _meta: meta } },
    });
    assert.deepEqual([status, body.result?.cacheScope, body.result?.ttlMs], [200, 'public', 60_000], method);
  }
  const foreign = { host: 'localhost', origin: 'https://evil.example' };
  const turned = await app.call({ path: '/mcp/docs', credential: null, headers: foreign, body: {} });
  assert.equal(turned.status, 403);
  assert.equal((await app.call({ path: '/mcp/docs', credential: null })).status, 405);
});

test('a page is found, read, and read by section', async () => {
  for (const client of [open, keyed]) {
    const { pages } = await done(client, 'search_docs', { query: 'resend channel', limit: 3 });
    assert.equal(pages.length, 3);
    for (const { path } of pages) assert.ok((await done(client, 'get_doc', { path })).text.startsWith('# '), path);
  }
  const served = (await app.call({ path: '/docs/templates.md', credential: null })).body;
  const address = 'https://otp.example/docs/templates#variables';
  for (const path of ['/docs/templates', 'templates', 'docs/templates.md', address, '/docs/templates/']) {
    const { text, truncated } = await done(open, 'get_doc', { path });
    assert.deepEqual([text, truncated], [served, false], path);
  }
  const { sections } = await done(open, 'get_doc', { path: '/docs/ai' });
  assert.ok(sections.includes('Start in Python'));
  for (const section of ['Start in Python', '#start-in-python']) {
    const { text } = await done(open, 'get_doc', { path: '/docs/ai', section });
    assert.ok(text.startsWith('## Start in Python\n') && !text.includes('Start with curl'), section);
  }
  const none = await refused(open, 'get_doc', { path: '/docs/ai', section: 'Nowhere' });
  assert.match(none.message, /has no section Nowhere; it has .*Start in Python/);
  const told = await done(open, 'get_operation', { operation_id: 'verifyOtp' });
  assert.equal(told.path, '/v1/verifications');
});

test('no page is more than 20,000 characters at once, and what is cut says so', async () => {
  let cut = 0;
  for (const path of ['/docs/settings', '/docs/events', '/docs/callbacks', '/docs/api', '/docs/ai', '/docs/errors']) {
    const result = await open.callTool({ name: 'get_doc', arguments: { path } });
    if (result.isError) continue;
    const { text, truncated } = result.structuredContent as { text: string; truncated: boolean };
    assert.ok(text.length <= 20_000);
    assert.equal(truncated, text.length === 20_000, path);
    cut += Number(truncated);
  }
  assert.ok(cut > 0, 'one of them is long');
});

const outside = [
  'otp://docs/../../.env',
  'otp://docs/..%2f..%2f.env',
  'otp://docs/%2e%2e/%2e%2e/.env',
  'otp://docs/no-such-page',
  'otp://docs//etc/passwd',
  'skill://otp-quickstart/../../secret',
  'skill://otp-quickstart/..%2f..%2fpackage.json',
  'skill://otp-quickstart/../otp-diagnose/SKILL.md',
  'skill://../skills/otp-quickstart/SKILL.md',
  'skill://no-such-skill/SKILL.md',
  'skill://__proto__/SKILL.md',
  'skill://otp-quickstart/',
];

test('pages and skills are resources; no address leads out of them', async () => {
  const page = await open.readResource({ uri: 'otp://docs/api%2FsendOtp' });
  assert.deepEqual(
    page.contents,
    (await open.readResource({ uri: 'otp://docs/api/sendOtp' })).contents.map((one) => ({
      ...one,
      uri: 'otp://docs/api%2FsendOtp',
    })),
  );
  const { resources } = await open.listResources();
  assert.ok(Buffer.byteLength(JSON.stringify(resources)) < 4000);
  for (const { uri, mimeType } of resources) {
    const [content] = (await open.readResource({ uri })).contents;
    assert.ok(content && 'text' in content && content.text.length > 100, uri);
    assert.equal(content.mimeType, mimeType);
    assert.equal(content.uri, uri);
  }
  const skills = resources.filter(({ uri }) => uri.startsWith('skill://'));
  assert.equal(skills.length, 10);
  const script = await open.readResource({ uri: 'skill://otp-quickstart/scripts/check-setup.mjs' });
  assert.equal(script.contents[0]?.mimeType, 'text/javascript');
  for (const client of [open, keyed])
    for (const uri of outside) await assert.rejects(client.readResource({ uri }), { code: -32602 }, uri);
  for (const path of ['../../.env', '/docs/../../package.json', 'file:///etc/passwd', '/etc/passwd'])
    assert.equal((await refused(keyed, 'get_doc', { path })).code, 4001, path);
});

/** By client: where its settings stand, and the names it knows in the entry of a server. */
const clients: Record<string, readonly [file: string, root: string, keys: readonly string[]]> = {
  'Claude Code': ['.mcp.json', 'mcpServers', ['type', 'url', 'headers']],
  Cursor: ['.cursor/mcp.json', 'mcpServers', ['url', 'headers']],
  'VS Code': ['.vscode/mcp.json', 'servers', ['type', 'url', 'headers']],
  Codex: ['~/.codex/config.toml', 'mcp_servers', ['url', 'bearer_token_env_var']],
  Windsurf: ['~/.codeium/windsurf/mcp_config.json', 'mcpServers', ['serverUrl', 'headers']],
};

type Entry = Record<string, string> & { headers?: Record<string, string> };

/** A table of texts, which is all that is written in it here. */
function parseToml(text: string): Record<string, Record<string, Entry>> {
  const [, root = '', name = '', ...rest] = /^\[(\w+)\.(\w+)\]\n([\s\S]*)$/.exec(text) ?? [];
  const lines = (rest[0] ?? '').trim().split('\n');
  const fields = lines.map((line) => /^(\w+) = "([^"]*)"$/.exec(line)?.slice(1) ?? assert.fail(line));
  return { [root]: { [name]: Object.fromEntries(fields) as Entry } };
}

test('the settings for clients on /docs/ai are in the words of each, and lead with the key they ask for to the tools', async () => {
  const page: string = (await app.call({ path: '/docs/ai.md', credential: null })).body;
  const { credential } = await makeSandboxKey(app);
  const shown = [...page.matchAll(/^([A-Z][\w ]*), `([^`\n]+)`:\n\n```(json|toml)\n([\s\S]*?)^```$/gm)];
  assert.deepEqual(shown.map(([, name]) => name).sort(), Object.keys(clients).sort());
  for (const [, name = '', file, language, text = ''] of shown) {
    const [expectedFile, root, keys] = clients[name] ?? ['', '', []];
    assert.equal(file, expectedFile);
    const settings = language === 'toml' ? parseToml(text) : JSON.parse(text);
    const entry: Entry = settings[root]?.otp ?? assert.fail(`${name}: no entry below ${root}`);
    assert.deepEqual(Object.keys(entry), keys, name);
    if ('type' in entry) assert.equal(entry['type'], 'http');
    // What the client puts in: a variable of its environment, or what it asked its user for.
    const known = ['ENGAGELAB_AGENT_KEY', ...(settings.inputs ?? []).map(({ id }: { id: string }) => id)];
    const given = entry.headers?.['Authorization'] ?? `Bearer \u0024{${entry['bearer_token_env_var']}}`;
    const authorization = given.replace(/\$\{(?:env:|input:)?([\w-]+)\}/, (whole, variable) =>
      known.includes(variable) ? credential : whole,
    );
    const { pathname: path } = new URL(entry['url'] ?? entry['serverUrl'] ?? '');
    const client = await openClient(app, null, { path, headers: { authorization } });
    assert.ok(
      (await client.listTools()).tools.some((tool) => tool.name === 'send_otp'),
      name,
    );
    await client.close();
  }
});
