import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { linkPrograms, missingPackages, pickNode, sdkIsStale } from './ensure-install.mjs';
import { root } from './project-files.mjs';
import { tempTree } from './temp-tree.mjs';

const lock = (packages) => JSON.stringify({ packages });
const server = `
  process.on('SIGTERM', () => { console.log('drained'); process.exit(7); });
  process.on('SIGINT', () => { console.log('interrupted'); process.exit(8); });
  setInterval(() => {}, 1000);
  console.log('ready ' + process.pid + ' ' + process.versions.node);
`;

/** Starts `command` and waits for the server's ready line; `said()` is everything printed until the end. */
async function startServer(t, command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  while (!text.includes('ready')) await once(child.stdout, 'data');
  const [, pid, version] = /ready (\d+) (\S+)/.exec(text);
  return { child, pid: Number(pid), version, said: () => text };
}

const wrapper = join(root, 'scripts/ensure-install.mjs');

test('the program runs on the pinned Node', async (t) => {
  const started = await startServer(t, process.execPath, [wrapper, join(tempTree(t, { 's.mjs': server }), 's.mjs')]);
  assert.equal(Number.parseInt(started.version, 10), 24);
  started.child.kill('SIGTERM');
  await once(started.child, 'close');
});

for (const [signal, word, code] of [
  ['SIGTERM', 'drained', 7],
  ['SIGINT', 'interrupted', 8],
]) {
  test(`${signal} reaches the program, and its exit code comes back`, async (t) => {
    const started = await startServer(t, process.execPath, [wrapper, join(tempTree(t, { 's.mjs': server }), 's.mjs')]);
    started.child.kill(signal);
    const [exitCode] = await once(started.child, 'close');
    assert.equal(exitCode, code);
    assert.match(started.said(), new RegExp(word));
    assert.throws(() => process.kill(started.pid, 0), { code: 'ESRCH' });
  });
}

test('what Node compiles is kept for the next start, unless the caller has a place of its own for it', async () => {
  const whereIt = (env) =>
    execFileSync(process.execPath, [wrapper, '-p', 'process.env.NODE_COMPILE_CACHE'], { env, encoding: 'utf8' }).trim();
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  assert.equal(whereIt(env), join(root, 'node_modules/.cache/compiled'));
  assert.equal(whereIt({ ...env, NODE_COMPILE_CACHE: '/elsewhere' }), '/elsewhere');
});

test('under npm the program does not outlive a killed shell', async (t) => {
  const file = join(tempTree(t, { 's.mjs': server }), 's.mjs');
  const shell = `"${process.execPath}" "${wrapper}" "${file}"; exit $?`;
  const started = await startServer(t, 'sh', ['-c', shell], { npm_lifecycle_event: 'start' });
  started.child.kill('SIGKILL');
  await once(started.child, 'close');
  assert.match(started.said(), /drained/);
  assert.throws(() => process.kill(started.pid, 0), { code: 'ESRCH' });
});

test('a program that dies of a signal gives the code a shell would give', async (t) => {
  const file = join(tempTree(t, { 's.mjs': "process.kill(process.pid, 'SIGKILL');" }), 's.mjs');
  const [code] = await once(spawn(process.execPath, [wrapper, file]), 'close');
  assert.equal(code, 137);
});

test('nothing installed is told from something missing', (t) => {
  const wanted = lock({ '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } });
  assert.equal(missingPackages(tempTree(t, { 'package-lock.json': wanted })), null);
  const installed = lock({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.9.0' } });
  const folder = tempTree(t, { 'package-lock.json': wanted, 'node_modules/.package-lock.json': installed });
  assert.deepEqual(missingPackages(folder), ['b']);
});

test('packages for other machines are not missed', (t) => {
  const folder = tempTree(t, {
    'package-lock.json': lock({ 'node_modules/other': { version: '1.0.0', optional: true } }),
    'node_modules/.package-lock.json': lock({}),
  });
  assert.deepEqual(missingPackages(folder), []);
});

test('this installation lacks nothing', () => {
  assert.deepEqual(missingPackages(root), []);
});

test('a program of our own that npm has not linked yet is linked', (t) => {
  const tree = tempTree(t, {
    'package.json': JSON.stringify({ workspaces: ['sdk', 'plain'] }),
    'sdk/package.json': JSON.stringify({
      name: 'sdk',
      bin: { new: 'bin/new.cjs', old: 'bin/old.cjs', unmade: 'bin/unmade.cjs' },
    }),
    'plain/package.json': JSON.stringify({ name: 'plain' }),
    'node_modules/sdk/bin/new.cjs': '',
    'node_modules/sdk/bin/old.cjs': '',
    'node_modules/.bin/old': 'of npm',
  });
  const linkOf = (name) => join(tree, 'node_modules/.bin', name);
  symlinkSync('../gone/bin/new.cjs', linkOf('new'));
  linkPrograms(tree);
  linkPrograms(tree);
  assert.equal(readlinkSync(linkOf('new')), join('..', 'sdk', 'bin', 'new.cjs'));
  for (const name of ['old', 'unmade']) assert.throws(() => readlinkSync(linkOf(name)));
});

test('the SDK is built when its dist is missing or older than a source, and not otherwise', (t) => {
  const manifest = JSON.stringify({ main: './dist/index.cjs', scripts: { build: 'x' } });
  const folder = tempTree(t, { 'package.json': manifest, 'src/index.ts': '' });
  assert.equal(sdkIsStale(folder), true);
  const built = tempTree(t, { 'package.json': manifest, 'src/index.ts': '', 'dist/index.cjs': '' });
  assert.equal(sdkIsStale(built), false);
  const past = new Date(Date.now() - 60_000);
  utimesSync(join(built, 'dist/index.cjs'), past, past);
  assert.equal(sdkIsStale(built), true);
});

test('an SDK without a build step is never stale', (t) => {
  assert.equal(sdkIsStale(tempTree(t, { 'package.json': '{}' })), false);
});

test('a Node that is too old, with no pinned one, is refused in one sentence', (t) => {
  const running = { versions: { node: '18.20.0' }, execPath: 'node' };
  assert.throws(
    () => pickNode(tempTree(t, {}), running),
    /^Error: Node 24 or newer is needed, this is 18\.20\.0, [^\n]+$/,
  );
});

test('a new enough Node serves where no pinned one is installed', (t) => {
  const running = { versions: { node: '26.0.0' }, execPath: 'running-node' };
  assert.equal(pickNode(tempTree(t, {}), running), 'running-node');
});
