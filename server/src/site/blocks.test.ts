/**
 * Every code block of every hand-written page is run as it is served, against the server that serves it: shell with curl, JavaScript with
 * the client of sdks/node, Python with that of sdks/python. JSON is parsed, and an `answer` has the fields of what the command before it
 * printed. What is not run stands in `exempt` with the reason.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openProgramSite, type ProgramSite } from '../testing/program-site.ts';
import { hasPrograms } from '../testing/programs.ts';
import { type Block, blocksOf } from './fixture.ts';

/** By page: how a block begins, and why it is not run. */
const exempt: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  '/docs/ai': [
    ['npx skills add', 'installs on the machine; run by e2e/skills-install.test.ts'],
    ['[mcp_servers.otp]', 'TOML, a setting of Codex'],
  ],
  '/docs/quick-start': [['export ENGAGELAB_BASE_URL', 'sets the address and the pair, which the test has set']],
  '/docs/webotp': [
    ['<input', 'HTML'],
    ["if ('OTPCredential'", 'runs in a browser; it is compiled'],
  ],
  '/docs/self-hosting': [['export DATABASE_URL', 'starts a server on a database of its own']],
  '/docs/callbacks': [
    ['OUTBOUND_ALLOW', 'starts a server'],
    ['curl -sN', 'a stream that does not end'],
    ['import { createServer }', 'run by sdks/node/test/callbacks-page.test.ts'],
    ['import { createHmac', 'run by sdks/node/test/callbacks-page.test.ts'],
  ],
  '/docs/pre-send-hook': [
    ['PUT /admin', 'a request as text; its body is parsed by server/src/presend/document.test.ts'],
  ],
  '/docs/add-a-provider': [
    ['api $BASE/admin/v1/providers -d', 'needs an account at an upstream'],
    ['api $BASE/admin/v1/providers/example-main/test', 'sends a real message'],
    ['api $BASE/admin/v1/routes', 'needs the provider of the step before'],
  ],
  '/docs/pricing': [
    ['api $BASE/admin/v1/prices', 'prices of a provider that only its page names'],
    ['api $BASE/admin/v1/price-list', 'needs jq'],
    ['provider,channel', 'CSV'],
  ],
};

/** What `api` and `BASE` of docs/add-a-provider.md are; curl fails where the server refuses. */
const prelude = (base: string): string => `set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
BASE=${base}
api() { curl -sS -H "Authorization: Bearer $OPERATOR_TOKEN" -H 'Content-Type: application/json' "$@"; }
`;

describe('the code on the pages', () => {
  let site: ProgramSite;
  const pages = new Map<string, Block[]>();

  before(async () => {
    site = await openProgramSite();
    const { base } = site;
    const list = await (await fetch(`${base}/llms.txt`)).text();
    for (const [, url = ''] of list.matchAll(/\((\S+)\.md\)/g)) {
      const path = url.replace(base, '');
      if (/^\/docs\/(api|errors|events)\//.test(path)) continue;
      pages.set(path, blocksOf(await (await fetch(`${url}.md`)).text()));
    }
    assert.ok(pages.size > 15, 'the pages were read');
  });
  after(() => site?.close());

  const isExempt = (path: string, { text }: Block): boolean =>
    (exempt[path] ?? []).some(([begin]) => text.startsWith(begin));

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
        site.write('page.mjs', block.text);
        const args = isExempt(path, block) ? ['--check', 'page.mjs'] : ['page.mjs'];
        await site.run(process.execPath, args).catch((error: Error) => assert.fail(`${path}: ${error.message}`));
      }
    }
  });

  test('every Python block runs with the client', async (t) => {
    if (!hasPrograms(t, 'python3')) return;
    for (const [path, blocks] of pages) {
      for (const { text } of blocks.filter(({ language }) => language === 'python')) {
        site.write('page.py', text);
        await site.run('python3', ['page.py']).catch((error: Error) => assert.fail(`${path}: ${error.message}`));
      }
    }
  });

  test('every JSON block is JSON, every other block is of a known language or exempt, and nothing is exempt for nothing', () => {
    for (const [path, blocks] of pages) {
      for (const block of blocks) {
        if (block.language === 'json') JSON.parse(block.text);
        else if (!['sh', 'js', 'python'].includes(block.language))
          assert.ok(isExempt(path, block), `${path}: ${block.language} ${block.text.slice(0, 40)}`);
      }
    }
    for (const [path, list] of Object.entries(exempt))
      for (const [begin] of list)
        assert.ok(
          pages.get(path)?.some(({ text }) => text.startsWith(begin)),
          `${path}: no block begins with ${begin}`,
        );
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
