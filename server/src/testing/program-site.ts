/**
 * What the tests that run programs of pages share: a server that listens, and a folder where programs find the clients of sdks/node and
 * sdks/python as if they had been installed, with the credentials of the server in their variables.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openTestApp, operatorToken, type TestApp, testCredential } from './app.ts';
import { openTestDatabase } from './database.ts';

const execute = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

export interface ProgramSite {
  app: TestApp['app'];
  base: string;
  write(name: string, text: string): void;
  /** Ends well, or rejects with what the program printed. */
  run(command: string, args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function openProgramSite(): Promise<ProgramSite> {
  await execute(process.execPath, ['build.mjs'], { cwd: join(repository, 'sdks/node') });
  const database = await openTestDatabase('pglite');
  const opened = await openTestApp(database, { env: { PORT: '0' } });
  const base = await opened.app.start();
  const folder = mkdtempSync(join(tmpdir(), 'otp-programs-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(repository, 'sdks/node'), join(folder, 'node_modules', 'engagelab-otp'), 'dir');
  // As npm installs it, so that `engagelab-otp` and `npm exec engagelab-otp` start the command line.
  const programs = join(folder, 'node_modules', '.bin');
  mkdirSync(programs);
  symlinkSync(join(repository, 'sdks/node/bin/engagelab-otp.cjs'), join(programs, 'engagelab-otp'));
  const [devKey = '', devSecret = ''] = testCredential.split(':');
  const env = {
    PATH: `${programs}:${process.env['PATH']}`,
    // What a page stores stays in the folder of the test.
    HOME: folder,
    npm_config_update_notifier: 'false',
    PYTHONPATH: join(repository, 'sdks/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    ENGAGELAB_BASE_URL: base,
    ENGAGELAB_DEV_KEY: devKey,
    ENGAGELAB_DEV_SECRET: devSecret,
    OPERATOR_TOKEN: operatorToken,
    APPLICATION_ID: opened.applicationId,
  };
  return {
    app: opened.app,
    base,
    write: (name, text) => writeFileSync(join(folder, name), text),
    async run(command, args) {
      const options = { cwd: folder, env, timeout: 100_000, maxBuffer: 50_000_000 };
      return (await execute(command, [...args], options)).stdout;
    },
    async close() {
      rmSync(folder, { recursive: true, force: true });
      await opened.close();
      await database.close();
    },
  };
}
