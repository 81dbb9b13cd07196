/**
 * The program: read the settings, open the database, migrate, wire the rooms, start the roles, stop in order on a signal.
 * Exit codes: 0 after a signal, 1 when it cannot run, 2 for a bad setting or a data directory that is in use or cannot be used.
 */
import { openApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { firstScreen } from './first-screen.ts';
import { DatabaseUnavailable } from './platform/db.ts';
import { DirectoryLocked, DirectoryUnusable } from './platform/directory-lock.ts';

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
  const { devSecret, operatorToken } = config;
  process.stdout.write(firstScreen(address, app.firstStart, app.operators, { devSecret, operatorToken }));
}

function fail(error: unknown): void {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.faults.join('\n')}\n`);
    process.exit(2);
  }
  if (error instanceof DirectoryLocked || error instanceof DirectoryUnusable) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  if (error instanceof DatabaseUnavailable) {
    process.stderr.write(`The database cannot be used: ${reasonOf(error.cause)}.\n`);
    process.exit(1);
  }
  process.stderr.write(
    `The server cannot run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}

/** What the driver or the system said; neither repeats the address of the database with its password. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.map(reasonOf).join(', ');
  const { code, message = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  return code === undefined || message.includes(code) ? message || 'no reason was given' : `${message} (${code})`;
}

main().catch(fail);
