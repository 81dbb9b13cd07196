/**
 * Programs with which others test servers of the Model Context Protocol, against this one: the conformance suite at the current revision and
 * at the one before, with what it calls by name in place of our tools and against the endpoint as it is (what is not passed stands in
 * e2e/mcp-conformance with the reason); the Inspector's command line; and Redocly's, which compares the endpoint with docs/mcp.yaml.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTestApp, type TestApp, testCredential } from '../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../server/src/testing/database.ts';
import { registerFixtures } from '../server/src/testing/mcp-fixtures.ts';
import { type Credentialed, openCredentialed } from './credentialed.ts';
import { faultsOf } from './manifest-schemas.ts';

const suite = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
const inspector = fileURLToPath(import.meta.resolve('@modelcontextprotocol/inspector/clients/launcher/build/index.js'));
const redocly = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'));
const publicUrl = 'https://otp.example.com';
const record = new URL('../docs/mcp.yaml', import.meta.url);
let folder: string;
let database: TestDatabase;
/** With the suite's tools, and as it is. */
const apps: TestApp[] = [];
const doors: Credentialed[] = [];
let address: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  database = await openTestDatabase('pglite');
  for (const extendAgents of [registerFixtures, undefined]) {
    const app = await openTestApp(database, extendAgents ? { extendAgents } : { env: { PUBLIC_URL: publicUrl } });
    apps.push(app);
    // The suite brings no credential.
    address = await app.app.frontDoor.listen('127.0.0.1', 0);
    doors.push(await openCredentialed(address));
  }
});
after(async () => {
  for (const door of doors) await door.close();
  for (const app of apps) await app.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  code: number;
  out: string;
  err: string;
}

/** In a folder of its own, without what the machine's user has set; nothing is told to anybody. */
function run(args: string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: folder, REDOCLY_TELEMETRY: 'off', DISABLE_TELEMETRY: '1' };
  const options = { cwd: folder, env, maxBuffer: 2 ** 26, timeout: 60_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
    );
  });
}

function conform(door: Credentialed | undefined, revision: string, expected: string): Promise<Ended> {
  const known = fileURLToPath(new URL(`mcp-conformance/${expected}-${revision}.yml`, import.meta.url));
  const args = [suite, 'server', '--url', `${door?.address}/mcp`, '--requirements', revision];
  return run([...args, '--expected-failures', known, '--output-dir', join(folder, `${expected}-${revision}`)]);
}

const summaryOf = (out: string): string => out.slice(Math.max(0, out.indexOf('=== SUMMARY ===')));

for (const [i, expected, least] of [
  [0, 'suite', { '2026-07-28': 150, '2025-11-25': 55 }],
  [1, 'own', { '2026-07-28': 100, '2025-11-25': 35 }],
] as const)
  test(`nothing fails but what is known to: ${expected}`, async (t) => {
    const revisions = Object.entries(least);
    const runs = await Promise.all(revisions.map(([revision]) => conform(doors[i], revision, expected)));
    for (const [n, { code, out }] of runs.entries()) {
      const [revision, atLeast] = revisions[n] ?? ['', 0];
      const [passed = 0, failed] = /^Total: (\d+) passed, (\d+) failed/m.exec(out)?.slice(1).map(Number) ?? [];
      t.diagnostic(`${expected} ${revision}: ${passed} checks pass, ${failed} are known to fail or not required`);
      assert.equal(code, 0, `${revision}\n${summaryOf(out)}`);
      assert.ok(passed >= atLeast, `${revision}: ${passed} of at least ${atLeast} checks`);
    }
  });

const bearer = `Authorization: Bearer ${testCredential}`;

test('the Inspector lists, calls and reads over the older wire, and ends as a refusal should', async () => {
  const inspect = (...args: string[]) =>
    run([inspector, '--cli', `${address}/mcp`, '--transport', 'http', '--format', 'json', '--header', bearer, ...args]);
  const call = (name: string, argument: string) =>
    inspect('--method', 'tools/call', '--tool-name', name, '--tool-arg', argument);
  const [listed, called, refused, read] = await Promise.all([
    // Ends with 6 for a schema that some client could not read.
    inspect('--method', 'tools/list', '--strict'),
    call('get_operation', 'operation_id=verifyOtp'),
    call('verify_otp', 'message_id=1'),
    inspect('--method', 'resources/read', '--uri', 'otp://errors/3004'),
  ]);
  const resultOf = ({ code, out, err }: Ended) => {
    assert.equal(code, 0, err);
    return JSON.parse(out).result;
  };
  const names = resultOf(listed).tools.map(({ name }: { name: string }) => name);
  assert.ok(names.includes('send_otp') && names.includes('get_doc'));
  assert.equal(resultOf(called).structuredContent.path, '/v1/verifications');
  assert.match(resultOf(read).contents[0].text, /^# Error 3004\n/);
  assert.equal(refused.code, 5, refused.err);
  assert.equal(JSON.parse(JSON.parse(refused.out).result.content[0].text).code, 3002);
});

test('docs/mcp.yaml is what the endpoint offers (RENEW=docs/mcp.yaml writes it anew)', async () => {
  const committedAt = 'http://127.0.0.1:8080/mcp';
  const copy = join(folder, 'mcp.yaml');
  const ask = [redocly, 'introspect-mcp', `${address}/mcp`, '-H', bearer, '-o', copy];
  if (process.env['RENEW'] === 'docs/mcp.yaml') {
    assert.equal((await run(ask)).code, 0);
    writeFileSync(record, readFileSync(copy, 'utf8').replaceAll(`${address}/mcp`, committedAt));
    return;
  }
  writeFileSync(copy, readFileSync(record, 'utf8').replaceAll(committedAt, `${address}/mcp`));
  const { code, err } = await run([...ask, '--check']);
  assert.equal(code, 0, err);
});

test('the server card is valid, and leads to addresses that answer', async () => {
  const card = (await (await fetch(`${address}/mcp/server-card`)).json()) as { remotes: { url: string }[] };
  assert.deepEqual(faultsOf('card', card), []);
  assert.notDeepEqual(faultsOf('card', { ...card, tools: [] }), [], 'which tools there are depends on who asks');
  for (const { url } of card.remotes) {
    assert.ok(url.startsWith(`${publicUrl}/`));
    const { status } = await fetch(url.replace(publicUrl, address), { method: 'POST' });
    // Without a message, or without a credential.
    assert.ok([400, 401, 406, 415].includes(status), `${url}: ${status}`);
  }
});
