/**
 * `npm test`: the checks, then every test with Node's own runner, whose summary ends the output.
 * A failed check does not hide the tests: it becomes one failing test (scripts/check.test.mjs), so one summary tells all.
 *
 *   npm test                  everything
 *   npm test -- limits codes  only the test files whose path contains one of the words, without the checks
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isTestFile, projectFiles, root } from './project-files.mjs';

const globalSetup = 'server/src/testing/global-setup.ts';
/** A file that takes longer hangs: it left a timer, a socket or a process open. */
const timeoutMs = 600_000;

const words = process.argv.slice(2);
const files = projectFiles()
  .filter(isTestFile)
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(', ')}`);
  process.exit(2);
}

const env = { ...process.env };
if (words.length === 0) env.CHECK_RESULT = run(['scripts/check.mjs']) === 0 ? 'passed' : 'failed';
const needsDatabases = files.some((path) => !path.startsWith('scripts/')) && existsSync(join(root, globalSetup));
process.exitCode = run([
  '--test',
  `--test-concurrency=${Math.max(2, availableParallelism() - 1)}`,
  `--test-timeout=${timeoutMs}`,
  ...(needsDatabases ? [`--test-global-setup=${globalSetup}`] : []),
  ...files,
]);

function run(args) {
  const { status, signal } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  return signal === null ? status : 1;
}
