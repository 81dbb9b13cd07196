/**
 * `npm test`: the checks, then every test with Node's own runner, whose summary ends the output.
 * A failed check does not hide the tests: it becomes one failing test (scripts/check.test.mjs), so one summary tells all.
 *
 *   npm test                  everything
 *   npm test -- limits codes  only the test files whose path contains one of the words, without the checks
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isTestFile, projectFiles, root } from './project-files.mjs';
import { compileCache } from './server-flags.mjs';

const globalSetup = join(root, 'server/src/testing/global-setup.ts');
/** A file that takes longer hangs: it left a timer, a socket or a process open. */
const timeoutMs = 600_000;

/** One more than a small machine has cores: those that kill servers wait for leases to lapse most of their time. */
const filesAtOnce = Math.max(3, availableParallelism());

/** An embedded database lives for seconds in a test; to optimize its compiled code took as much of the machine as the tests themselves. */
const quickCompile = ['--liftoff-only'];

/** Runs `files`; 0 only if the runner says 0 and its own counts say that tests ran and none failed. */
export function runTests(files, { setup, env = process.env, stdio = 'inherit' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'test-verdict-'));
  const verdictFile = join(folder, 'counts.json');
  const args = [
    ...quickCompile,
    '--test',
    `--test-concurrency=${filesAtOnce}`,
    `--test-timeout=${timeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'scripts/verdict-reporter.mjs')}`,
    `--test-reporter-destination=${verdictFile}`,
    ...(setup === undefined ? [] : [`--test-global-setup=${setup}`]),
    ...files,
  ];
  try {
    const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio });
    const { tests, failed, cancelled } = countsIn(verdictFile);
    return status === 0 && tests > 0 && failed === 0 && cancelled === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that broke off wrote nothing, which counts as no test. */
function countsIn(file) {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text === '' ? { tests: 0 } : JSON.parse(text);
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const files = projectFiles()
    .filter(isTestFile)
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)));
  if (files.length === 0) {
    console.error(`no test file matches ${words.join(', ')}`);
    process.exit(2);
  }
  // For all processes of all runs: a third of what a test file costs is reading the same sources.
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };
  if (words.length === 0) {
    const check = spawnSync(process.execPath, [join(root, 'scripts/check.mjs')], { cwd: root, stdio: 'inherit' });
    env.CHECK_RESULT = check.status === 0 ? 'passed' : 'failed';
  }
  const needsDatabases = files.some((path) => !path.startsWith('scripts/')) && existsSync(globalSetup);
  process.exitCode = runTests(files, { env, ...(needsDatabases && { setup: globalSetup }) });
}
