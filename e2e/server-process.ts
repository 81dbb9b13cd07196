/**
 * The product as a real process, for tests that kill it. It listens on 127.0.0.1, on a free port unless the test names one, and
 * never outlives the test process. `output` is everything it ever wrote, so that a failure can be read.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../server/src/main.ts', import.meta.url));

export interface ServerProcess {
  child: ChildProcess;
  address: string;
  stdout(): string;
  stderr(): string;
  /** SIGKILL, as a crash; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code, null if a signal ended it. */
  stop(): Promise<number | null>;
  isRunning(): boolean;
}

/** The process ended before it was ready. */
export class StartFailed extends Error {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  constructor(exitCode: number | null, stdout: string, stderr: string) {
    super(`ended with ${exitCode}: ${stdout}${stderr}`);
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** Starts without waiting for anything; `env` is all the process sees besides PATH and where compiled sources are kept. */
export function launchServer(env: Record<string, string>) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [main], {
    // Not the repository: what the program serves and reads it finds from anywhere.
    cwd: tmpdir(),
    env: {
      PATH,
      ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }),
      LOG_LEVEL: 'warn',
      PORT: '0',
      METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  const killOnExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  // Not `exit`: what was written last may be read after it.
  const gone = once(child, 'close').then(([code]) => {
    process.off('exit', killOnExit);
    return code as number | null;
  });
  return { child, written, gone };
}

/** Resolves when the ready line was printed; rejects with StartFailed when the process ends before. */
export async function startServer(env: Record<string, string>): Promise<ServerProcess> {
  const { child, written, gone } = launchServer(env);
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^ready (\S+)$/.exec(line);
      if (ready?.[1]) resolve(ready[1]);
    });
    void gone.then((code) => reject(new StartFailed(code, written.stdout, written.stderr)));
  });
  return {
    child,
    address,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    stop() {
      child.kill('SIGTERM');
      return gone;
    },
  };
}
