#!/usr/bin/env node
// Starts the command line. Written for any Node, so that one that is too old is told so instead of a syntax error; in a copy of the
// repository it builds what is not built yet.
const [major, minor] = process.versions.node.split('.').map(Number);

function built() {
  try {
    return require.resolve('../dist/cjs/cli/main.js');
  } catch (_) {
    require('node:child_process').spawnSync(process.execPath, [require('node:path').join(__dirname, '../build.mjs')], {
      stdio: ['ignore', 2, 2],
    });
    return require.resolve('../dist/cjs/cli/main.js');
  }
}

if (major < 18 || (major === 18 && minor < 3)) {
  process.stderr.write(
    `engagelab-otp needs Node 18.3 or newer, this is ${process.versions.node}; the client library itself runs on Node 14.\n`,
  );
  process.exitCode = 2;
} else {
  // Node 18 warns of its own fetch on standard error, where a failure with --json is the one document.
  process.removeAllListeners('warning');
  require(built()).main();
}
