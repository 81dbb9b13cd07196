/**
 * First step of every npm script: installs what is missing, builds the Node SDK when its dist is missing or old, then runs
 * the named file on the pinned Node. It must run on any Node from 18 on, because on a fresh clone nothing newer is there yet.
 *
 *   node scripts/ensure-install.mjs [node options] FILE [arguments]
 *
 * What npm prints while installing goes to stderr, so that stdout belongs to FILE alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesUnder } from './project-files.mjs';
import { compileCache, runsTheServer, serverFlags } from './server-flags.mjs';

export const wantedMajor = 24;
const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const parentLookMs = 500;

/** Names of packages the lockfile demands and node_modules lacks or has in another version; `null` when nothing is installed. */
export function missingPackages(root) {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null) return null;
  const wanted = readJson(join(root, 'package-lock.json'));
  if (wanted === null) return [];
  return Object.entries(wanted.packages)
    .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.optional && !entry.peer)
    .filter(([path, entry]) => installed.packages[path]?.version !== entry.version)
    .map(([path]) => path.slice('node_modules/'.length));
}

/** Whether the built SDK is missing or older than its sources. False while the SDK has nothing to build. */
export function sdkIsStale(sdkFolder) {
  const manifest = readJson(join(sdkFolder, 'package.json'));
  if (!manifest?.scripts?.build) return false;
  const entries = sdkEntries(sdkFolder);
  if (entries.length === 0 || !entries.every((file) => existsSync(file))) return true;
  const sources = filesUnder(join(sdkFolder, 'src')).concat(join(sdkFolder, 'package.json'));
  const newestSource = Math.max(...sources.map(changedAtMs));
  return entries.some((file) => changedAtMs(file) < newestSource);
}

/** The files by which a program enters the built SDK. */
function sdkEntries(sdkFolder) {
  const { main, module, types } = readJson(join(sdkFolder, 'package.json'));
  return [main, module, types].filter(Boolean).map((file) => join(sdkFolder, file));
}

/** Sources may be touched without being changed; the build then leaves dist alone, and only its times have to follow. */
function buildSdk(root) {
  npm(root, ['run', 'build', '-w', 'engagelab-otp', '--silent'], 'Building the Node SDK.');
  const now = new Date();
  for (const file of sdkEntries(join(root, 'sdks', 'node'))) if (existsSync(file)) utimesSync(file, now, now);
}

/** The Node to run on: the pinned one, else the running one when it is new enough. Throws one sentence when neither is. */
export function pickNode(root, running = process) {
  const pinned = pinnedNode(root);
  if (pinned !== null) return pinned;
  if (majorOf(running) >= wantedMajor) return running.execPath;
  throw new Error(
    `Node ${wantedMajor} or newer is needed, this is ${running.versions.node}, and node_modules has no pinned one: ` +
      'run "npm install" with install scripts allowed.',
  );
}

/**
 * Not "npm ci": it refuses a lockfile that does not name the optional packages of every platform, and registries exist that
 * do not hold all of them. Versions still come from the lockfile, and neither it nor a manifest is written.
 */
const install = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];

/**
 * Links the programs of our own packages that node_modules/.bin lacks: npm does so only when it installs, and a program that is new in
 * a copy of the repository is no reason to. Windows has files instead of links, which npm alone makes.
 */
export function linkPrograms(root, platform = process.platform) {
  if (platform === 'win32') return;
  for (const folder of readJson(join(root, 'package.json'))?.workspaces ?? []) {
    const { name, bin = {} } = readJson(join(root, folder, 'package.json')) ?? {};
    for (const [program, file] of Object.entries(bin)) {
      const link = join(root, 'node_modules', '.bin', program);
      if (existsSync(link) || !existsSync(join(root, 'node_modules', name, file))) continue;
      rmSync(link, { force: true });
      symlinkSync(join('..', name, file), link);
    }
  }
}

/** Makes node_modules and the SDK's dist current. Throws one sentence when npm fails. */
export function ensureInstalled(root) {
  const missing = missingPackages(root);
  if (missing === null) {
    npm(root, install, 'Installing the packages; the first time takes about a minute.');
    // An old Node leaves out optional packages that want a newer one; now the pinned one is there to fetch them.
    if (majorOf(process) < wantedMajor) npm(root, install, `Completing them with Node ${wantedMajor}.`);
  } else if (missing.length > 0) npm(root, install, `Installing what is missing: ${missing.slice(0, 5).join(', ')}.`);
  linkPrograms(root);
  if (sdkIsStale(join(root, 'sdks', 'node'))) buildSdk(root);
}

function npm(root, command, announcement) {
  process.stderr.write(`${announcement}\n`);
  const options = { cwd: root, env: withPinnedNodeFirst(root), stdio: ['ignore', 2, 2] };
  const script = process.env.npm_execpath;
  const done =
    script && /\.[cm]?js$/.test(script)
      ? spawnSync(pinnedNode(root) ?? process.execPath, [script, ...command], options)
      : spawnSync('npm', command, { ...options, shell: process.platform === 'win32' });
  if (done.status !== 0) throw new Error(`"npm ${command[0]}" failed; its own message stands above.`);
}

/** Runs `args` on `node` as a child that gets our signals, and ends with its exit code. */
function runOn(node, args, root) {
  const env = { NODE_COMPILE_CACHE: compileCache, ...withPinnedNodeFirst(root) };
  const child = spawn(node, args, { stdio: 'inherit', env });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'].filter((name) => name in constants.signals);
  for (const signal of signals) process.on(signal, () => forward(child, signal));
  const watch = watchParent(() => child.kill('SIGTERM'));
  child.on('error', (error) => fail(`${node} did not start: ${error.message}`));
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}

/** A terminal sends Ctrl-C to the whole group, the child included; sending it again would look like a second press. */
function forward(child, signal) {
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}

/**
 * Under npm there is a shell between npm and us that may die of a signal without passing it on. We then get another
 * parent, and the child must not stay behind as an orphan. Outside npm a changed parent means nothing.
 */
function watchParent(onLost) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onLost();
  }, parentLookMs);
  return timer;
}

function withPinnedNodeFirst(root) {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...process.env, [key]: [join(root, 'node_modules', '.bin'), process.env[key]].join(delimiter) };
}

function pinnedNode(root) {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(root, 'node_modules', 'node', 'bin', name);
  return existsSync(path) ? path : null;
}

function majorOf({ versions }) {
  return Number.parseInt(versions.node, 10);
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

function changedAtMs(file) {
  return statSync(file).mtimeMs;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

const isMain = process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href;
if (isMain) {
  try {
    ensureInstalled(projectRoot);
    const args = process.argv.slice(2);
    const flags = runsTheServer(args) ? serverFlags(process.env.NODE_OPTIONS) : [];
    runOn(pickNode(projectRoot), [...flags, ...args], projectRoot);
  } catch (error) {
    fail(error.message);
  }
}
