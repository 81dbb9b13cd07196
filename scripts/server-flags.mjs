/** What Node is told when it runs the product. */
import { join } from 'node:path';
import { root } from './project-files.mjs';

/**
 * How V8 may use memory in the product's process. Left alone it sizes its heaps for the machine, not for the work: after some
 * ten thousand messages the process held twice the memory it needed. With these it works as fast and stays small (`npm run bench --
 * footprint`). A flag named in NODE_OPTIONS is left to whoever set it: a busy node may want a larger --max-old-space-size.
 */
const flags = ['--max-semi-space-size=8', '--max-old-space-size=512', '--v8-pool-size=1'];

export function serverFlags(nodeOptions = '') {
  return flags.filter((flag) => !nodeOptions.includes(flag.slice(0, flag.indexOf('='))));
}

/** Whether a command line of Node runs the product: its first file is the server's entry. */
export function runsTheServer(args) {
  const file = args.find((arg) => !arg.startsWith('-'));
  return file?.replaceAll('\\', '/').endsWith('server/src/main.ts') ?? false;
}

/**
 * Where Node keeps what it compiled: the sources are TypeScript, and reading them anew takes half of a start and some memory that
 * stays. Node says nothing and goes without where the folder cannot be written.
 */
export const compileCache = join(root, 'node_modules/.cache/compiled');
