// The Python of this machine, and a process of it that does what tests ask. A machine without Python runs the rest of the tests:
// then each test here says what it did not run and how to have it run.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** The first Python of 3.8 or later on the path, or undefined. */
export const python = ['python3', 'python'].find(
  (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0,
);

/** Whether there is a Python; if not, the test says so and names the remedy. */
export function hasPython(t: TestContext): boolean {
  if (python === undefined) t.diagnostic('nothing was run: install Python 3.8 or later as python3 to test sdks/python');
  return python !== undefined;
}

export interface PythonError {
  [field: string]: unknown;
  code: number;
  message: string;
  retry_after: number | null;
  /** All that printing it would show. */
  text: string;
  chained: boolean;
}

export interface Answer {
  ok?: unknown;
  error?: PythonError;
  fault?: string;
}

export interface Driver {
  ask(question: object): Promise<Answer>;
  /** Events that a receiver made by `serve` was given. */
  events: Record<string, unknown>[];
  stop(): void;
}

/** Variables that would give a test what it did not ask for stay out. */
const clean = { PATH: process.env['PATH'], HOME: process.env['HOME'], PYTHONDONTWRITEBYTECODE: '1' };

export function startDriver(): Driver {
  const child = spawn(python ?? 'python3', ['test/driver.py'], {
    cwd: packageRoot,
    env: { ...clean, PYTHONPATH: packageRoot },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((answer: Answer) => void)[] = [];
  const events: Record<string, unknown>[] = [];
  createInterface(child.stdout).on('line', (line) => {
    const { event, ...answer } = JSON.parse(line);
    if (event) events.push(event);
    else waiting.shift()?.(answer);
  });
  child.on('close', () => {
    for (const resolve of waiting.splice(0)) resolve({ fault: 'the driver ended' });
  });
  return {
    events,
    ask(question) {
      return new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(question)}\n`);
      });
    },
    stop: () => void child.kill(),
  };
}

/** Runs a Python program to its end with the package at hand. */
export function runPython(
  args: string[],
  { variables = {}, input = '' }: { variables?: Record<string, string>; input?: string } = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(python ?? 'python3', args, {
      cwd: packageRoot,
      env: { ...clean, PYTHONPATH: packageRoot, ...variables },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}
