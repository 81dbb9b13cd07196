/** What a program that installs skills finds on a running instance, fetched through the whole app. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { createSkills } from './index.ts';

const address = 'https://otp.example.com';
const names = readdirSync(new URL('../../../skills', import.meta.url)).sort();

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'otp-skills-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Answers as the front door would be answered. */
function pagesOver(folder?: string, publicUrl = address) {
  const { pages } = createSkills({ publicUrl: () => publicUrl, publicSandbox: true, ...(folder && { folder }) });
  const [agentSkills, skills] = pages;
  return (path: string) => (path.startsWith('/.well-known/agent-skills/') ? agentSkills : skills)?.answer({ path });
}

test('every skill stands in the index with the digest of the bytes that are served', () => {
  const get = pagesOver();
  const index = JSON.parse(String(get('/.well-known/agent-skills/index.json')?.body));
  assert.equal(index.$schema, 'https://schemas.agentskills.io/discovery/0.2.0/schema.json');
  assert.deepEqual(
    index.skills.map(({ name }: { name: string }) => name),
    names,
  );
  for (const entry of index.skills) {
    assert.deepEqual(Object.keys(entry), ['name', 'type', 'description', 'url', 'digest']);
    const url = new URL(entry.url, `${address}/.well-known/agent-skills/index.json`);
    const artifact = get(url.pathname);
    assert.ok(artifact, entry.url);
    assert.equal(entry.digest, `sha256:${createHash('sha256').update(artifact.body).digest('hex')}`);
  }
});

test('an archive holds the files of the skill, sorted, without a dot before their names, and with this address in them', (t) => {
  const get = pagesOver();
  for (const name of names) {
    const folder = temporary(t);
    const file = join(folder, 'skill.tar.gz');
    const { mediaType, body } = get(`/.well-known/agent-skills/${name}.tar.gz`) ?? {};
    assert.equal(mediaType, 'application/gzip');
    writeFileSync(file, body ?? '');
    const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trimEnd().split('\n');
    assert.equal(listed[0], 'SKILL.md');
    assert.deepEqual(listed, [...listed].sort());
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    for (const one of listed) {
      const text = readFileSync(join(folder, one), 'utf8');
      assert.equal(text, get(`/.well-known/skills/${name}/${one}`)?.body, one);
      assert.ok(!text.includes('http://localhost:8080'), one);
    }
  }
  assert.match(String(get('/.well-known/skills/engagelab-otp-send/SKILL.md')?.body), /https:\/\/otp\.example\.com/);
});

test('the older index lists the files of each skill, and each is there', () => {
  const get = pagesOver();
  const { skills } = JSON.parse(String(get('/.well-known/skills/index.json')?.body));
  assert.equal(skills.length, names.length);
  for (const { name, files } of skills) {
    assert.ok(files.includes('SKILL.md'));
    for (const file of files) assert.equal(get(`/.well-known/skills/${name}/${file}`)?.status, 200, file);
  }
});

test('the same skills give the same bytes', () => {
  const path = '/.well-known/agent-skills/engagelab-otp-send.tar.gz';
  assert.deepEqual(pagesOver()(path)?.body, pagesOver()(path)?.body);
  assert.notDeepEqual(pagesOver()(path)?.body, pagesOver(undefined, 'https://other.example.com')(path)?.body);
});

test('a skill of one file is served as that file', (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, 'small'));
  writeFileSync(join(folder, 'small', 'SKILL.md'), '---\nname: small\ndescription: Use when small.\n---\n');
  const get = pagesOver(folder);
  const [entry] = JSON.parse(String(get('/.well-known/agent-skills/index.json')?.body)).skills;
  assert.deepEqual([entry.type, entry.url, entry.description], ['skill-md', 'small/SKILL.md', 'Use when small.']);
  assert.equal(get('/.well-known/agent-skills/small/SKILL.md')?.mediaType, 'text/markdown');
  assert.equal(get('/.well-known/agent-skills/small.tar.gz'), null);
});

test('without a folder the index is empty', (t) => {
  const get = pagesOver(join(temporary(t), 'absent'));
  assert.deepEqual(JSON.parse(String(get('/.well-known/skills/index.json')?.body)), { skills: [] });
});

onEachApp('the skills over HTTP', (get) => {
  test('GET and HEAD without a credential, open to every origin, kept with an ETag, and 404 for what is not there', async () => {
    const { app, call } = get();
    const ask = (path: string, headers = {}) => call({ path, credential: null, headers });
    const index = await ask('/.well-known/agent-skills/index.json');
    assert.equal(index.status, 200);
    assert.equal(index.headers['access-control-allow-origin'], '*');
    assert.match(String(index.headers['cache-control']), /max-age/);
    const [first] = index.body.skills;
    const path = `/.well-known/agent-skills/${first.url}`;
    const archive = await ask(path);
    assert.deepEqual([archive.status, archive.headers['content-type']], [200, 'application/gzip']);
    const head = await app.frontDoor.inject({ method: 'HEAD', url: path });
    assert.deepEqual([head.statusCode, head.headers['etag'], head.body], [200, archive.headers['etag'], '']);
    assert.equal((await ask(path, { 'if-none-match': String(archive.headers['etag']) })).status, 304);
    for (const absent of ['absent.tar.gz', 'otp-operate/../../../package.json', '%2e%2e/package.json', '']) {
      assert.equal((await ask(`/.well-known/agent-skills/${absent}`)).status, 404, absent);
    }
  });
});
