// The command line as people start it: the compiled program as a process of its own, with nothing of this process's settings.
// Everything that any of them ever printed is kept, so that a test file can look for secrets in it at its end.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/main.ts';
import { packageRoot } from './consumer.ts';

export const bin = join(packageRoot, 'bin', 'engagelab-otp.cjs');

export interface CliRun {
  code: number | null;
  out: string;
  err: string;
}

export type Cli = ReturnType<typeof openCli>;

/** `variables` are what all runs see. Close it at the end of the file. */
export function openCli(variables: Record<string, string> = {}) {
  const home = mkdtempSync(join(tmpdir(), 'engagelab-otp-cli-'));
  let transcript = '';
  const environment = (more: Record<string, string | undefined>): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: home,
    ...variables,
    ...more,
  });

  /** Not waited for; `seen` is what it printed so far. */
  function start(
    args: readonly string[],
    env: Record<string, string | undefined> = {},
    program = [process.execPath, bin],
  ) {
    const [file = '', ...first] = program;
    const child: ChildProcess = spawn(file, [...first, ...args], { cwd: home, env: environment(env), stdio: 'pipe' });
    const seen = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen.out += text;
      transcript += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      seen.err += text;
      transcript += text;
    });
    child.stdin?.on('error', () => undefined);
    const ended = new Promise<CliRun>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, ...seen }));
    });
    return { child, seen, ended };
  }

  return {
    home,
    start,
    run(
      args: readonly string[],
      { input = '', env = {} }: { input?: string; env?: Record<string, string | undefined> } = {},
    ) {
      const { child, ended } = start(args, env);
      child.stdin?.end(input);
      return ended;
    },
    /** At a terminal: each answer is typed when its question stands there. What the terminal shows comes as `out`. */
    type(args: readonly string[], answers: readonly (readonly [string, string])[], env: Record<string, string> = {}) {
      const program = ['python3', '-c', atTerminal, JSON.stringify(answers), process.execPath, bin];
      const { child, ended } = start(args, { TERM: 'xterm', ...env }, program);
      child.stdin?.end();
      return ended;
    },
    /** No run has ever printed one of these. */
    assertNeverPrinted(...secrets: string[]) {
      assert.ok(transcript.length > 1000, 'the output was kept');
      for (const secret of secrets) {
        assert.ok(secret.length > 7, 'long enough to mean something');
        assert.ok(!transcript.includes(secret), `${secret.slice(0, 3)}… was printed`);
      }
    },
    /** How often a text was printed, over all runs. */
    timesPrinted: (text: string): number => transcript.split(text).length - 1,
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** Runs argv[2:] at a pseudo terminal and passes on what it shows and its exit code. */
const atTerminal = `
import json, os, pty, sys
answers = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    os.write(1, piece)
    if answers and answers[0][0].encode() in shown:
        os.write(terminal, answers.pop(0)[1].encode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** A command inside this process, at a terminal whose colours are visible as `<green:…>`. */
export async function runHere(words: readonly string[], env: Record<string, string>): Promise<CliRun> {
  const seen = { out: '', err: '' };
  const code = await run(words, {
    env: { HOME: '/nonexistent', ENGAGELAB_CREDENTIALS_FILE: '/nonexistent', ...env },
    json: words.includes('--json'),
    stdin: process.stdin,
    gone: new AbortController().signal,
    out: (text) => {
      seen.out += text;
    },
    err: (text) => {
      seen.err += text;
    },
    paint: (colour, text) => `<${colour}:${text}>`,
  });
  return { code, ...seen };
}

/** The one JSON document that was printed. */
// biome-ignore lint/suspicious/noExplicitAny: the document of any command
export function documentOf({ out }: CliRun): any {
  assert.match(out, /^[^\n]+\n$/, 'one line');
  return JSON.parse(out);
}

/** The one JSON document on standard error, and nothing on standard output. */
// biome-ignore lint/suspicious/noExplicitAny: the failure of any command
export function failureOf({ out, err }: CliRun): any {
  assert.equal(out, '');
  assert.match(err, /^[^\n]+\n$/, 'one line');
  return JSON.parse(err).error;
}

/** A port of this machine on which nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** What a proxy does to an answer on its way. */
export interface Tampering {
  headers?: Record<string, string>;
  /** Paths that it does not pass on: answered 404. */
  hides?: readonly string[];
}

/** A reverse proxy in front of a server. */
export async function startProxy(target: string, { headers = {}, hides = [] }: Tampering) {
  const server = createServer((incoming, outgoing) => {
    if (hides.some((path) => incoming.url?.startsWith(path))) {
      outgoing.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404</h1>');
      return;
    }
    const onward = request(target + incoming.url, { method: incoming.method, headers: incoming.headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...headers });
      reply.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Ends what is under way; new connections are taken. */
    cut: () => server.closeAllConnections(),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
