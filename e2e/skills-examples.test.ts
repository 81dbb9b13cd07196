// Every fenced block of every skill runs as it stands against a running server, with magic recipients. What cannot run is listed
// with the reason in docs/code-blocks.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { makeProject, packageRoot, run } from '../sdks/node/test/support/consumer.ts';
import { hasPython, python, packageRoot as pythonPackage, runPython } from '../sdks/python/test/python.ts';
import { createSigningSecret, signedHeaders } from '../server/src/platform/webhook-signature.ts';
import { whyNotRun } from '../server/src/testing/code-blocks.ts';
import { until } from '../server/src/testing/until.ts';
import { devKey, devSecret, firstApplication, keyClient, operatorToken } from './client.ts';
import { openSite } from './site.ts';
import { allBlocks, type Block, skillsFolder } from './skill-files.ts';

/** Skills whose examples need a key that may write templates and read messages; the others use the public sandbox pair. */
const withOwnKey = ['otp-channel-advisor', 'otp-diagnose', 'otp-operate', 'otp-templates'];

const blocks = allBlocks();
const isNotRun = ({ skill, file, text }: Block): boolean => whyNotRun(`skills/${skill}/${file}`, text) !== undefined;
const placeOf = ({ skill, file, line }: Block): string => `${skill}/${file}:${line}`;

before(async () => assert.deepEqual(await run(packageRoot, ['build.mjs']), { code: 0, output: '' }));

test('every block is of a kind that is run', () => {
  for (const block of blocks) {
    assert.ok(['js', 'python', 'sh', 'json'].includes(block.language), `${placeOf(block)} is ${block.language}`);
    assert.match(block.note, /^$|^receiver$|^POST \/\S+$/, placeOf(block));
  }
  assert.ok(blocks.length >= 30, `${blocks.length} blocks`);
});

test('every block runs against a running server', async (t) => {
  const { address, variablesOf } = await openServer(t);
  let ran = 0;
  for (const block of blocks) {
    if (isNotRun(block) || block.note === 'receiver') continue;
    if (block.language === 'python' && !hasPython(t)) continue;
    const { code, output } = await runBlock(t, block, address, variablesOf(block.skill));
    assert.equal(code, 0, `${placeOf(block)}\n${output}`);
    ran += 1;
  }
  t.diagnostic(`${ran} blocks of ${blocks.length} were run here`);
});

test('what the examples of a check print is what their comments say', async (t) => {
  const { address, variablesOf } = await openServer(t);
  const said = ['wrong, 4 left', 'in', 'send a new code (already_verified)'];
  for (const block of blocks.filter(({ skill, file }) => skill === 'engagelab-otp-verify' && file === 'SKILL.md')) {
    if (block.language === 'sh' || (block.language === 'python' && !hasPython(t))) continue;
    const { output } = await runBlock(t, block, address, variablesOf(block.skill));
    assert.deepEqual(output.trim().split('\n'), said, placeOf(block));
  }
});

for (const block of blocks.filter(({ note }) => note === 'receiver')) {
  test(`the receiver in ${block.language} takes what is signed, once, and refuses the rest`, async (t) => {
    if (block.language === 'python' && !hasPython(t)) return;
    const secret = createSigningSecret();
    const port = await freePort();
    const output = startReceiver(t, block, { PORT: String(port), ENGAGELAB_WEBHOOK_SIGNING_SECRET: secret });
    const status_data = { message_id: '7', sequence: 2 };
    const row = { message_id: '7', itime: 1, status: { message_status: 'delivered', status_data } };
    const body = JSON.stringify({ total: 1, rows: [row] });
    const post = async (text: string, nowMs = Date.now()): Promise<number> => {
      const headers = signedHeaders({ id: 'evt_2072832692843466759', nowMs, body, signingSecrets: [secret] });
      return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: text, headers })).status;
    };
    await until('it listens', () =>
      post(body).then(
        (status) => status === 200,
        () => false,
      ),
    );
    assert.equal(await post(body), 200, 'a repetition');
    assert.equal(await post(`${body} `), 401, 'another body');
    assert.equal(await post(body, Date.now() - 400_000), 401, 'a recorded one');
    await until('it printed', () => output().includes('delivered'));
    assert.match(output(), /^7 delivered [Tt]rue\n$/, 'handled once');
  });
}

async function openServer(t: TestContext) {
  const site = await openSite(t, 'pglite');
  const { address } = await site.start({ OUTBOUND_ALLOW: '127.0.0.1' });
  const application = await firstApplication(address);
  const variablesOf = (skill: string): Record<string, string> => ({
    ENGAGELAB_BASE_URL: address,
    ENGAGELAB_DEV_KEY: withOwnKey.includes(skill) ? devKey : 'sandbox_demo',
    ENGAGELAB_DEV_SECRET: withOwnKey.includes(skill) ? devSecret : 'sandbox_secret',
    ...(skill === 'otp-operate' && { OPERATOR_TOKEN: operatorToken, APPLICATION_ID: application }),
  });
  return { address, variablesOf };
}

async function runBlock(t: TestContext, block: Block, address: string, variables: Record<string, string>) {
  if (block.language === 'js') return run(makeProject(t, { 'page.mjs': block.text }), ['page.mjs'], variables);
  if (block.language === 'python') return runPython(['-'], { input: block.text, variables });
  if (block.language === 'sh') return runShell(block, variables);
  const value = JSON.parse(block.text);
  const [method = '', path = ''] = block.note.split(' ');
  if (method === '') return { code: 0, output: '' };
  const { ENGAGELAB_DEV_KEY: key = '', ENGAGELAB_DEV_SECRET: secret = '' } = variables;
  const reply = await keyClient(address, key, secret).call(method, path, { body: value });
  return { code: reply.status === 200 ? 0 : 1, output: JSON.stringify(reply.body) };
}

function runShell({ skill, text }: Block, variables: Record<string, string>) {
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    // `node` is the one that runs the tests.
    const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
    const child = spawn('sh', ['-ec', text], { cwd: join(skillsFolder, skill), env: { ...variables, PATH: path } });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function startReceiver(t: TestContext, block: Block, variables: Record<string, string>): () => string {
  const isPython = block.language === 'python';
  const [command, args] = isPython ? [python ?? 'python3', ['-']] : [process.execPath, ['page.mjs']];
  const cwd = isPython ? pythonPackage : makeProject(t, { 'page.mjs': block.text });
  const child = spawn(command, args, { cwd, env: { PATH: process.env['PATH'], ...variables } });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  child.stdin.end(isPython ? block.text : '');
  return () => printed;
}

/** Free at this moment; the programs of a page take a port, not the word that any will do. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
