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
