/**
 * Words no file of the project may contain: paths of somebody's machine, hosts of package registries, marks of unfinished work.
 * The patterns are written so that this file does not contain what it forbids.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { projectFiles, root } from './project-files.mjs';

const forbidden = [
  { what: 'a path of one machine', pattern: /(?<![\w.)}\]-])\/(?:home|Users|root|work|workspaces?)\/[\w.-]/ },
  { what: 'a fixed temporary path; use os.tmpdir()', pattern: /(?<![\w.)}\]-])\/(?:var\/)?tmp\/[\w.-]/ },
  { what: 'the host of a package registry', pattern: /\bregistry\.(?:npm(?:js|mirror)|yarnpkg)\.\w|\bnpm\.pkg\.\w/i },
  { what: 'an installed address in the lockfile', pattern: /"resolved":\s*"http/ },
  { what: 'a mark of unfinished work', pattern: /\b(?:TO(?:DO)|FIX(?:ME)|XX(?:X))\b/ },
];
const binary = /\.(?:png|jpg|gif|ico|woff2?|wasm|gz|tgz|zip)$/;

/** One sentence per forbidden word in the text of one file. */
export function wordFaults(path, text) {
  return text
    .split('\n')
    .flatMap((line, index) =>
      forbidden.filter(({ pattern }) => pattern.test(line)).map(({ what }) => `${path}:${index + 1} contains ${what}`),
    );
}

if (import.meta.main) {
  const files = projectFiles().filter((path) => !binary.test(path));
  const faults = files.flatMap((path) => wordFaults(path, readFileSync(join(root, path), 'utf8')));
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${files.length} files read`);
}
