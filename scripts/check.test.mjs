/** Canaries: the checks must go red when there is something to find. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './project-files.mjs';
import { tempTree } from './temp-tree.mjs';

const biomeJson = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
const settings = JSON.stringify({ ...biomeJson, $schema: undefined, vcs: { enabled: false } });

/** Lints `files` with the project's own biome.json and returns the exit code and what was said. */
function lint(t, files) {
  const folder = tempTree(t, { 'biome.json': settings, ...files });
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [biome, 'lint', '--error-on-warnings', '--colors=off', '.'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  return { status, said: stdout + stderr };
}

const saver = 'export async function save(): Promise<void> {\n  await Promise.resolve();\n}\n';

test('the checks that ran before the tests passed', () => {
  assert.notEqual(process.env.CHECK_RESULT, 'failed', 'see the output of "npm run check" above the tests');
});

test('lint finds a promise nobody waits for, also when the function comes from another file', (t) => {
  const { status, said } = lint(t, {
    'save.ts': saver,
    'use.ts': "import { save } from './save.ts';\n\nexport function use(): void {\n  save();\n}\n",
  });
  assert.notEqual(status, 0);
  assert.match(said, /use\.ts.*noFloatingPromises/);
});

test('lint finds a promise used as a condition', (t) => {
  const { status, said } = lint(t, {
    'save.ts': `${saver}\nexport function use(): string {\n  if (save()) return 'saved';\n  return '';\n}\n`,
  });
  assert.notEqual(status, 0);
  assert.match(said, /noMisusedPromises/);
});

test('lint accepts a promise that is awaited', (t) => {
  const { status, said } = lint(t, {
    'save.ts': saver,
    'use.ts': "import { save } from './save.ts';\n\nexport async function use(): Promise<void> {\n  await save();\n}\n",
  });
  assert.equal(status, 0, said);
});

const many = (count, line) => Array.from({ length: count }, (_, index) => line(index)).join('\n');

for (const [what, rule, files] of [
  [
    'a function of more than 80 lines',
    'noExcessiveLinesPerFunction',
    {
      'long.ts': `export function long(list: number[]): void {\n${many(81, (n) => `  list.push(${n});`)}\n}\n`,
    },
  ],
  [
    'a file of more than 400 lines',
    'noExcessiveLinesPerFile',
    { 'long.ts': `${many(401, (n) => `export const a${n} = ${n};`)}\n` },
  ],
  ['the type any', 'noExplicitAny', { 'any.ts': 'export const anything: any = 1;\n' }],
  ['a file name that is not kebab-case', 'useFilenamingConvention', { 'sendOtp.ts': 'export const a = 1;\n' }],
  [
    'a value import used as a type',
    'useImportType',
    {
      'shape.ts': 'export interface Shape {\n  size: number;\n}\n',
      'use.ts': "import { Shape } from './shape.ts';\n\nexport const size = (shape: Shape): number => shape.size;\n",
    },
  ],
  [
    'an import cycle',
    'noImportCycles',
    {
      'left.ts': "import { right } from './right.ts';\n\nexport const left = (): number => right();\n",
      'right.ts': "import { left } from './left.ts';\n\nexport const right = (): number => left();\n",
    },
  ],
  ['a console call in the server', 'noConsole', { 'server/src/events/index.ts': "console.log('hello');\n" }],
]) {
  test(`lint finds ${what}`, (t) => {
    const { status, said } = lint(t, files);
    assert.notEqual(status, 0);
    assert.ok(said.includes(rule), said);
  });
}
