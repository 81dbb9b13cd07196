/**
 * `npm run demo`: one real one-time password, end to end, through our Node SDK. Against the server named by ENGAGELAB_BASE_URL with
 * ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET, or against one it starts in a temporary folder. Exits 0 only if the code verified.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { OTPClient } from 'engagelab-otp';
import { root } from './project-files.mjs';

/** A server of our own: resolves with its address and credentials once it is ready. */
async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), 'otp-demo-'));
  const key = 'demo';
  const secret = randomBytes(18).toString('base64url');
  const child = spawn(process.execPath, [join(root, 'server/src/main.ts')], {
    cwd: directory,
    env: {
      ...process.env,
      PORT: '0',
      METRICS_PORT: '0',
      DATA_DIR: join(directory, 'data'),
      DATABASE_URL: '',
      LOG_LEVEL: 'warn',
      ENGAGELAB_DEV_KEY: key,
      ENGAGELAB_DEV_SECRET: secret,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = /^ready (\S+)$/.exec(line);
    if (ready) {
      child.stdout.resume();
      return { baseUrl: ready[1], key, secret, stop };
    }
  }
  await stop();
  throw new Error('the server ended before it was ready');
}

function usedServer() {
  const { ENGAGELAB_BASE_URL: baseUrl, ENGAGELAB_DEV_KEY: key, ENGAGELAB_DEV_SECRET: secret } = process.env;
  return baseUrl && key && secret ? { baseUrl, key, secret, stop: async () => {} } : null;
}

/** Sends, reads the handset, checks a wrong and the right code, tells the story. Resolves with whether it verified. */
async function run(otp) {
  const to = `+65${80_000_000 + (Date.now() % 9_999_999)}`;
  const { message_id } = await otp.send(to, 'login', {}, 'en');
  console.log(`sent       ${message_id} to ${to}`);
  const received = await otp.sandbox.messages({ to, wait: 10 });
  const message = received.messages.find((candidate) => candidate.message_id === message_id);
  if (!message) throw new Error('nothing arrived on the handset');
  console.log(`handset    [${message.channel}] ${message.text}`);
  const wrong = `${message.code[0] === '0' ? '1' : '0'}${message.code.slice(1)}`;
  const first = await otp.verify(message_id, wrong);
  console.log(`check      ${wrong} -> verified ${first.verified}, ${first.attempts_remaining} attempts remaining`);
  const second = await otp.verify(message_id, message.code);
  console.log(`check      ${message.code} -> verified ${second.verified}`);
  const story = await otp.messages.get(message_id);
  for (const { at, text } of story.timeline) console.log(`timeline   ${at}  ${text}`);
  return first.verified === false && second.verified === true;
}

const server = usedServer() ?? (await startServer());
try {
  console.log(`server     ${server.baseUrl}`);
  const verified = await run(new OTPClient(server.key, server.secret, { baseUrl: server.baseUrl }));
  console.log(verified ? 'verified' : 'NOT verified');
  process.exitCode = verified ? 0 : 1;
} catch (error) {
  console.error(`The demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await server.stop();
}
