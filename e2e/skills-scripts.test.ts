// The scripts that lie in the skills do what their headers say: against a running server, with magic recipients only.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { hasPython, python } from '../sdks/python/test/python.ts';
import { createSigningSecret, signedHeaders } from '../server/src/platform/webhook-signature.ts';
import { keyClient, operatorClient } from './client.ts';
import { openSite } from './site.ts';
import { filesOf, skillNames, skillsFolder } from './skill-files.ts';

const tested = [
  'engagelab-otp-send/scripts/otp_client.py',
  'engagelab-otp-webhook/scripts/check_callback.py',
  'otp-quickstart/scripts/check-setup.mjs',
  'otp-security-review/scripts/find-leaks.mjs',
];
const [client = '', checker = '', checkSetup = '', findLeaks = ''] = tested;

test('every script of a skill is tested here', () => {
  const scripts = skillNames.flatMap((skill) =>
    filesOf(skill)
      .filter((file) => file.startsWith('scripts/'))
      .map((file) => `${skill}/${file}`),
  );
  assert.deepEqual(scripts, tested);
});

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'otp-skills-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function runScript(script: string, args: string[], variables: Record<string, string> = {}) {
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    const command = script.endsWith('.py') ? (python ?? 'python3') : process.execPath;
    const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...variables };
    const child = spawn(command, [join(skillsFolder, script), ...args], { env });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function openSandbox(t: TestContext) {
  const site = await openSite(t, 'pglite');
  const { address } = await site.start();
  const variables = {
    ENGAGELAB_BASE_URL: address,
    ENGAGELAB_DEV_KEY: 'sandbox_demo',
    ENGAGELAB_DEV_SECRET: 'sandbox_secret',
  };
  return { address, variables };
}

test('the client in one file sends, checks and reads, and tells what is worth repeating', async (t) => {
  if (!hasPython(t)) return;
  const { variables } = await openSandbox(t);
  const ask = async (...args: string[]) => {
    const { code, output } = await runScript(client, args, variables);
    return { exit: code, ...JSON.parse(output) };
  };
  const sent = await ask('send', '+10000000005', 'sandbox-otp-tpl', 'en');
  assert.deepEqual([sent.exit, sent.send_channel], [0, 'sms']);
  const wrong = await ask('verify', sent.message_id, '000000');
  assert.deepEqual([wrong.exit, wrong.verified], [1, false]);
  assert.equal((await ask('verify', sent.message_id, '123456')).verified, true);
  const dead = await ask('verify', sent.message_id, '123456');
  assert.deepEqual([dead.exit, dead.code, dead.retryable], [1, 3003, false]);
  assert.equal((await ask('get', sent.message_id)).verification.state, 'verified');
  const refused = await ask('send', '+10000000001', 'sandbox-otp-tpl');
  assert.deepEqual([refused.exit, refused.code], [1, 5011]);
});

test('the client in one file says what is missing, and an absent server is worth repeating', async (t) => {
  if (!hasPython(t)) return;
  const missing = await runScript(client, ['send', '+10000000005', 'login']);
  assert.match(missing.output, /set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET/);
  assert.equal((await runScript(client, ['sned'])).code, 2);
  const variables = {
    ENGAGELAB_BASE_URL: 'http://127.0.0.1:1',
    ENGAGELAB_DEV_KEY: 'k',
    ENGAGELAB_DEV_SECRET: 'private-secret',
  };
  const absent = await runScript(client, ['send', '+10000000005', 'login'], variables);
  assert.equal(absent.code, 3);
  assert.doesNotMatch(absent.output, /private-secret/);
});

describe('the check of a recorded callback', () => {
  const secret = createSigningSecret();
  const body = '{"total":1,"rows":[]}';

  async function check(t: TestContext, headers: Record<string, string>, sent: string, variables = {}) {
    const folder = folderFor(t);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
    writeFileSync(join(folder, 'headers.txt'), lines.join(''));
    writeFileSync(join(folder, 'body.json'), sent);
    return runScript(checker, [join(folder, 'headers.txt'), join(folder, 'body.json')], {
      ENGAGELAB_WEBHOOK_SIGNING_SECRET: secret,
      ...variables,
    });
  }

  const signed = (signingSecrets = [secret]) =>
    signedHeaders({ id: 'evt_2072832692843466759', nowMs: Date.now(), body, signingSecrets });

  test('believes what is signed, also by the other secret of a rotation', async (t) => {
    if (!hasPython(t)) return;
    assert.equal((await check(t, signed(), body)).code, 0);
    assert.equal((await check(t, signed([createSigningSecret(), secret]), body)).code, 0);
  });

  test('does not believe another body, another secret or no signature', async (t) => {
    if (!hasPython(t)) return;
    assert.equal((await check(t, signed(), `${body} `)).code, 1);
    assert.equal((await check(t, signed([createSigningSecret()]), body)).code, 1);
    assert.equal((await check(t, {}, body)).code, 1);
  });

  test('is told from one that was used wrongly: without a file, with no text as headers, with a secret that is none', async (t) => {
    if (!hasPython(t)) return;
    const folder = folderFor(t);
    const [headers, picture] = [join(folder, 'headers.txt'), join(folder, 'picture.png')];
    writeFileSync(headers, '');
    writeFileSync(picture, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    const right = { ENGAGELAB_WEBHOOK_SIGNING_SECRET: secret };
    const wrong: [string[], Record<string, string>, RegExp][] = [
      [[headers, join(folder, 'nothing.json')], right, /nothing\.json/],
      [[picture, headers], right, /picture\.png is not text/],
      ...[secret.slice(0, -2), `${secret.slice(0, 20)}!${secret.slice(21)}`, 'whsec_'].map(
        (mistyped): [string[], Record<string, string>, RegExp] => [
          [headers, headers],
          { ENGAGELAB_WEBHOOK_SIGNING_SECRET: mistyped },
          /ENGAGELAB_WEBHOOK_SIGNING_SECRET holds something that is no signing secret/,
        ],
      ),
    ];
    for (const [files, variables, says] of wrong) {
      const { code, output } = await runScript(checker, files, variables);
      assert.equal(code, 2, output);
      assert.match(output, says);
      assert.doesNotMatch(output, /Traceback|whsec_[^…]/);
    }
  });

  test('says of X-CALLBACK-ID that it tells the sender only', async (t) => {
    if (!hasPython(t)) return;
    const variables = {
      ENGAGELAB_WEBHOOK_SIGNING_SECRET: '',
      ENGAGELAB_WEBHOOK_USERNAME: 'my_user',
      ENGAGELAB_WEBHOOK_SECRET: 'my_secret',
    };
    const signature = '404794bf3409ad56077e11dac58f0f1d19e5a3b898b669360fb888a5efe4e729';
    const header = `timestamp=1701234567;nonce=abc123;username=my_user;signature=${signature}`;
    const right = await check(t, { 'X-CALLBACK-ID': header }, body, variables);
    assert.deepEqual([right.code, right.output], [0, 'genuine: sender only (X-CALLBACK-ID)\n']);
    assert.equal((await check(t, { 'X-CALLBACK-ID': header.replace('abc', 'abd') }, body, variables)).code, 1);
  });
});

describe('the check of a set-up', () => {
  test('goes from credentials to a verified code', async (t) => {
    const { variables } = await openSandbox(t);
    const { code, output } = await runScript(checkSetup, ['--json'], variables);
    const { ok, results } = JSON.parse(output);
    assert.deepEqual([code, ok, results.length], [0, true, 7], output);
  });

  test('refuses a live credential before it sends anything', async (t) => {
    const { address, variables } = await openSandbox(t);
    const operator = operatorClient(address);
    const organization = await operator.call('POST', '/admin/v1/organizations', { body: { name: 'Live' } });
    const under = `/admin/v1/organizations/${organization.body.id}/applications`;
    const application = await operator.call('POST', under, { body: { name: 'Live', network: 'live' } });
    const keys = `/admin/v1/applications/${application.body.id}/api-keys`;
    const { body: made } = await operator.call('POST', keys, { body: {} });
    const live = { ENGAGELAB_DEV_KEY: made.dev_key, ENGAGELAB_DEV_SECRET: made.dev_secret };
    const { code, output } = await runScript(checkSetup, [], { ...variables, ...live });
    assert.equal(code, 1, output);
    assert.match(output, /WRONG the credential is one for tests\n +.*nothing was sent/);
    const listed = await keyClient(address, made.dev_key, made.dev_secret).call('GET', '/v1/refusals');
    assert.deepEqual([listed.status, listed.body.refusals], [200, []], 'not even a refused send');
  });

  test('names the remedy for what is wrong', async (t) => {
    const { variables } = await openSandbox(t);
    const wrong: [Record<string, string>, RegExp][] = [
      [{ ENGAGELAB_DEV_KEY: '' }, /sandbox_demo and sandbox_secret open the sandbox unless/],
      [{ ENGAGELAB_BASE_URL: 'http://127.0.0.1:1' }, /Start the server/],
      [{ ENGAGELAB_DEV_SECRET: 'another-secret' }, /Check key and secret/],
    ];
    for (const [change, remedy] of wrong) {
      const { code, output } = await runScript(checkSetup, [], { ...variables, ...change });
      assert.equal(code, 1);
      assert.match(output, remedy);
      assert.doesNotMatch(output, /another-secret/);
    }
    assert.equal((await runScript(checkSetup, ['--live'])).code, 2);
  });
});

test('the search for leaks finds each of the usual ones, and never prints a secret', async (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'client'));
  const secret = 'hunter2hunter2';
  writeFileSync(join(folder, 'server.py'), `ENGAGELAB_DEV_SECRET = "${secret}"\nprint(user_typed_code)\n`);
  writeFileSync(
    join(folder, 'client', 'login.js'),
    'const otp = new OTPClient();\nconst code = Math.random() * 1e6;\n',
  );
  writeFileSync(join(folder, '.env.local'), 'NEXT_PUBLIC_ENGAGELAB_SECRET=x\n');
  const { code, output } = await runScript(findLeaks, [folder, '--json']);
  assert.equal(code, 1);
  assert.deepEqual(
    JSON.parse(output)
      .findings.map(({ rule, file, line }: Record<string, unknown>) => `${rule} ${file}:${line}`)
      .sort(),
    [
      'client-calls-platform client/login.js:1',
      'code-in-log server.py:2',
      'secret-in-client .env.local:1',
      'secret-in-code server.py:1',
      'weak-code client/login.js:2',
    ],
  );
  assert.ok(!output.includes(secret));
  writeFileSync(join(folder, 'server.py'), 'secret = os.environ["ENGAGELAB_DEV_SECRET"]\n');
  writeFileSync(join(folder, 'client', 'login.js'), 'fetch("/send-code")\n');
  writeFileSync(join(folder, '.env.local'), '');
  assert.equal((await runScript(findLeaks, [folder])).code, 0);
  assert.equal((await runScript(findLeaks, [])).code, 2);
});

test('the search for leaks finds a secret wherever it is written down, and no reference to one', async (t) => {
  const folder = folderFor(t);
  const random = (length: number): string => randomBytes(length).toString('base64url');
  const secret = `sk_${random(24)}`;
  const other = random(18);
  const leaks: Record<string, string> = {
    'send.js': `const otp = new OTPClient('dk_a1b2', '${secret}');`,
    'send.py': `otp = OTPClient("dk_a1b2", "${secret}")`,
    'deploy.sh': `curl -u dk_a1b2:${secret} https://otp.example.com/v1/messages`,
    '.env': `ENGAGELAB_DEV_SECRET=${secret}`,
    '.env.production': `export ENGAGELAB_WEBHOOK_SECRET=${other}`,
    'compose.yaml': `      ENGAGELAB_DEV_SECRET: ${secret}`,
    'docker-compose.yml': `      - ENGAGELAB_WEBHOOK_SECRET=${other}`,
    'settings.ini': `webhook_secret = ${other}`,
    Containerfile: `ENV ENGAGELAB_WEBHOOK_SECRET ${other}`,
    Dockerfile: `ENV ENGAGELAB_DEV_SECRET=${secret}`,
    'Dockerfile.worker': `ENV NODE_ENV=production ENGAGELAB_WEBHOOK_SECRET=${other}`,
    'worker.Dockerfile': `ARG SIGNING_SECRET=${other}`,
  };
  const references = {
    '.env.example': 'ENGAGELAB_DEV_SECRET=\nENGAGELAB_WEBHOOK_SECRET=<the secret>\nDEV_SECRET=…\n',
    '.env.test': 'ENGAGELAB_DEV_SECRET=sandbox_secret\nWEBHOOK_SECRET=your-webhook-secret\n',
    'compose.override.yaml':
      '  DEV_SECRET: $' + '{ENGAGELAB_DEV_SECRET}\n  - WEBHOOK_SECRET\n  WEBHOOK_SECRET_FILE: /run/secrets/otp\n',
    'chart.yaml': '# The dev_secret belongs into the vault.\ndev_secret: {{ .Values.devSecret }}\n',
    'types.ts': 'interface Settings {\n  devSecret: string;\n}\nconst devSecret = process.env.ENGAGELAB_DEV_SECRET;\n',
    'settings.py': 'dev_secret=os.environ["ENGAGELAB_DEV_SECRET"]\n',
  };
  for (const [name, text] of Object.entries({ ...leaks, ...references })) writeFileSync(join(folder, name), text);
  const { output } = await runScript(findLeaks, [folder, '--json']);
  const found: { rule: string; file: string }[] = JSON.parse(output).findings;
  assert.deepEqual(
    found.map(({ rule, file }) => `${rule} ${file}`).sort(),
    Object.keys(leaks)
      .map((name) => `secret-in-code ${name}`)
      .sort(),
  );
  assert.ok(!output.includes(secret) && !output.includes(other));
});
