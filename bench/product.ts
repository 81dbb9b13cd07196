/** Starts the servers a benchmark measures, as processes of their own, and runs the load against them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compileCache, serverFlags } from '../scripts/server-flags.mjs';

export const key = 'dk_bench';
export const secret = 'secret-of-the-benchmark';
export const operatorToken = 'operator-token-of-the-benchmark';
/** What every draw gives in a benchmark, so that the load knows it. */
export const code = '482913';

export interface Running {
  address: string;
  child: ChildProcess;
  readyMs: number;
  stop(): Promise<void>;
}

/** Runs a file of this folder (or of the repository) until it prints `ready ADDRESS`. */
export async function run(file: string, env: Record<string, string> = {}): Promise<Running> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...serverFlags(), fileURLToPath(new URL(file, import.meta.url))], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compileCache,
      LOG_LEVEL: 'error',
      PORT: '0',
      METRICS_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killOnExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^ready (\S+)$/.exec(line);
      if (ready?.[1]) resolve(ready[1]);
    });
    child.once('exit', (exitCode) => reject(new Error(`${file} ended with ${exitCode}`)));
  });
  return {
    address,
    child,
    readyMs: performance.now() - startedAt,
    async stop() {
      process.off('exit', killOnExit);
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export interface Load {
  pairs: number;
  failures: number;
  seconds: number;
}

export interface LoadOptions {
  connections: number;
  seconds: number;
  /** Eight digits behind +65; each pair takes the next. */
  firstNumber: number;
  /** Ends after so many pairs; 0: only the time ends it. */
  pairs?: number;
  /** `key:secret`, where it is not the first application's. */
  credential?: string;
  /** Each pair tells an address and a device of its own. */
  signals?: boolean;
}

export async function load(
  address: string,
  { connections, seconds, firstNumber, pairs = 0, credential = `${key}:${secret}`, signals = false }: LoadOptions,
): Promise<Load> {
  const told = signals ? 'yes' : 'no';
  const args = [address, credential, connections, seconds, firstNumber, code, pairs, told].map(String);
  const child = spawn(process.execPath, [fileURLToPath(new URL('load.ts', import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  return JSON.parse(output) as Load;
}

/** The product's own environment: fixed credentials, codes that the load knows. */
export const productEnv = { ENGAGELAB_DEV_KEY: key, ENGAGELAB_DEV_SECRET: secret, OPERATOR_TOKEN: operatorToken };

/** Lifts the throttle of the key, which is not what is measured. */
export async function liftThrottle(address: string): Promise<void> {
  const headers = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' };
  const organizations = (await (await fetch(`${address}/admin/v1/organizations`, { headers })).json()) as {
    organizations: { id: string }[];
  };
  for (const { id } of organizations.organizations) {
    const list = (await (await fetch(`${address}/admin/v1/organizations/${id}/applications`, { headers })).json()) as {
      applications: { id: string }[];
    };
    for (const application of list.applications) {
      await fetch(`${address}/admin/v1/applications/${application.id}/policy`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ request_rate: 10_000_000 }),
      });
    }
  }
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export interface Figure {
  value: number;
  aim: number;
  ok: boolean;
}

export const atLeast = (value: number, aim: number): Figure => ({ value: round(value), aim, ok: value >= aim });
export const atMost = (value: number, aim: number): Figure => ({ value: round(value), aim, ok: value <= aim });
const round = (value: number): number => Math.round(value * 1000) / 1000;

/** The last line of every benchmark. */
export function conclude(bench: string, figures: Record<string, Figure>): void {
  process.stdout.write(`${JSON.stringify({ bench, figures })}\n`);
}
