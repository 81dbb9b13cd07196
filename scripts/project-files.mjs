/**
 * Which files belong to the project: what git tracks or would track, so that build results and data directories never count.
 * Runs on Node 18 too, because ensure-install.mjs uses it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Paths relative to `folder`, with forward slashes, in byte order; files deleted but not yet committed are left out. */
export function projectFiles(folder = root) {
  // A clone owned by another user, as in many containers, is read all the same.
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(join(folder, path)));
  return paths.sort();
}

/** Every file below `folder`, as full paths; none when the folder does not exist. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

/** Whether `path` is a test the runner has to run. */
export function isTestFile(path) {
  return /^(server\/src|sdks\/[^/]+\/test|smpp|e2e|bench|scripts)\/.*\.test\.(ts|mjs)$/.test(path);
}
