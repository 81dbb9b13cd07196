import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeBlocksOf, notRun, repository, runBy, runnerOf, whyNotRun } from './code-blocks.ts';

const places = ['*.md', 'docs/**/*.md', 'skills/**/*.md', 'sdks/*/*.md', 'mcp/*.md', 'server/src/**/*.md'];
const blocks = globSync(places, { cwd: repository })
  .filter((file) => file !== 'docs/code-blocks.md')
  .sort()
  .flatMap(codeBlocksOf);

test('every code block of the repository is run by a test or listed with the reason why not', (t) => {
  for (const block of blocks) {
    const place = `${block.file}:${block.line}`;
    assert.ok(whyNotRun(block.file, block.text) ?? runnerOf(block), `nobody runs ${place} (${block.language})`);
    if (block.language === 'json') assert.doesNotThrow(() => JSON.parse(block.text), place);
  }
  const listed = blocks.filter(({ file, text }) => whyNotRun(file, text));
  const counts = runBy.map((runner) => {
    const own = blocks.filter((block) => !listed.includes(block) && runnerOf(block) === runner);
    return `${own.length} by ${runner.test} (${runner.languages.join(', ')})`;
  });
  t.diagnostic(`${blocks.length} blocks: ${counts.join('; ')}; ${listed.length} are not run:`);
  for (const { file, begins, why } of notRun) t.diagnostic(`${file}, ${begins.slice(0, 40)}: ${why}`);
  assert.ok(blocks.length > 100, String(blocks.length));
});

test('nothing is listed for nothing, and every test that is named exists', () => {
  for (const one of notRun) {
    const found = blocks.filter(({ file, text }) => whyNotRun(file, text) === one);
    assert.ok(found.length > 0, `${one.file}: no block begins with ${one.begins}`);
    assert.match(one.why, /\w{2}/, one.file);
  }
  const named = [
    ...runBy.map(({ test: path }) => path),
    ...notRun.flatMap(({ why }) => why.match(/[\w/-]+\.test\.ts/g) ?? []),
  ];
  for (const path of named) assert.ok(existsSync(join(repository, path)), path);
});
