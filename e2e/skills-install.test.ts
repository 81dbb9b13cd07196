// The skills are installed as people install them, by the `skills` command, into a home of the test's own: from a path, from a git URL and
// from a running server. The command exits with 0 also when it drops a skill, so what arrived is counted and compared.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSite, temporaryDirectory } from './site.ts';
import { filesOf, skillNames, skillsFolder, textOf } from './skill-files.ts';

const skillsCommand = join(dirname(fileURLToPath(import.meta.resolve('skills/package.json'))), 'bin', 'cli.mjs');
const validator = join(dirname(fileURLToPath(import.meta.resolve('skills-ref'))), 'cli.js');
const agents = ['claude-code', 'cursor', 'codex', 'windsurf'];

function runNode(args: string[], cwd: string, home: string) {
  return new Promise<{ code: number | null; output: string }>((done) => {
    const env = { PATH: process.env['PATH'], HOME: home, CI: '1', DISABLE_TELEMETRY: '1', DO_NOT_TRACK: '1' };
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => done({ code, output }));
  });
}

/** Installs all skills of a source for the four agents; gives the project they went to. */
async function install(t: TestContext, source: string): Promise<string> {
  const folder = temporaryDirectory(t);
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  for (const made of [project, home]) mkdirSync(made);
  const { code, output } = await runNode(
    [skillsCommand, 'add', source, '-s', '*', '-y', '-a', ...agents],
    project,
    home,
  );
  assert.equal(code, 0, output);
  return project;
}

function assertInstalled(project: string, address = 'http://localhost:8080'): void {
  const shared = join(project, '.agents', 'skills');
  assert.deepEqual(readdirSync(shared).sort(), skillNames, 'for Cursor and Codex');
  for (const skill of skillNames) {
    for (const file of filesOf(skill)) {
      const expected = textOf(skill, file).replaceAll('http://localhost:8080', () => address);
      assert.equal(readFileSync(join(shared, skill, file), 'utf8'), expected, `${skill}/${file}`);
    }
    for (const own of ['.claude', '.windsurf']) {
      const link = join(project, own, 'skills', skill);
      assert.ok(lstatSync(link).isSymbolicLink(), link);
      assert.equal(realpathSync(link), realpathSync(join(shared, skill)));
    }
  }
}

const lockOf = (project: string) => JSON.parse(readFileSync(join(project, 'skills-lock.json'), 'utf8')).skills;

test('from the path of the repository all skills arrive whole', async (t) => {
  const project = await install(t, join(skillsFolder, '..'));
  assertInstalled(project);
  assert.deepEqual(Object.keys(lockOf(project)).sort(), skillNames);
});

test('from the path of one skill that one arrives', async (t) => {
  const project = await install(t, join(skillsFolder, 'engagelab-otp-verify'));
  assert.deepEqual(readdirSync(join(project, '.agents', 'skills')), ['engagelab-otp-verify']);
});

test('from a git URL all skills arrive whole', async (t) => {
  const repository = temporaryDirectory(t);
  cpSync(skillsFolder, join(repository, 'skills'), { recursive: true });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, stdio: 'pipe' });
  git('init', '-q');
  git('add', '.');
  git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '-qm', 'skills');
  assertInstalled(await install(t, `file://${repository}`));
});

test('from a running server all skills arrive whole, with its address in them and the digests of its index', async (t) => {
  const site = await openSite(t, 'pglite');
  const { address } = await site.start();
  const project = await install(t, address);
  assertInstalled(project, address);
  const index = (await (await fetch(`${address}/.well-known/agent-skills/index.json`)).json()) as {
    skills: { name: string; digest: string }[];
  };
  const locked = lockOf(project);
  for (const { name, digest } of index.skills) assert.equal(locked[name].wellKnownDigest, digest, name);
  assert.equal(index.skills.length, skillNames.length);
});

test('the reference validator of the format accepts every skill', async (t) => {
  const home = temporaryDirectory(t);
  for (const skill of skillNames) {
    const { code, output } = await runNode([validator, 'validate', join(skillsFolder, skill)], home, home);
    assert.deepEqual([code, output.startsWith('Valid skill')], [0, true], output);
  }
});
