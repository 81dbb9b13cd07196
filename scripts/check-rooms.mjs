/**
 * Room rules: runs the dependency checker over the code and proves that it read all of it.
 * A checker that reads nothing finds nothing wrong, so every server module git knows must have been seen.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cruise } from 'dependency-cruiser';
import config, { rooms } from '../.dependency-cruiser.mjs';
import { projectFiles, root } from './project-files.mjs';

const looked = ['server/src', 'smpp', 'sdks', 'mcp', 'bench', 'e2e', 'scripts'];

/**
 * @param folder the tree to look at
 * @param mustSee module paths relative to `folder` that have to be among those read
 * @returns `{ seen, faults }`: how many modules were read, and one sentence per fault
 */
export async function checkRooms(folder, mustSee) {
  const where = looked.filter((path) => existsSync(join(folder, path)));
  const options = { ...config.options, baseDir: folder, validate: true, ruleSet: { forbidden: config.forbidden } };
  const { output } = await cruise(where, options);
  const seen = new Set(output.modules.map((module) => module.source));
  return {
    seen: seen.size,
    faults: [
      ...mustSee.filter((path) => !seen.has(path)).map((path) => `${path} was not read by the dependency checker`),
      ...unknownRooms(mustSee),
      ...output.summary.violations.map(describe),
    ],
  };
}

function unknownRooms(paths) {
  const found = new Set(paths.map((path) => /^server\/src\/([^/]+)\//.exec(path)?.[1]));
  return [...found]
    .filter((name) => name !== undefined && name !== 'testing' && !(name in rooms))
    .map((name) => `server/src/${name}/ has no row in the room table of .dependency-cruiser.mjs`);
}

function describe({ rule, from, to, cycle }) {
  const reason = config.forbidden.find(({ name }) => name === rule.name)?.comment ?? '';
  const path = cycle ? [from, ...cycle.map(({ name }) => name)].join(' → ') : from === to ? from : `${from} → ${to}`;
  return `${rule.name}: ${path}. ${reason}`;
}

if (import.meta.main) {
  const modules = projectFiles().filter((path) => /^server\/src\/.*\.ts$/.test(path));
  const { seen, faults } = await checkRooms(root, modules);
  if (modules.length === 0) faults.push('server/src has no module at all');
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${seen} modules read, all ${modules.length} of server/src among them`);
}
