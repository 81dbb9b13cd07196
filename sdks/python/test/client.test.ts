// What the shared cases do not tell: faults of the network, wrong settings, what is hidden, and the programs of the README.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, type TestContext, test } from 'node:test';
import { keyClient } from '../../../e2e/client.ts';
import { openSite } from '../../../e2e/site.ts';
import { listen, type Reply, startServer } from '../../node/test/support/server.ts';
import { type Answer, type Driver, hasPython, packageRoot, python, runPython, startDriver } from './python.ts';

const driver: Driver | undefined = python === undefined ? undefined : startDriver();
after(() => driver?.stop());

const key = 'dk_private';
const secret = 'p+ss/w0rd';
const token = btoa(`${key}:${secret}`);

const ask = (url: string, more: object = {}): Promise<Answer> =>
  driver?.ask({ do: 'call', key, secret, url, call: 'balance', args: [], ...more }) ?? Promise.resolve({});

async function errorOf(t: TestContext, reply: Reply, more: object = {}) {
  const { url } = await startServer(t, [reply]);
  const { error, fault } = await ask(url, more);
  assert.ok(error, fault ?? 'the call should have been refused');
  return error;
}

describe('answers that are not the platform’s', () => {
  const strange: [string, Reply, Record<string, unknown>][] = [
    ['an HTML page', { status: 404, text: '<h1>nginx</h1>' }, { code: 0, retryable: false, category: 'unknown' }],
    ['an empty body', { status: 500, text: '' }, { code: 0, retryable: true, category: 'transient' }],
    ['a JSON array', { status: 400, text: '[1]' }, { code: 0, retryable: false, category: 'unknown' }],
    ['a code as text', { status: 400, text: '{"code":"5001"}' }, { code: 0, retryable: false, category: 'unknown' }],
    ['success without JSON', { status: 200, text: 'OK' }, { code: 0, retryable: false, reason: 'invalid_reply' }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, { code: 0, http_status: 302 }],
  ];
  for (const [name, reply, expected] of strange) {
    test(name, async (t) => {
      if (!hasPython(t)) return;
      const error = await errorOf(t, reply);
      for (const [field, value] of Object.entries(expected)) assert.equal(error[field], value, field);
    });
  }

  test('Retry-After as a date that is over is a wait of nothing', async (t) => {
    if (!hasPython(t)) return;
    const headers = { 'retry-after': 'Fri, 03 Jul 2020 00:01:30 GMT' };
    assert.equal((await errorOf(t, { status: 503, headers })).retry_after, 0);
  });
});

describe('the network', () => {
  test('nobody listens: retryable, and the address is named', async (t) => {
    if (!hasPython(t)) return;
    const { error } = await ask('http://127.0.0.1:1');
    assert.equal(error?.message, 'no answer from http://127.0.0.1:1 (ECONNREFUSED)');
    assert.deepEqual([error?.['retryable'], error?.['reason']], [true, 'network']);
  });

  test('an answer that does not come in time ends the call', async (t) => {
    if (!hasPython(t)) return;
    const { url } = await startServer(t, [{ hang: () => undefined }]);
    const { error } = await ask(url, { client: { timeout_ms: 50 } });
    assert.equal(error?.message, `${url}: no answer within 50 ms`);
    assert.equal(error?.['reason'], 'timeout');
  });

  test('an answer that is cut off is a fault of the network, not a short answer', async (t) => {
    if (!hasPython(t)) return;
    const url = await listen(t, (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"balance":', () => response.destroy());
    });
    assert.equal((await ask(url)).error?.['reason'], 'network');
  });
});

describe('what is hidden', () => {
  test('credentials and codes that a server sends back are not in the error', async (t) => {
    if (!hasPython(t)) return;
    const echo = { code: 3002, message: `Basic ${token} ${secret} 482913`, details: { seen: [key, '482913'] } };
    const error = await errorOf(t, { status: 400, body: echo }, { call: 'verify', args: ['1', '482913'] });
    const shown = JSON.stringify(error);
    for (const value of [token, secret, key, '482913']) assert.ok(!shown.includes(value), `${value} in ${shown}`);
  });

  test('printing a client or a verifier shows no secret', async (t) => {
    if (!hasPython(t)) return;
    const shown = String((await driver?.ask({ do: 'shown', key, secret }))?.ok);
    assert.match(shown, /OTPClient/);
    for (const value of [token, secret, key]) assert.ok(!shown.includes(value), shown);
  });

  test('an error survives the way to another process', async (t) => {
    if (!hasPython(t)) return;
    assert.deepEqual(await driver?.ask({ do: 'pickled' }), { ok: { same: true, text: 'why' } });
  });
});

describe('wrong settings are refused with a sentence', () => {
  const wrong: [string, object, RegExp][] = [
    ['no key', { key: '' }, /^TypeError: OTPClient: dev_key is missing\. .*ENGAGELAB_DEV_KEY/],
    ['key and secret in one', { key: 'a:b' }, /dev_key contains a colon/],
    ['an address without scheme', { url: 'otp.example.com' }, /absolute http or https URL/],
    ['credentials in the address', { url: 'http://u:p4ss@h' }, /must not contain credentials/],
    ['a query in the address', { url: 'http://h/?a=b' }, /must end before/],
    ['half a millisecond', { client: { timeout_ms: 0.5 } }, /timeout_ms must be a whole number/],
    ['an empty id', { call: 'messages.get', args: [''] }, /an id must be a non-empty string/],
    [
      'a key with a line break',
      { call: 'send', args: ['+1', 't'], options: { idempotency_key: 'a\nb' } },
      /idempotency_key/,
    ],
  ];
  for (const [name, asked, expected] of wrong) {
    test(name, async (t) => {
      if (!hasPython(t)) return;
      const { fault } = await ask('http://127.0.0.1:1', asked);
      assert.match(fault ?? '', expected);
      assert.doesNotMatch(fault ?? '', /p4ss/);
    });
  }
});

test('the version of the User-Agent is that of the package', async (t) => {
  if (!hasPython(t)) return;
  const server = await startServer(t, [{ body: {} }]);
  await ask(server.url);
  const [, version] = /^version = "(.+)"$/m.exec(readFileSync(`${packageRoot}pyproject.toml`, 'utf8')) ?? [];
  assert.equal(server.requests[0]?.headers['user-agent'], `engagelab-otp-python/${version}`);
});

test('every program of the README, and that of the first page, runs as it stands against a running server', async (t) => {
  if (!hasPython(t)) return;
  const site = await openSite(t, 'pglite');
  const server = await site.start();
  const { ENGAGELAB_DEV_KEY = '', ENGAGELAB_DEV_SECRET = '' } = site.env;
  const template = {
    template_id: 'your-template-id',
    send_channel_strategy: 'sms',
    verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
    sms_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
  };
  const made = await keyClient(server.address).call('POST', '/v1/template-configs', { body: template });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const pages = [`${packageRoot}README.md`, `${packageRoot}../../README.md`].map((path) => readFileSync(path, 'utf8'));
  const programs = [...pages.join('\n').matchAll(/```python\n([\s\S]*?)```/g)].map(([, program = '']) => program);
  const printed: string[] = [];
  for (const program of programs) {
    const ran = await runPython(['test/run_page.py'], {
      input: program,
      variables: {
        ENGAGELAB_BASE_URL: server.address,
        ENGAGELAB_DEV_KEY,
        ENGAGELAB_DEV_SECRET,
        ENGAGELAB_WEBHOOK_USERNAME: 'acme',
        ENGAGELAB_WEBHOOK_SECRET: 'hook-secret',
        PAGE_RECIPIENT: '+6591234567',
      },
    });
    if (/No module named 'flask'/.test(ran.output)) {
      t.diagnostic('one program was not run: install Flask (pip install flask)');
      printed.push('');
    } else {
      assert.equal(ran.code, 0, ran.output);
      printed.push(ran.output.replace(/[0-9]{19}/g, 'ID').trim());
    }
  }
  assert.deepEqual(
    printed.map((text) => /True|expired or used: already_verified|^$/.exec(text)?.[0]),
    ['True', 'True', 'expired or used: already_verified', '', 'True', ''],
    printed.join('\n'),
  );
});
