// Every shared case runs twice: through the global fetch, and through the built-in modules that old Node falls back to.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { EngagelabError, OTPClient } from '../src/index.ts';
import { assertRequest, type CallCase, callAsCase, camelCase, cases } from './support/cases.ts';
import { startServer } from './support/server.ts';

const noSleep = () => Promise.resolve();

async function runCase(t: TestContext, item: CallCase): Promise<void> {
  const server = await startServer(t, item.replies);
  const client = new OTPClient(cases.client.dev_key, cases.client.dev_secret, {
    baseUrl: server.url,
    maxRetries: item.client?.max_retries ?? 0,
    sleep: noSleep,
  });
  if (item.error) {
    const expected = Object.entries(item.error).map(([name, value]) => [camelCase(name), value]);
    await assert.rejects(callAsCase(client, item), (error: Record<string, unknown>) => {
      assert.ok(error instanceof EngagelabError);
      for (const [name, value] of expected) assert.deepEqual(error[name as string], value, String(name));
      return true;
    });
  } else {
    assert.deepEqual(await callAsCase(client, item), item.result);
  }
  assert.equal(server.requests.length, item.replies.length, 'one request per expected try');
  for (const request of server.requests) assertRequest(request, item.request, server.requests[0]);
}

describe('shared cases through fetch', () => {
  for (const item of cases.calls) test(item.name, (t) => runCase(t, item));
});

describe('shared cases through the built-in modules', () => {
  for (const item of cases.calls) {
    test(item.name, async (t) => {
      t.mock.property(globalThis, 'fetch', undefined as never);
      await runCase(t, item);
    });
  }
});

describe('Basic credentials', () => {
  for (const { key, secret, authorization } of cases.basic) {
    test(`of ${key}`, async (t) => {
      const server = await startServer(t, [{ body: {} }]);
      await new OTPClient(key, secret, { baseUrl: server.url }).balance();
      assert.equal(server.requests[0]?.headers.authorization, authorization);
    });
  }
});
