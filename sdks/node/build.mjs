// Builds dist/: CommonJS and ES modules from the same sources, each with its own type declarations.
// Safe to call before anything that needs the package: sources are fingerprinted and an up-to-date dist is left alone.
// Each format is compiled aside and moved in whole, so a failed build leaves the last good one standing.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, 'dist');
const stampFile = join(dist, '.sources');

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function fingerprint() {
  const settings = ['package.json', 'tsconfig.cjs.json', 'tsconfig.esm.json', '../../tsconfig.json', 'build.mjs'];
  const hash = createHash('sha256');
  for (const file of [...filesUnder(join(here, 'src')).sort(), ...settings.map((name) => join(here, name))]) {
    hash.update(relative(here, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

async function compile(format, folder) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const outDir = join(folder, format);
  const project = join(here, `tsconfig.${format}.json`);
  await promisify(execFile)(process.execPath, [tsc, '-p', project, '--outDir', outDir]);
  // Without this marker Node would read both folders as the package's own "type".
  writeFileSync(join(outDir, 'package.json'), `{ "type": "${format === 'cjs' ? 'commonjs' : 'module'}" }\n`);
}

async function build() {
  const stamp = fingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const fresh = join(dist, `fresh-${process.pid}`);
  try {
    mkdirSync(fresh, { recursive: true });
    await Promise.all([compile('cjs', fresh), compile('esm', fresh)]);
    rmSync(stampFile, { force: true });
    for (const format of ['cjs', 'esm']) {
      rmSync(join(dist, format), { recursive: true, force: true });
      renameSync(join(fresh, format), join(dist, format));
    }
    writeFileSync(stampFile, stamp);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

try {
  await build();
} catch (error) {
  console.error(error.stdout || error);
  process.exitCode = 1;
}
