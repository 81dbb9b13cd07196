// The command line against a running server: what each command does, what it prints for people and for programs, with which code it
// leaves, and that no secret it was given is ever printed.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTestApp, operatorToken, type TestApp, testCredential } from '../../../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../../../server/src/testing/database.ts';
import { hasPrograms } from '../../../server/src/testing/programs.ts';
import { until } from '../../../server/src/testing/until.ts';
import { type Cli, deadAddress, documentOf, failureOf, openCli, startProxy } from './support/cli.ts';
import { packageRoot, run as runNode } from './support/consumer.ts';

const [devKey = '', devSecret = ''] = testCredential.split(':');
const wrongSecret = 'sk_wrong-secret-of-nobody';

let database: TestDatabase;
let app: TestApp;
let address: string;
let cli: Cli;
/** With the credential in the environment. */
let env: Record<string, string>;

before(async () => {
  assert.deepEqual(await runNode(packageRoot, ['build.mjs']), { code: 0, output: '' });
  database = await openTestDatabase('pglite');
  app = await openTestApp(database, { env: { PORT: '0' } });
  address = await app.app.start();
  cli = openCli({ ENGAGELAB_BASE_URL: address });
  env = { ENGAGELAB_DEV_KEY: devKey, ENGAGELAB_DEV_SECRET: devSecret };
});
after(async () => {
  cli.close();
  await app.close();
  await database.close();
});

describe('login', () => {
  const fileOf = (): string => join(cli.home, '.config/engagelab-otp/credentials.json');
  const stored = (): unknown => JSON.parse(readFileSync(fileOf(), 'utf8'));

  test('keeps a pair that the server accepts where only its owner reads it, and the MCP bridge finds it there', async () => {
    const refused = await cli.run(['login'], { input: `${devKey}:${wrongSecret}\n` });
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /^error 2001: authentication failed\n {2}next: .*engagelab-otp login\n {2}docs: http.*\/docs\/errors\/2001\n/,
    );
    assert.throws(stored, /ENOENT/);
    const { code, out } = await cli.run(['login'], { input: `${devKey}:${devSecret}\n` });
    assert.equal(code, 0);
    assert.match(
      out,
      new RegExp(`Logged in to ${address} as ${devKey}; kept in .*credentials.json\\nNext: engagelab-otp doctor`),
    );
    assert.deepEqual(stored(), { base_url: address, dev_key: devKey, dev_secret: devSecret });
    assert.equal(statSync(fileOf()).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(fileOf())).mode & 0o777, 0o700);
    const bridge = fileURLToPath(new URL('../../../mcp/bridge.mjs', import.meta.url));
    const { child, ended } = cli.start([], { ENGAGELAB_BASE_URL: undefined }, [process.execPath, bridge]);
    child.stdin?.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })}\n`);
    assert.match((await ended).out, /"name":"send_otp"/);
  });

  test('keeps the operator token beside the pair, and whoami tells both without their secrets', async () => {
    const wrong = await cli.run(['login', '--operator'], { input: 'some-other-operator-token' });
    assert.equal(wrong.code, 1);
    const kept = await cli.run(['login', '--operator', '--json'], { input: `${operatorToken}\n` });
    assert.deepEqual(documentOf(kept), { base_url: address, operator: true, file: fileOf() });
    const whole = { base_url: address, dev_key: devKey, dev_secret: devSecret, operator_token: operatorToken };
    assert.deepEqual(stored(), whole);
    const who = { base_url: address, dev_key: devKey, from: 'file', network: 'virtual', operator: true };
    assert.deepEqual(documentOf(await cli.run(['whoami', '--json'], { env: { ENGAGELAB_BASE_URL: '' } })), who);
    assert.match((await cli.run(['whoami'], { env })).out, /from the environment[\s\S]*virtual phone network alone/);
  });

  test('what is stored for one server is not sent to another', async () => {
    const other = await cli.run(['whoami', '--json', '--base-url', 'http://127.0.0.2:8080']);
    assert.equal(other.code, 2);
    const { message, next_step } = failureOf(other);
    assert.match(message, /not logged in to http:\/\/127.0.0.2:8080/);
    assert.equal(next_step, 'Run: engagelab-otp login --base-url http://127.0.0.2:8080');
  });

  test('a file that is broken or cannot be read is told without what stands in it', async () => {
    const file = join(cli.home, 'broken.json');
    writeFileSync(file, `{"dev_secret":"${devSecret}"`);
    const broken = await cli.run(['whoami'], { env: { ENGAGELAB_CREDENTIALS_FILE: file } });
    assert.equal(broken.code, 2);
    assert.match(broken.err, /is not JSON: .*broken.json[\s\S]*engagelab-otp login/);
    const none = await cli.run(['login'], { input: '\n' });
    assert.equal(none.code, 2);
    assert.match(none.err, /no key pair was given[\s\S]*ENGAGELAB_DEV_SECRET/);
  });

  test('logout forgets all of it', async () => {
    assert.deepEqual(documentOf(await cli.run(['logout', '--json'])), { removed: true, file: fileOf() });
    assert.throws(stored, /ENOENT/);
    assert.match((await cli.run(['logout'])).out, /There was nothing/);
    const { code, err } = await cli.run(['templates', 'list']);
    assert.equal(code, 2);
    assert.match(err, /no key pair for http.*\n {2}next: Run: engagelab-otp login/);
  });

  test('at a terminal the secret is typed without being shown', async (t) => {
    if (!hasPrograms(t, 'python3')) return;
    const file = join(cli.home, 'typed', 'credentials.json');
    const answers = [
      ['dev_key: ', `${devKey}\r`],
      ['dev_secret (not shown): ', `x\u007f${devSecret}\r`],
    ] as const;
    const { code, out } = await cli.type(['login'], answers, { ENGAGELAB_CREDENTIALS_FILE: file });
    assert.equal(code, 0, out);
    assert.match(out, /dev_key: dk_test/);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).dev_secret, devSecret);
    const pasted = [['dev_key: ', `${devKey}\r${devSecret}\r`]] as const;
    assert.equal((await cli.type(['login'], pasted, { ENGAGELAB_CREDENTIALS_FILE: file })).code, 0);
    assert.equal((await cli.type(['login'], [['dev_key: ', '\u0003']])).code, 130);
  });
});

describe('sending and checking', () => {
  test('a code is sent, read from the handset, refused when wrong and accepted when right', async () => {
    const sent = documentOf(
      await cli.run(['send', '+6593330001', '--template', 'login', '-l', 'en', '--json'], { env }),
    );
    assert.match(sent.message_id, /^\d{19}$/);
    const { messages } = documentOf(await cli.run(['inbox', '+6593330001', '--wait', '10', '--json'], { env }));
    const [{ code }] = messages;
    const wrong = await cli.run(['verify', sent.message_id, '0000000'], { env });
    assert.deepEqual([wrong.code, wrong.out], [1, 'not verified; attempts left: 4\n']);
    const right = await cli.run(['verify', sent.message_id, code], { env });
    assert.deepEqual([right.code, right.out, right.err], [0, 'verified\n', '']);
    const again = await cli.run(['verify', sent.message_id, code, '--json'], { env });
    assert.equal(again.code, 1);
    const failure = failureOf(again);
    assert.deepEqual(
      [failure.kind, failure.code, failure.reason, failure.retryable],
      ['api', 3003, 'already_verified', false],
    );
    assert.equal(failure.docs_url, `${address}/docs/errors/3003`);
    assert.match(failure.next_step, /Read `reason`/);
    assert.match(failure.request_id, /^req_/);
  });

  test('people are told the id and what comes next; the same idempotency key sends once', async () => {
    const args = ['send', '+6593330002', '-t', 'login', '--purpose', 'login', '--idempotency-key', 'cli-1'];
    const first = await cli.run(args, { env });
    assert.match(
      first.out,
      /^message_id {2}(\d{19})\nchannel {5}sms\nexpires_at {2}\S+\nNext: engagelab-otp verify \1 CODE, or engagelab-otp watch \1\n$/,
    );
    assert.deepEqual(await cli.run(args, { env }), first);
    const id = /\d{19}/.exec(first.out)?.[0] ?? '';
    const { err } = await cli.run(['verify', id, '123456', '--purpose', 'payment'], { env });
    assert.match(err, /purpose_mismatch/);
  });

  test('a code of your own arrives as it is', async () => {
    const { code, out } = await cli.run(['send', '+6593330003', '-t', 'login', '--code', '004217'], { env });
    assert.equal(code, 0);
    assert.match(out, /Next: engagelab-otp watch/);
    assert.match(
      (await cli.run(['inbox', '+6593330003', '-w', '10'], { env })).out,
      / sms {2}004217 {2}004217 is your/,
    );
    assert.equal((await cli.run(['inbox', '+6593330999'], { env })).out, 'nothing arrived\n');
  });

  test('a refusal names its code, the faults and what to do, for people and for programs', async () => {
    const bad = await cli.run(['send', '+659', '-t', 'login'], { env });
    assert.equal(bad.code, 1);
    assert.match(
      bad.err,
      /^error 5011: Invalid phone number\n {2}next: Ask the user for the number in E.164 form.*\n {2}docs: .*\/docs\/errors\/5011\n {2}request: req_/,
    );
    const unknown = failureOf(await cli.run(['send', '+6593330004', '-t', 'nix', '--json'], { env }));
    assert.deepEqual([unknown.code, unknown.http_status], [4001, 400]);
    const language = await cli.run(['send', '+6593330004', '-t', 'login', '-l', 'xx'], { env });
    assert.match(language.err, /error 3002: .*\n {2}template.language: /);
  });

  test('a server that is not there, and one that is none of ours', async () => {
    const dead = await deadAddress();
    const { code, ...ran } = await cli.run(['send', '+6593330004', '-t', 'login', '--json', '--base-url', dead], {
      env,
    });
    assert.equal(code, 1);
    const failure = failureOf({ code, ...ran });
    assert.deepEqual(
      [failure.kind, failure.code, failure.message],
      ['network', 0, `no answer from ${dead} (ECONNREFUSED)`],
    );
    assert.match(failure.next_step, /engagelab-otp doctor/);
    assert.equal((await cli.run(['watch', '--base-url', dead], { env })).code, 1);
    const page = await cli.run(['templates', 'list', '--base-url', `${address}/docs/ai`], { env });
    assert.equal(page.code, 1);
  });
});

describe('watch', { concurrency: true }, () => {
  const send = async (to: string, template = 'login'): Promise<string> =>
    (await app.call({ path: '/v1/messages', body: { to, template: { id: template } } })).body.message_id;
  const eventsOf = (out: string): string[] =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event);

  test('follows a message until it is delivered, and says so when asked again', async () => {
    const id = await send('+6593330011');
    const [first, lines] = await Promise.all([
      cli.run(['watch', id], { env }),
      cli.run(['watch', id, '--json'], { env }),
    ]);
    assert.equal(first.code, 0);
    assert.match(
      first.out,
      /Z {2}plan {2}[\s\S]*Z {2}delivered {2}sms {2}\+6593330011 {2}\d{19}\nSMS was delivered\. /,
    );
    assert.deepEqual(eventsOf(lines.out), ['plan', 'target_valid', 'sent', 'delivered']);
    assert.deepEqual(await cli.run(['watch', id], { env }), first);
  });

  test('options that do not fit are refused instead of ignored', async () => {
    const [endless, filtered] = await Promise.all([
      cli.run(['watch', '--until-verified'], { env }),
      cli.run(['watch', '17', '--type', 'sent'], { env }),
    ]);
    assert.deepEqual([endless.code, endless.out, filtered.code, filtered.out], [2, '', 2, '']);
    assert.match(endless.err, /--until-verified wants a MESSAGE_ID\n {2}next: .*watch MESSAGE_ID --until-verified/);
    assert.match(filtered.err, /--type and a MESSAGE_ID do not go together/);
  });

  test('--until-verified goes on until the code is checked', async () => {
    const { messageId, code } = await app.sendCode('+6593330012');
    const { seen, ended } = cli.start(['watch', messageId, '--until-verified', '--json'], env);
    await until('the delivery is shown', () => seen.out.includes('"event":"delivered"'));
    await app.verify(messageId, code);
    const { code: exit, out } = await ended;
    assert.equal(exit, 0);
    assert.equal(eventsOf(out).at(-1), 'verified');
  });

  test('a message that fails ends with 1, one that does not exist with an error', async () => {
    const failed = await cli.run(['watch', await send('+10000000002')], { env });
    assert.equal(failed.code, 1);
    assert.match(failed.out, /delivered_failed/);
    const { messageId } = await app.sendCode('+6593330014');
    await app.call({ method: 'POST', path: `/v1/messages/${messageId}/cancel` });
    const cancelled = await cli.run(['watch', messageId, '--until-verified'], { env });
    assert.deepEqual([cancelled.code, /the message is cancelled\n$/.test(cancelled.out)], [1, true]);
    const none = await cli.run(['watch', '17', '--json'], { env });
    assert.deepEqual([none.code, failureOf(none).code], [1, 4001]);
  });

  test('without an id it shows what happens from now on, each event a line', async () => {
    const { child, seen, ended } = cli.start(['watch', '--type', 'delivered', '--json'], env);
    let number = 6593331000;
    await until('an event is shown', async () => {
      await send(`+${number++}`);
      return seen.out.includes('\n');
    });
    child.kill();
    await ended;
    for (const event of eventsOf(seen.out)) assert.equal(event, 'delivered');
  });

  test('a connection that is lost is opened again, and no event is missed or told twice', async () => {
    const { messageId, code } = await app.sendCode('+6593330013');
    const proxy = await startProxy(address, {});
    const { seen, ended } = cli.start(['watch', messageId, '--until-verified', '--json'], {
      ...env,
      ENGAGELAB_BASE_URL: proxy.address,
    });
    await until('the delivery is shown', () => seen.out.includes('"event":"delivered"'));
    proxy.cut();
    await app.verify(messageId, code);
    const { code: exit, out, err } = await ended;
    await proxy.close();
    assert.deepEqual([exit, err], [0, '']);
    assert.deepEqual(eventsOf(out), ['plan', 'target_valid', 'sent', 'delivered', 'verified']);
  });
});

describe('templates', () => {
  const body = {
    template_id: 'from-the-cli',
    send_channel_strategy: 'sms',
    verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
    sms_config: {
      template_type: 2,
      template_custom_config: { custom_sub_type: 'authentication', custom_content: '{{code}} opens {{place}}' },
    },
  };

  test('are made from a file or standard input, listed, shown and previewed', async () => {
    const file = join(cli.home, 'template.json');
    writeFileSync(file, JSON.stringify(body));
    const made = await cli.run(['templates', 'create', '-f', file], { env });
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /^template_id {2}from-the-cli\nstatus {7}approved/);
    const second = await cli.run(['templates', 'create', '--file', '-', '--json'], {
      env,
      input: JSON.stringify({ ...body, template_id: 'second' }),
    });
    assert.equal(documentOf(second).template_id, 'second');
    const twice = await cli.run(['templates', 'create', '-f', file], { env });
    assert.deepEqual([twice.code, /duplicate_template/.test(twice.err)], [1, true]);
    assert.match((await cli.run(['templates', 'list'], { env })).out, /^from-the-cli {2}approved {2}sms$/m);
    const listed = documentOf(await cli.run(['templates', 'list', '--json'], { env }));
    assert.ok(listed.some(({ template_id }: { template_id: string }) => template_id === 'second'));
    const shown = await cli.run(['templates', 'get', 'from-the-cli'], { env });
    assert.deepEqual(JSON.parse(shown.out).sms_config.template_custom_config, body.sms_config.template_custom_config);
    const preview = await cli.run(['templates', 'preview', 'from-the-cli', '-l', 'en', '-p', 'place=the door'], {
      env,
    });
    assert.match(preview.out, /^sms {2}en {2}1 part {2}123456 opens the door/);
    assert.equal((await cli.run(['templates', 'get', 'nix'], { env })).code, 1);
    const broken = await cli.run(['templates', 'create', '-f', '-'], { env, input: '{' });
    assert.deepEqual([broken.code, /standard input is not JSON/.test(broken.err)], [2, true]);
  });
});

describe('keys', () => {
  const operator = { ENGAGELAB_OPERATOR_TOKEN: operatorToken };

  test('are made, listed, rotated and revoked; each new secret is printed once', async () => {
    const key = documentOf(
      await cli.run(
        ['keys', 'create', '-d', 'Login service', '--permission', 'send', '--permission', 'read', '--json'],
        { env: operator },
      ),
    );
    assert.deepEqual([key.permissions, key.description], [['send', 'read'], 'Login service']);
    const own = { ENGAGELAB_AGENT_KEY: `${key.dev_key}:${key.dev_secret}` };
    const listed = await cli.run(['keys', 'list'], { env: operator });
    assert.match(listed.out, new RegExp(`^${key.id} +${key.dev_key} +server +enabled +send,read +Login service$`, 'm'));
    assert.equal((await cli.run(['keys', 'rotate', key.id], { env: operator })).code, 2);
    const rotated = await cli.run(['keys', 'rotate', key.id, '--yes'], { env: { ...operator, ...own } });
    assert.match(rotated.out, /The secret is shown only here[\s\S]*This is the key that you use here/);
    const fresh = /dev_secret {2}(\S+)/.exec(rotated.out)?.[1] ?? '';
    assert.notEqual(fresh, key.dev_secret);
    const statusOf = async (secret: string): Promise<number> =>
      (await app.call({ path: '/v1/template-configs', credential: `${key.dev_key}:${secret}` })).status;
    assert.deepEqual([await statusOf(key.dev_secret), await statusOf(fresh)], [401, 200]);
    assert.equal((await cli.run(['keys', 'revoke', key.id], { env: operator })).code, 2);
    const revoked = await cli.run(['keys', 'revoke', key.id, '-y', '--json'], { env: operator });
    assert.deepEqual(documentOf(revoked), { id: key.id, deleted: true });
    const { api_keys: left } = documentOf(await cli.run(['keys', 'list', '--json'], { env: operator }));
    assert.deepEqual(
      left.map(({ dev_key }: { dev_key: string }) => dev_key),
      [devKey],
    );
    for (const secret of [key.dev_secret, fresh]) assert.equal(cli.timesPrinted(secret), 1);
  });

  test('need the operator, and the application where there are several', async () => {
    assert.deepEqual((await cli.run(['keys', 'list'], { env })).code, 2);
    const stranger = await cli.run(['keys', 'list'], {
      env: { ENGAGELAB_OPERATOR_TOKEN: 'some-other-operator-token' },
    });
    assert.deepEqual([stranger.code, /error 2001/.test(stranger.err)], [1, true]);
    const other = await app.makeApplication();
    const which = await cli.run(['keys', 'list'], { env: operator });
    assert.equal(which.code, 2);
    assert.match(
      which.err,
      new RegExp(`which application\\?\\n {2}next: Name one with --application: .*${other.id} \\(Another\\)`),
    );
    const made = documentOf(
      await cli.run(['keys', 'create', '-a', other.id, '--kind', 'agent', '--json'], { env: operator }),
    );
    assert.deepEqual([made.application_id, made.kind], [other.id, 'agent']);
  });
});

test('no secret that was given to a command was ever printed, nor a colour where nobody sees it', () => {
  cli.assertNeverPrinted(
    devSecret,
    wrongSecret,
    operatorToken,
    'some-other-operator-token',
    Buffer.from(testCredential).toString('base64'),
  );
  assert.equal(cli.timesPrinted('\u001b['), 0);
});
