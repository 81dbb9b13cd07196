/** The protocol as it meets the network: over a socket, with the clients of today and of before, and what is turned away. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { onEachApp } from '../testing/app.ts';
import { done, makeSandboxKey, newKey, openClient } from './fixture.ts';

const revision = '2026-07-28';
const meta = {
  'io.modelcontextprotocol/protocolVersion': revision,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

onEachApp('MCP over HTTP', (get) => {
  let address: string;
  let credential: string;
  before(async () => {
    address = await get().app.frontDoor.listen('127.0.0.1', 0);
    ({ credential } = await makeSandboxKey(get()));
  });

  const post = (body: unknown, headers: Record<string, string | undefined> = {}, path = '/mcp') => {
    const all = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${credential}`,
      ...headers,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return fetch(new URL(path, address), { method: 'POST', headers: given, body: JSON.stringify(body) });
  };
  const ask = (method: string, params: object = {}, headers: Record<string, string | undefined> = {}) =>
    post(
      { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } },
      { 'mcp-protocol-version': revision, 'mcp-method': method, ...headers },
    );

  for (const mode of ['auto', 'legacy', { pin: revision }] as const)
    test(`serves the client of today over a socket (${JSON.stringify(mode)})`, async () => {
      const client = await openClient(get(), credential, { mode, address });
      const { tools } = await client.listTools();
      assert.ok(tools.length > 10);
      await client.close();
    });

  test('serves the client of before: list, send, read the inbox, verify', async () => {
    const client = new OldClient({ name: 'old', version: '1' });
    const headers = { authorization: `Basic ${Buffer.from(credential).toString('base64')}` };
    // The old declarations do not know exactOptionalPropertyTypes.
    const transport = new OldTransport(new URL('/mcp', address), { requestInit: { headers } });
    await client.connect(transport as unknown as Parameters<typeof client.connect>[0]);
    assert.equal(client.getServerVersion()?.name, 'engagelab-otp');
    assert.ok((await client.listTools()).tools.some(({ name }) => name === 'send_otp'));
    const call = async (name: string, args: Record<string, unknown>) => {
      const result = await client.callTool({ name, arguments: args });
      return { isError: result.isError, answer: result.structuredContent as Record<string, unknown> };
    };
    const to = '+6592220001';
    const { answer } = await call('send_otp', { to, template_id: 'sandbox-otp-tpl', idempotency_key: newKey() });
    await get().live(3);
    const inbox = await call('get_test_inbox', { to });
    const [{ code } = { code: '' }] = inbox.answer['messages'] as { code: string }[];
    const verified = await call('verify_otp', { message_id: answer['message_id'], code });
    assert.equal(verified.answer['verified'], true);
    assert.equal((await call('get_message', { message_id: '1' })).isError, true);
    await client.close();
  });

  test('an inbox that waits answers when the message arrives', async () => {
    const client = await openClient(get(), credential, { address });
    const to = '+6592220002';
    await done(client, 'send_otp', { to, template_id: 'sandbox-otp-tpl', idempotency_key: newKey() });
    const waiting = done(client, 'get_test_inbox', { to, wait_s: 20 });
    await get().live(3);
    assert.equal((await waiting).messages.length, 1);
    await client.close();
  });

  test('only POST: every other method is 405', async () => {
    for (const path of ['/mcp', '/mcp/readonly'])
      for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS']) {
        const reply = await fetch(new URL(path, address), {
          method,
          headers: { authorization: `Bearer ${credential}` },
        });
        assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'POST'], method);
      }
  });

  test('without a right credential: 401, a plain challenge and the contract’s error', async () => {
    for (const authorization of [undefined, 'Bearer x:y', 'Basic eDp5', 'Bearer'])
      for (const reply of [await ask('tools/list', {}, { authorization }), await post({}, { authorization })]) {
        assert.deepEqual([reply.status, reply.headers.get('www-authenticate')], [401, 'Bearer']);
        assert.equal(((await reply.json()) as { code: number }).code, 2001);
      }
  });

  test('a page of somebody else gets nothing through a browser', async () => {
    const port = new URL(address).port;
    for (const [origin, status] of [
      ['https://evil.example', 403],
      ['null', 403],
      ['http://localhost:6274', 200],
      [`http://127.0.0.1:${port}`, 200],
    ] as const)
      assert.equal((await ask('tools/list', {}, { origin })).status, status, origin);
    for (const [host, status] of [
      ['evil.example', 403],
      [`rebound.example:${port}`, 403],
      ['localhost', 200],
      ['192.0.2.7:8080', 200],
      ['[::1]:8080', 200],
    ] as const) {
      const reply = await get().app.frontDoor.inject({
        method: 'POST',
        url: '/mcp',
        headers: {
          host,
          authorization: `Bearer ${credential}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': revision,
          'mcp-method': 'tools/list',
        },
        payload: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }),
      });
      assert.equal(reply.statusCode, status, host);
    }
  });

  test('speaks the current revision: discover, cache hints, header checks and their codes', async () => {
    const body = async (reply: Response) =>
      (await reply.json()) as { result?: Record<string, unknown>; error?: { code: number } };
    const discovered = (await body(await ask('server/discover'))).result ?? {};
    assert.deepEqual([discovered['resultType'], discovered['cacheScope']], ['complete', 'private']);
    assert.ok((discovered['supportedVersions'] as string[]).includes(revision));
    const listed = (await body(await ask('tools/list'))).result ?? {};
    assert.deepEqual([listed['resultType'], listed['ttlMs'], listed['cacheScope']], ['complete', 60_000, 'private']);
    const refusals: [Response, number, number][] = [
      [await ask('no/such'), 404, -32601],
      [await ask('tools/list', {}, { 'mcp-method': 'tools/call' }), 400, -32020],
      [await ask('tools/call', { name: 'get_message', arguments: {} }, { 'mcp-name': 'send_otp' }), 400, -32020],
      [await ask('tools/list', {}, { 'mcp-protocol-version': '2099-01-01' }), 400, -32020],
      [await ask('tools/call', { name: 'nope', arguments: {} }, { 'mcp-name': 'nope' }), 200, -32602],
    ];
    for (const [reply, status, code] of refusals)
      assert.deepEqual([reply.status, (await body(reply)).error?.code], [status, code]);
  });

  test('an array of messages is one request too many, for whoever asks', async () => {
    const call = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'otp://openapi.json' } };
    for (const path of ['/mcp', '/mcp/readonly', '/mcp/docs'])
      for (const payload of [JSON.stringify(Array.from({ length: 100 }, () => call)), '\ufeff \n[]']) {
        const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
        const init = { method: 'POST', headers: { ...headers, authorization: `Bearer ${credential}` }, body: payload };
        const reply = await fetch(new URL(path, address), init);
        assert.equal(reply.status, 400);
        const { error } = (await reply.json()) as { error: { code: number } };
        assert.equal(error.code, -32600);
      }
  });

  test('too much, or what is no JSON, is refused', async () => {
    assert.equal((await post({ fill: 'x'.repeat(300_000) })).status, 413);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
    const reply = await fetch(new URL('/mcp', address), { method: 'POST', headers, body: '{' });
    assert.ok(reply.status >= 400 && reply.status < 500, String(reply.status));
  });

  after(() => get().app.frontDoor.close());
});
