// Python does what sdks/cases.json says, as the Node package does: calls through the client and through its asyncio wrapper.
import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { assertRequest, type CallCase, cases } from '../../node/test/support/cases.ts';
import { startServer } from '../../node/test/support/server.ts';
import { type Driver, hasPython, python, startDriver } from './python.ts';

const driver: Driver | undefined = python === undefined ? undefined : startDriver();
after(() => driver?.stop());

const { dev_key: key, dev_secret: secret } = cases.client;

async function runCase(t: TestContext, item: CallCase, style: string): Promise<void> {
  if (!hasPython(t) || !driver) return;
  const server = await startServer(t, item.replies);
  const { call, args, options, client } = item;
  const answer = await driver.ask({ do: 'call', style, key, secret, url: server.url, call, args, options, client });
  if (item.error) {
    assert.ok(answer.error, JSON.stringify(answer));
    for (const [name, value] of Object.entries(item.error)) assert.deepEqual(answer.error[name], value, name);
    assert.equal(answer.error.chained, false, 'nothing that holds the request hangs on the error');
  } else {
    assert.deepEqual(answer, { ok: item.result });
  }
  assert.equal(server.requests.length, item.replies.length, 'one request per expected try');
  for (const request of server.requests) assertRequest(request, item.request, server.requests[0]);
}

describe('shared cases', () => {
  for (const item of cases.calls) test(item.name, (t) => runCase(t, item, 'sync'));
});

describe('shared cases through asyncio', () => {
  for (const item of cases.calls) test(item.name, (t) => runCase(t, item, 'async'));
});

describe('Basic credentials', () => {
  for (const { key: devKey, secret: devSecret, authorization } of cases.basic) {
    test(`of ${devKey}`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const server = await startServer(t, [{ body: {} }]);
      await driver.ask({ do: 'call', key: devKey, secret: devSecret, url: server.url, call: 'balance', args: [] });
      assert.equal(server.requests[0]?.headers.authorization, authorization);
    });
  }
});

describe('categories', () => {
  for (const { code, status, category, retryable } of cases.errors) {
    test(`${code} at HTTP ${status} is ${category}${retryable ? ', retryable' : ''}`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const server = await startServer(t, [{ status, body: { code, message: 'why' } }]);
      const { error } = await driver.ask({ do: 'call', key, secret, url: server.url, call: 'balance', args: [] });
      assert.ok(error);
      const got = [error.code, error['http_status'], error['category'], error['retryable'], error.message];
      assert.deepEqual(got, [code, status, category, retryable, 'why']);
    });
  }
});
