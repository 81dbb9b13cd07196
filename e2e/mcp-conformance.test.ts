/**
 * The conformance suite of the Model Context Protocol, at the current revision and at the one before: with what the suite calls by name in
 * place of our tools, and against the endpoint as it is. What is not passed stands in e2e/conformance with the reason.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTestApp, type TestApp } from '../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../server/src/testing/database.ts';
import { registerFixtures } from '../server/src/testing/mcp-fixtures.ts';
import { type Credentialed, openCredentialed } from './credentialed.ts';

const suite = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
let folder: string;
let database: TestDatabase;
const apps: TestApp[] = [];
const doors: Credentialed[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  database = await openTestDatabase('pglite');
  for (const extendAgents of [registerFixtures, undefined]) {
    const app = await openTestApp(database, extendAgents ? { extendAgents } : {});
    apps.push(app);
    // The suite brings no credential.
    doors.push(await openCredentialed(await app.app.frontDoor.listen('127.0.0.1', 0)));
  }
});
after(async () => {
  for (const door of doors) await door.close();
  for (const app of apps) await app.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

interface Ran {
  code: number;
  out: string;
  passed: number;
  failed: number;
}

function run(door: Credentialed | undefined, revision: string, expected: string): Promise<Ran> {
  const known = fileURLToPath(new URL(`conformance/${expected}-${revision}.yml`, import.meta.url));
  const args = [suite, 'server', '--url', `${door?.address}/mcp`, '--requirements', revision];
  const files = ['--expected-failures', known, '--output-dir', join(folder, `${expected}-${revision}`)];
  return new Promise((resolve) => {
    execFile(process.execPath, [...args, ...files], { maxBuffer: 2 ** 26, timeout: 60_000 }, (error, out) => {
      const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed/m.exec(out) ?? [];
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, passed: Number(passed), failed: Number(failed) });
    });
  });
}

const summaryOf = (out: string): string => out.slice(Math.max(0, out.indexOf('=== SUMMARY ===')));

for (const [i, expected, least] of [
  [0, 'suite', { '2026-07-28': 150, '2025-11-25': 55 }],
  [1, 'own', { '2026-07-28': 100, '2025-11-25': 35 }],
] as const)
  test(`nothing fails but what is known to: ${expected}`, async (t) => {
    const revisions = Object.entries(least);
    const runs = await Promise.all(revisions.map(([revision]) => run(doors[i], revision, expected)));
    for (const [n, { code, out, passed, failed }] of runs.entries()) {
      const [revision, atLeast] = revisions[n] ?? ['', 0];
      t.diagnostic(`${expected} ${revision}: ${passed} checks pass, ${failed} are known to fail or not required`);
      assert.equal(code, 0, `${revision}\n${summaryOf(out)}`);
      assert.ok(passed >= atLeast, `${revision}: ${passed} of at least ${atLeast} checks`);
    }
  });
