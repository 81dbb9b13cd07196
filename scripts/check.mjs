/**
 * `npm run check`: everything that can be said about the code without running it, one line per stage.
 * Two stages run at a time; the lines come in the order in which stages end. What a failing stage printed follows its line.
 *
 *   npm run check            all stages
 *   npm run check -- rooms   only those named
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { wantedMajor } from './ensure-install.mjs';
import { root } from './project-files.mjs';

const atOnce = 2;

/** A stage is a Node script with its arguments; `needs` is a file without which there is nothing to check yet. */
const stages = [
  { name: 'types', run: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'], needs: 'server/src' },
  { name: 'style', run: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '--colors=off'] },
  { name: 'unused', run: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { name: 'rooms', run: ['scripts/check-rooms.mjs'] },
  { name: 'generated', run: ['scripts/generate.mjs', '--check'] },
  { name: 'breaking', run: ['scripts/check-breaking.mjs'] },
  { name: 'tests', run: ['scripts/check-tests.mjs'] },
  { name: 'words', run: ['scripts/check-words.mjs'] },
].filter(({ needs }) => needs === undefined || existsSync(join(root, needs)));

/** Runs one stage; resolves to its result and never rejects. */
function runStage({ name, run }) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const [script, ...args] = run;
    const child = spawn(process.execPath, [join(root, script), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (code) => resolve({ name, passed: code === 0, output, tookMs: performance.now() - startedAt }));
  });
}

function report({ name, passed, output, tookMs }) {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  console.log(
    `${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${passed ? last : ''}`.trimEnd(),
  );
  if (!passed) console.log(output.trimEnd());
}

async function main(names) {
  if (Number.parseInt(process.versions.node, 10) < wantedMajor) {
    console.log(`FAIL node: ${wantedMajor} or newer is needed, this is ${process.versions.node}; use "npm run check".`);
    return 1;
  }
  console.log(`ok   node       ${process.versions.node}`);
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.log(`no such stage: ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const waiting = stages.filter(({ name }) => names.length === 0 || names.includes(name));
  let failed = 0;
  const lane = async () => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift()) {
      const result = await runStage(stage);
      report(result);
      if (!result.passed) failed += 1;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, lane));
  const tookS = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(failed === 0 ? `check passed in ${tookS} s` : `check: ${failed} failed in ${tookS} s`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
