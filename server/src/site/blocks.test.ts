/**
 * Every code block of every hand-written page is run as it is served, against the server that serves it: shell with curl and the command
 * line, JavaScript with the client of sdks/node, Python with that of sdks/python. JSON is parsed, and an `answer` has the fields of what the
 * command before it printed. The first page of the repository is run too, for its commands are the same. What is not run stands in
 * docs/code-blocks.md.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { repository, whyNotRun } from '../testing/code-blocks.ts';
import { openProgramSite, type ProgramSite } from '../testing/program-site.ts';
import { hasPrograms } from '../testing/programs.ts';
import { type Block, blocksOf } from './fixture.ts';
import { localBase } from './samples.ts';

const readme = 'README.md';

/** The file of the repository a page comes from: what is not run is listed by it. */
function fileOf(path: string): string {
  if (path === readme) return readme;
  const page = `docs/site${path.replace(/^\/docs/, '') || '/index'}.md`;
  if (!existsSync(join(repository, page))) return path;
  const [, source] = /^source: (.*)$/m.exec(readFileSync(join(repository, page), 'utf8')) ?? [];
  return source === undefined ? page : `docs/${source}`;
}

/**
 * The program of the first page is part of an async function, and leaves one name open: what a person typed. It sends to a number of its
 * own, since the command beside it has left a living code at the other.
 */
const inFunction = (text: string): string =>
  `(async () => {\n${text
    .replace('userTypedCode', "await otp.sandbox.waitForCode('+6591234567', { messageId: message_id })")
    .replaceAll('+6591234567', '+6591234569')}\n})();`;

/** What `api` and `BASE` of docs/add-a-provider.md are; curl fails where the server refuses. */
const prelude = (base: string): string => `set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
BASE=${base}
api() { curl -sS -H "Authorization: Bearer $OPERATOR_TOKEN" -H 'Content-Type: application/json' "$@"; }
`;

describe('the code on the pages', () => {
  let site: ProgramSite;
  const pages = new Map<string, Block[]>();
  /** Pages made from the registry: their programs are run by samples.test.ts. */
  const made = new Map<string, Block[]>();

  before(async () => {
    site = await openProgramSite();
    const { base } = site;
    const list = await (await fetch(`${base}/llms.txt`)).text();
    for (const [, url = ''] of list.matchAll(/\((\S+)\.md\)/g)) {
      const blocks = blocksOf(await (await fetch(`${url}.md`)).text());
      const path = url.replace(base, '');
      (/^\/docs\/(api|errors|events)\//.test(path) ? made : pages).set(path, blocks);
    }
    const first = readFileSync(join(repository, readme), 'utf8').replaceAll(localBase, base);
    pages.set(readme, blocksOf(first));
    assert.ok(pages.size > 15 && made.size > 100, 'the pages were read');
  });
  after(() => site?.close());

  const isExempt = (path: string, { text }: Block): boolean =>
    whyNotRun(fileOf(path), text.replaceAll(site.base, localBase)) !== undefined;

  /** One script of all shell blocks of a page, since later ones use what earlier ones set; what each printed. */
  async function runShell(blocks: readonly Block[]): Promise<string[]> {
    if (blocks.length === 0) return [];
    const mark = '@@ next block @@';
    const script = blocks.map(({ text }) => `${text}\necho; echo '${mark}'`).join('\n');
    site.write('page.sh', prelude(site.base) + script);
    return (await site.run('bash', ['page.sh'])).split(mark);
  }

  test('every shell block passes, and prints an answer with the fields that the page shows', async (t) => {
    if (!hasPrograms(t, 'bash', 'curl')) return;
    let compared = 0;
    for (const [path, blocks] of pages) {
      const shell = blocks.filter((block) => block.language === 'sh' && !isExempt(path, block));
      const printed = await runShell(shell).catch((error: Error) => assert.fail(`${path}: ${error.message}`));
      for (const [i, block] of blocks.entries()) {
        if (block.mark !== 'answer') continue;
        const before = shell.indexOf(blocks[i - 1] as Block);
        assert.notEqual(before, -1, `${path}: an answer follows the command that prints it`);
        const last = printed[before]?.trim().split('\n').at(-1) ?? '';
        assert.deepEqual(shapeOf(JSON.parse(last)), shapeOf(JSON.parse(block.text)), `${path}: ${last}`);
        compared += 1;
      }
    }
    assert.ok(compared >= 4, String(compared));
  });

  test('every JavaScript block runs with the client, those for a browser compile', async () => {
    for (const [path, blocks] of pages) {
      for (const block of blocks.filter(({ language }) => language === 'js')) {
        const file = path === readme ? 'page.cjs' : 'page.mjs';
        site.write(file, path === readme ? inFunction(block.text) : block.text);
        const args = isExempt(path, block) ? ['--check', file] : [file];
        await site.run(process.execPath, args).catch((error: Error) => assert.fail(`${path}: ${error.message}`));
      }
    }
  });

  test('every Python block runs with the client', async (t) => {
    if (!hasPrograms(t, 'python3')) return;
    for (const [path, blocks] of pages) {
      // That of the first page is run by sdks/python/test/client.test.ts.
      if (path === readme) continue;
      for (const { text } of blocks.filter(({ language }) => language === 'python')) {
        site.write('page.py', text);
        await site.run('python3', ['page.py']).catch((error: Error) => assert.fail(`${path}: ${error.message}`));
      }
    }
  });

  test('every JSON block is JSON, and every other block is of a language that is run, or not run for a reason', () => {
    for (const [path, blocks] of [...pages, ...made]) {
      for (const block of blocks) {
        if (block.language === 'json') JSON.parse(block.text);
        else if (!['sh', 'js', 'python'].includes(block.language) && !made.has(path))
          assert.ok(isExempt(path, block), `${path}: ${block.language} ${block.text.slice(0, 40)}`);
      }
    }
  });
});

/** The names of all fields, in any depth. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, one]) => [key, shapeOf(one)])
      .sort(),
  );
}
