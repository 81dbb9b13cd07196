// What a client accepts when it is made, where it sends, and that it never shows its credentials.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { OTPClient } from '../src/index.ts';
import { VERSION } from '../src/version.ts';
import { listen, startServer } from './support/server.ts';

function setVariable(t: TestContext, name: string, value: string): void {
  process.env[name] = value;
  t.after(() => delete process.env[name]);
}

beforeEach(() => {
  for (const name of ['ENGAGELAB_DEV_KEY', 'ENGAGELAB_DEV_SECRET', 'ENGAGELAB_BASE_URL']) delete process.env[name];
});

describe('making a client', () => {
  test('a missing key names the argument, the variable and the sandbox', () => {
    assert.throws(() => new OTPClient(undefined, 'x'), /devKey is missing.*ENGAGELAB_DEV_KEY.*sandbox_demo/);
    assert.throws(() => new OTPClient('', 'x'), TypeError);
  });

  test('a missing secret is refused without showing the key', () => {
    assert.throws(
      () => new OTPClient('dk_private', undefined),
      (error: Error) =>
        /devSecret is missing.*ENGAGELAB_DEV_SECRET/.test(error.message) && !/dk_private/.test(error.message),
    );
  });

  test('key and secret fall back to the environment', async (t) => {
    const server = await startServer(t, [{ body: {} }]);
    setVariable(t, 'ENGAGELAB_DEV_KEY', 'sandbox_demo');
    setVariable(t, 'ENGAGELAB_DEV_SECRET', 'sandbox_secret');
    setVariable(t, 'ENGAGELAB_BASE_URL', server.url);
    await new OTPClient().balance();
    assert.equal(server.requests[0]?.headers.authorization, 'Basic c2FuZGJveF9kZW1vOnNhbmRib3hfc2VjcmV0');
  });

  test('a key with a colon is refused, because the server splits there', () => {
    assert.throws(() => new OTPClient('a:b', 'c'), /colon/);
  });

  for (const baseUrl of ['otp.example.com', 'ftp://otp.example.com', '', 'https://h/?a=1', 'https://h/#x']) {
    test(`the base URL ${JSON.stringify(baseUrl)} is refused`, () => {
      assert.throws(() => new OTPClient('k', 's', { baseUrl }), /base URL/);
    });
  }

  test('credentials in the base URL are refused and not repeated', () => {
    assert.throws(
      () => new OTPClient('k', 's', { baseUrl: 'https://user:hunter2@h' }),
      (error: Error) => /must not contain credentials/.test(error.message) && !/hunter2/.test(error.message),
    );
  });

  for (const options of [{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { maxRetries: -1 }, { maxRetries: 1.5 }]) {
    test(`${inspect(options)} is refused`, () => assert.throws(() => new OTPClient('k', 's', options), TypeError));
  }
});

describe('where requests go', () => {
  test('the option wins over the variable', async (t) => {
    const server = await startServer(t, [{ body: {} }]);
    setVariable(t, 'ENGAGELAB_BASE_URL', 'http://127.0.0.1:9');
    await new OTPClient('k', 's', { baseUrl: server.url }).balance();
    assert.equal(server.requests.length, 1);
  });

  test('a path in front and slashes at the end are kept and dropped', async (t) => {
    const server = await startServer(t, [{ body: {} }]);
    await new OTPClient('k', 's', { baseUrl: `${server.url}/otp//` }).balance();
    assert.equal(server.requests[0]?.path, '/otp/v1/balance');
  });

  test('without option and variable it is localhost:8080', async () => {
    const urls: string[] = [];
    const fetch = (url: string) => {
      urls.push(url);
      return Promise.resolve(new Response('{}'));
    };
    await new OTPClient('k', 's', { fetch }).balance();
    assert.deepEqual(urls, ['http://localhost:8080/v1/balance']);
  });

  test('the standard fetch fits the option', async (t) => {
    const server = await startServer(t, [{ body: { balance: 1 } }]);
    const given: typeof fetch = (...args) => fetch(...args);
    assert.equal((await new OTPClient('k', 's', { baseUrl: server.url, fetch: given }).balance()).balance, 1);
  });

  test('a redirect is not followed, so the key stays with the server it was meant for', async (t) => {
    const seen: string[] = [];
    const other = await listen(t, (request, response) => {
      seen.push(request.url ?? '');
      response.end('{}');
    });
    const server = await startServer(t, [{ status: 307, headers: { location: other } }]);
    await assert.rejects(new OTPClient('k', 's', { baseUrl: server.url }).balance(), {
      httpStatus: 307,
      retryable: false,
    });
    assert.deepEqual(seen, []);
  });

  for (const id of ['', '.', '..', undefined as unknown as string]) {
    test(`the id ${JSON.stringify(id)} cannot address another endpoint`, async () => {
      await assert.rejects(new OTPClient('k', 's').templates.delete(id), /non-empty string/);
      await assert.rejects(new OTPClient('k', 's').messages.get(id), /non-empty string/);
    });
  }

  test('dates in filters are sent as RFC 3339', async (t) => {
    const server = await startServer(t, [{ body: {} }]);
    await new OTPClient('k', 's', { baseUrl: server.url }).messages.list({ from: new Date(1783036800000) });
    assert.equal(server.requests[0]?.query['from'], '2026-07-03T00:00:00.000Z');
  });

  test('the user agent names the version of package.json', async (t) => {
    const server = await startServer(t, [{ body: {} }]);
    await new OTPClient('k', 's', { baseUrl: server.url }).balance();
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    assert.equal(VERSION, version);
    assert.equal(server.requests[0]?.headers['user-agent'], `engagelab-otp-node/${version}`);
  });
});

test('neither inspecting nor serialising a client shows credentials', () => {
  const client = new OTPClient('dk_private', 'hunter2');
  const shown = inspect(client, { depth: null, showHidden: true, getters: true }) + JSON.stringify(client);
  for (const value of ['dk_private', 'hunter2', btoa('dk_private:hunter2')]) assert.ok(!shown.includes(value), value);
});
