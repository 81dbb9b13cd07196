/**
 * The program: read the settings, open the database, migrate, wire the rooms, start the roles, stop in order on a signal.
 * Exit codes: 0 after a signal, 1 when it cannot run, 2 for a bad setting or a data directory in use.
 */
import { openApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { firstScreen } from './first-screen.ts';
import { DirectoryLocked } from './platform/directory-lock.ts';

const hardStopMs = 9_500;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const app = await openApp(config);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    // Whatever hangs, the promise of ten seconds holds.
    setTimeout(() => process.exit(1), hardStopMs).unref();
    app.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const address = await app.start();
  process.stdout.write(firstScreen(address, app.firstStart, app.operators));
}

function fail(error: unknown): void {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.faults.join('\n')}\n`);
    process.exit(2);
  }
  if (error instanceof DirectoryLocked) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  process.stderr.write(
    `The server cannot run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}

main().catch(fail);
