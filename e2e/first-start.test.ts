/** What a person meets who starts the product for the first time, for the second time, and with wrong settings; and how it ends. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { raw } from '../server/src/platform/sql.ts';
import { until } from '../server/src/testing/until.ts';
import {
  devKey,
  devSecret,
  keyClient,
  newRecipient,
  operatorClient,
  presetEnv,
  readHandset,
  sendLogin,
  verify,
} from './client.ts';
import { launchServer, type ServerProcess, StartFailed, startServer } from './server-process.ts';
import { openSite, siteWith, temporaryDirectory } from './site.ts';

const run = promisify(execFile);
const drainMs = 10_000;

test('the first start prints a key pair, an operator token and three commands that work when pasted', async (t) => {
  assert.equal(spawnSync('curl', ['--version']).status, 0, 'this test pastes curl commands: install curl');
  const site = siteWith(t, { DATA_DIR: temporaryDirectory(t) });
  const server = await site.start();
  const screen = await until('the whole screen', () => /3\. .*\n(curl .*)\n/.test(server.stdout()) && server.stdout());
  assert.match(screen, /^ready http:\/\/127\.0\.0\.1:\d+\n/);
  const printed = credentialsOn(screen);
  const commands = screen.split('\n').filter((line) => line.startsWith('curl '));
  assert.equal(commands.length, 3);
  const [send = '', read = '', check = ''] = commands;

  const sent = await pasted(send);
  assert.match(sent.message_id, /^[0-9]{19}$/);
  const [received] = (await pasted(read)).messages;
  assert.equal(received.message_id, sent.message_id);
  assert.match(received.code, /^[0-9]{6}$/);
  assert.ok(received.text.includes(received.code), 'the code is in the text');

  const client = keyClient(server.address, printed.devKey, printed.devSecret);
  const wrong = await verify(client, sent.message_id, otherThan(received.code));
  assert.deepEqual([wrong.status, wrong.body.verified], [200, false]);
  assert.equal((await pasted(check)).verified, true);
  const again = await pasted(check);
  assert.deepEqual([again.code, again.message], [3003, 'already verified']);
  assert.equal((await verify(client, sent.message_id, received.code)).status, 400);
  const operator = operatorClient(server.address, printed.token);
  assert.equal((await operator.call('GET', '/admin/v1/organizations')).status, 200);

  assert.equal(await server.stop(), 0);
  const second = await site.start();
  assert.equal(
    (await sendLogin(keyClient(second.address, printed.devKey, printed.devSecret), newRecipient())).status,
    200,
  );
  assert.equal(await second.stop(), 0);
  for (const secret of [printed.devSecret, printed.token]) {
    assert.ok(!second.stdout().includes(secret) && !second.stderr().includes(secret), 'secrets are printed once');
  }
  assert.equal(statSync(join(site.env['DATA_DIR'] ?? '', 'master.key')).mode & 0o777, 0o600);
});

test('a preset key pair and operator token are the ones that work', async (t) => {
  const site = await openSite(t, 'postgres');
  const server = await site.start();
  const client = keyClient(server.address, devKey, devSecret);
  const to = newRecipient();
  const sent = await sendLogin(client, to);
  assert.equal(sent.status, 200);
  const received = await readHandset(client, to);
  assert.equal((await verify(client, sent.body.message_id, received?.code ?? '')).body.verified, true);
  assert.equal((await keyClient(server.address, devKey, 'another-secret').call('GET', '/v1/messages')).status, 401);
  assert.equal((await operatorClient(server.address).call('GET', '/admin/v1/organizations')).status, 200);
});

test('metrics are served where METRICS_PORT says, and a port that is taken there ends the start before a key is made', async (t) => {
  const site = await openSite(t, 'postgres');
  const metricsPort = await freePort();
  const server = await site.start({ METRICS_PORT: metricsPort });
  const client = keyClient(server.address, devKey, devSecret);
  const { body } = await sendLogin(client, newRecipient());
  assert.equal((await verify(client, body.message_id, 'wrong1')).body.verified, false);
  const operators = `http://127.0.0.1:${metricsPort}`;
  assert.match(server.stdout(), new RegExp(`^Metrics are at ${operators}/metrics$`, 'm'));
  const text = await (await fetch(`${operators}/metrics`)).text();
  assert.match(text, /^otp_checks_total\{outcome="wrong"\} 1$/m);
  assert.deepEqual(await (await fetch(`${operators}/readyz`)).json(), { status: 'ready', checks: { database: 'ok' } });

  const other = await openSite(t, 'postgres');
  const failed = await failedStart({ ...other.env, METRICS_PORT: metricsPort });
  assert.deepEqual([failed.exitCode, failed.stdout], [2, '']);
  assert.equal(failed.stderr, `METRICS_PORT ${metricsPort} on 127.0.0.1 is taken.\n`);
  const keys = await other.withDb((db) => db.query<{ keys: string }>(raw('select count(*) as keys from api_keys')));
  assert.deepEqual(keys, [{ keys: '0' }]);
});

test('bad settings are told all at once, one sentence each, with exit code 2 and without their secrets', async (t) => {
  const failed = await failedStart({
    PORT: 'eighty',
    METRICS_PORT: 'ninety',
    ROLES: 'api,cook',
    LOG_LEVEL: 'loud',
    PUBLIC_URL: 'ftp://example.com',
    DATABASE_URL: 'mysql://root:hunter2@db/otp',
    OPERATOR_TOKEN: 'short',
    ENGAGELAB_DEV_KEY: devKey,
    DATA_DIR: temporaryDirectory(t),
  });
  assert.equal(failed.exitCode, 2);
  assert.equal(failed.stdout, '');
  const lines = failed.stderr.trimEnd().split('\n');
  for (const name of [
    'PORT',
    'METRICS_PORT',
    'ROLES',
    'LOG_LEVEL',
    'PUBLIC_URL',
    'DATABASE_URL',
    'OPERATOR_TOKEN',
    'MASTER_KEY',
  ]) {
    assert.equal(lines.filter((line) => line.startsWith(`${name} `)).length, 1, `${name} in ${failed.stderr}`);
  }
  assert.ok(lines.some((line) => line.startsWith('ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET')));
  for (const line of lines) assert.match(line, /^[A-Z_].*[a-z0-9+=-]\.$/, 'one sentence per line');
  assert.doesNotMatch(failed.stderr, /hunter2|short/);
});

test('a master key that is not the one of the database ends the start before anything is changed', async (t) => {
  const site = await openSite(t, 'postgres');
  const server = await site.start();
  const failed = await failedStart({ ...site.env, MASTER_KEY: 'cd'.repeat(32) });
  assert.deepEqual([failed.exitCode, failed.stdout], [2, '']);
  assert.match(failed.stderr, /^MASTER_KEY .* is not the key this database was made with; nothing was changed\.\n$/);
  assert.equal((await operatorClient(server.address).call('GET', '/admin/v1/organizations')).status, 200);
  assert.equal((await sendLogin(keyClient(server.address, devKey, devSecret), newRecipient())).status, 200);
});

test('what the environment gave is not printed, and a worker prints no commands', async (t) => {
  const env = { DATA_DIR: temporaryDirectory(t), ...presetEnv, ROLES: 'worker' };
  const worker = await siteWith(t, env).start();
  const screen = await until('the whole screen', () => /operator token/.test(worker.stdout()) && worker.stdout());
  assert.match(
    screen,
    /^ready worker\n[\s\S]*dev_secret {6}as set in ENGAGELAB_DEV_SECRET\n[\s\S]*as set in OPERATOR_TOKEN\n/,
  );
  assert.doesNotMatch(screen, /curl|Shown once/);
  assert.ok(!screen.includes(devSecret) && !screen.includes(presetEnv.OPERATOR_TOKEN));
});

test('a database or a data directory that cannot be used is told with the reason', async (t) => {
  const address = 'postgres://someone:hunter2@127.0.0.1:1/otp';
  const away = await failedStart({ DATABASE_URL: address, MASTER_KEY: 'ab'.repeat(32) });
  assert.deepEqual(
    [away.exitCode, away.stderr],
    [1, 'The database cannot be used: connect ECONNREFUSED 127.0.0.1:1.\n'],
  );
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  const unusable = await failedStart({ DATA_DIR: file });
  assert.equal(unusable.exitCode, 2);
  assert.equal(unusable.stderr, `${file} cannot be written to (EEXIST); set DATA_DIR to a directory of this user.\n`);
});

test('SIGTERM under load: every request is answered whole or refused, then the process exits with 0', async (t) => {
  const site = await openSite(t, 'pglite');
  const server = await site.start();
  const outcomes: Record<string, number> = {};
  let stopping = false;
  let answered = 0;
  const worker = async (): Promise<void> => {
    for (let refused = 0; refused < 3; ) {
      const outcome = `${await postOnce(server.address, newRecipient())}${stopping ? '' : ' before the signal'}`;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome.startsWith('whole')) answered++;
      if (outcome === 'refused') refused++;
    }
  };
  const workers = Array.from({ length: 16 }, worker);
  await until('the load runs', () => answered > 50);
  const askedAt = Date.now();
  stopping = true;
  const ended = server.stop();
  server.child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.ok(Date.now() - askedAt < drainMs, `it took ${Date.now() - askedAt} ms`);
  await Promise.all(workers);
  t.diagnostic(`${JSON.stringify(outcomes)}, gone after ${Date.now() - askedAt} ms`);
  assert.deepEqual(Object.keys(outcomes).sort(), ['refused', 'whole', 'whole before the signal']);
  assert.equal(server.stderr(), '');

  const again = await site.start();
  assert.equal((await sendLogin(keyClient(again.address), newRecipient())).status, 200);
});

test('SIGTERM while a client holds a connection open and another waits for a message ends within ten seconds', async (t) => {
  const site = await openSite(t, 'postgres');
  const server = await site.start();
  const client = keyClient(server.address);
  await client.call('GET', '/healthz');
  const waiting = client.call('GET', `/v1/sandbox/messages?to=${encodeURIComponent(newRecipient())}&wait=30`).then(
    ({ status }) => status,
    () => 'cut',
  );
  // The answer to this one shows that the one before it has been read.
  await client.call('GET', '/readyz');
  const askedAt = Date.now();
  assert.equal(await server.stop(), 0);
  assert.ok(Date.now() - askedAt < drainMs, `it took ${Date.now() - askedAt} ms`);
  assert.equal(await waiting, 200, 'the long poll is answered with what there is');
});

test('a second process on a data directory refuses with one sentence, and the first goes on', async (t) => {
  const site = await openSite(t, 'pglite');
  const first = await site.start();
  const client = keyClient(first.address);
  assert.equal((await sendLogin(client, newRecipient())).status, 200);

  const failed = await failedStart(site.env);
  assert.equal(failed.exitCode, 2);
  assert.match(failed.stderr, /^Another process is using .+; stop it, or set DATA_DIR to another directory\.\n$/);
  assert.equal(failed.stdout, '');
  const to = newRecipient();
  const sent = await sendLogin(client, to);
  assert.equal(sent.status, 200);
  assert.equal((await readHandset(client, to))?.message_id, sent.body.message_id);

  await first.kill();
  const next = await site.start();
  const found = await keyClient(next.address).call('GET', `/v1/messages/${sent.body.message_id}`);
  assert.equal(found.status, 200);
});

test('a first start that is killed at any moment is simply made again', async (t) => {
  const directory = temporaryDirectory(t);
  const env = { ...presetEnv, DATA_DIR: directory };
  // What exists in the directory tells how far it came: from the first files of the database to the key made after the migrations.
  for (const mark of ['pg.new/base', 'pg.new/PG_VERSION', 'pg.new/postgresql.conf', 'pg/PG_VERSION', 'master.key']) {
    const { child, written, gone } = launchServer(env);
    t.after(() => child.kill('SIGKILL'));
    const reached = until(mark, () => statSync(join(directory, mark), { throwIfNoEntry: false }) !== undefined, 60_000);
    const ended = gone.then((code) =>
      assert.fail(`ended with ${code} before ${mark}: ${written.stdout}${written.stderr}`),
    );
    await Promise.race([reached, ended]);
    ended.catch(() => undefined);
    child.kill('SIGKILL');
    await gone;
  }
  const server = await siteWith(t, env).start();
  assert.equal((await sendLogin(keyClient(server.address), newRecipient())).status, 200);
  assert.match(readFileSync(join(directory, 'master.key'), 'utf8'), /^[0-9a-f]{64}\n$/);
});

function credentialsOn(screen: string): { devKey: string; devSecret: string; token: string } {
  const after = (label: string): string => new RegExp(`^ {2}${label} +(\\S+)$`, 'm').exec(screen)?.[1] ?? '';
  const found = { devKey: after('dev_key'), devSecret: after('dev_secret'), token: after('operator token') };
  for (const value of Object.values(found)) assert.ok(value.length >= 8, screen);
  return found;
}

async function pasted(command: string) {
  const { stdout } = await run('sh', ['-c', command]);
  return JSON.parse(stdout);
}

const otherThan = (code: string): string => `${code[0] === '0' ? '1' : '0'}${code.slice(1)}`;

async function failedStart(env: Record<string, string>): Promise<StartFailed> {
  const started: ServerProcess | StartFailed = await startServer(env).catch((error: StartFailed) => error);
  if (started instanceof StartFailed) return started;
  await started.kill();
  throw new Error(`it started: ${started.stdout()}`);
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' ? address?.port : '');
}

/** One send on a connection of its own; `half` when an answer began and did not end. */
function postOnce(address: string, to: string): Promise<'whole' | 'refused' | 'half' | `status ${number}`> {
  const body = JSON.stringify({ to, template: { id: 'login' } });
  return new Promise((resolve) => {
    const outgoing = request(`${address}/v1/messages`, {
      method: 'POST',
      agent: new Agent({ keepAlive: false }),
      auth: `${devKey}:${devSecret}`,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', () => resolve('refused'));
    outgoing.on('response', (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      reply.on('error', () => resolve('half'));
      reply.on('end', () =>
        resolve(reply.statusCode === 200 && text.endsWith('}') ? 'whole' : `status ${reply.statusCode ?? 0}`),
      );
    });
    outgoing.end(body);
  });
}
