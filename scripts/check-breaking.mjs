/**
 * Compares the API description with that of the last release, docs/openapi.released.json, and fails on what breaks a client: something taken
 * away, a new demand on requests, fewer values, another type. What that is is said by the rules under `diff` in redocly.yaml.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { root } from './project-files.mjs';

const run = promisify(execFile);
const redocly = join(root, 'node_modules/@redocly/cli/bin/cli.js');

/** One sentence per change that breaks clients of `base`, and how many changes there are in all. */
export async function findBreaking(base, revision) {
  const args = [
    'diff',
    base,
    revision,
    '--format',
    'json',
    '--fail-on',
    'none',
    '--config',
    join(root, 'redocly.yaml'),
  ];
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { stdout, stderr } = await run(process.execPath, [redocly, ...args], {
    cwd: root,
    env,
    maxBuffer: 64 * 2 ** 20,
  });
  if (stderr.includes('No diff rules')) throw new Error(stderr);
  const { changes } = JSON.parse(stdout);
  const breaking = changes.filter(({ impact }) => impact === 'major');
  return { count: changes.length, breaking: breaking.map(describeChange) };
}

function describeChange({ path, verdicts }) {
  const where = path.replaceAll('~1', '/').replaceAll('~0', '~');
  return `${where} ${verdicts.map(({ ruleId, message }) => `${message} (${ruleId})`).join(' ')}`;
}

if (import.meta.main) {
  const { count, breaking } = await findBreaking('docs/openapi.released.json', 'docs/openapi.json');
  for (const sentence of breaking) console.log(sentence);
  if (breaking.length > 0) {
    console.log('Clients of the last release would break. CONTRIBUTING.md says what to do.');
    process.exitCode = 1;
  } else console.log(`${count} changes since the last release, none breaks a client`);
}
