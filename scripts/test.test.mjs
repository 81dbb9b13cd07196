/** Canaries: a run that did not prove anything must not end with 0. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { tempTree } from './temp-tree.mjs';
import { runTests } from './test.mjs';

const passing = "import { test } from 'node:test';\ntest('passes', () => {});\n";
const failing = "import { test } from 'node:test';\ntest('fails', () => { throw new Error('as meant'); });\n";
const liar = "export function globalSetup() { process.on('beforeExit', () => process.exit(0)); }\n";

/** The exit code `npm test` would have for these files. */
function codeFor(t, files) {
  const folder = tempTree(t, files);
  const setup = 'setup.mjs' in files ? { setup: join(folder, 'setup.mjs') } : {};
  // The runner refuses to run inside a runner unless this variable is gone.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tests = Object.keys(files).filter((path) => path !== 'setup.mjs');
  return runTests(
    tests.map((path) => join(folder, path)),
    { ...setup, env, stdio: 'ignore' },
  );
}

test('passing tests end with 0', (t) => {
  assert.equal(codeFor(t, { 'a.test.mjs': passing, 'setup.mjs': liar }), 0);
});

test('a failing test ends with 1', (t) => {
  assert.equal(codeFor(t, { 'a.test.mjs': passing, 'b.test.mjs': failing }), 1);
});

test('a failing test ends with 1 also when the global set-up makes the runner exit with 0', (t) => {
  assert.equal(codeFor(t, { 'a.test.mjs': failing, 'setup.mjs': liar }), 1);
});

test('a global set-up that throws ends with 1', (t) => {
  const broken = "export function globalSetup() { throw new Error('as meant'); }\n";
  assert.equal(codeFor(t, { 'a.test.mjs': passing, 'setup.mjs': broken }), 1);
});

test('a file that breaks while loading ends with 1', (t) => {
  assert.equal(codeFor(t, { 'a.test.mjs': "throw new Error('as meant');\n" }), 1);
});
