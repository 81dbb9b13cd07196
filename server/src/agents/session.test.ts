/** An agent at work: it finishes the job by itself in the sandbox, and is stopped with a readable reason where it may not go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@modelcontextprotocol/client';
import { permissionNames } from '../policy.ts';
import { onEachApp, operatorToken, testCredential } from '../testing/app.ts';
import { done, makeSandboxKey, newKey, openClient, refused } from './fixture.ts';

const namesOf = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);

onEachApp('a session of an agent', (get) => {
  for (const mode of ['auto', 'legacy', { pin: '2026-07-28' }] as const)
    test(`finishes the job in the sandbox: list, send, read, verify, explain (${JSON.stringify(mode)})`, async () => {
      const { credential } = await makeSandboxKey(get());
      const client = await openClient(get(), credential, { mode });
      const { templates } = await done(client, 'list_templates', { channel: 'sms' });
      const template = templates.find((found: { live_revision: number | null }) => found.live_revision !== null);
      const to = '+6591234567';
      const sent = await done(client, 'send_otp', {
        to,
        template_id: template.template_id,
        idempotency_key: newKey(),
      });
      await get().live(3);
      const { messages } = await done(client, 'get_test_inbox', { to, wait_s: 5 });
      assert.equal(messages[0].message_id, sent.message_id);
      const wrong = await done(client, 'verify_otp', { message_id: sent.message_id, code: '0' });
      assert.deepEqual([wrong.verified, wrong.attempts_left], [false, 4]);
      const right = await done(client, 'verify_otp', { message_id: sent.message_id, code: messages[0].code });
      assert.equal(right.verified, true);
      await get().settle();
      const story = await done(client, 'explain_message', { message_id: sent.message_id });
      assert.match(story.explanation.cause, /right code was entered/);
      const again = await refused(client, 'verify_otp', { message_id: sent.message_id, code: messages[0].code });
      assert.deepEqual([again.code, again.reason, again.retryable], [3003, 'already_verified', false]);
      for (const answer of [messages, right, story, await done(client, 'get_message', { message_id: sent.message_id })])
        assert.doesNotMatch(JSON.stringify(answer), /91234567/);
      await client.close();
    });

  test('who tries to send 1,000 live codes sends none', async () => {
    const { id } = await get().makeApplication({ network: 'live' });
    const server = await get().makeKey(id);
    const agent = await get().makeKey(id, { kind: 'agent' });
    for (const [{ credential }, why] of [
      [server, /^a server key sends nothing over MCP in a live application$/],
      [agent, /test mode and sends nothing in a live application$/],
    ] as const) {
      const client = await openClient(get(), credential);
      assert.deepEqual(
        (await namesOf(client)).filter((name) => /send|inbox/.test(name)),
        [],
      );
      await get().expectNothingHappened(async () => {
        const tries = Array.from({ length: 1000 }, async (_, i) => {
          const to = `+6591${String(i).padStart(6, '0')}`;
          const refusal = await refused(client, 'send_otp', { to, template_id: 'login', idempotency_key: newKey() });
          assert.equal(refusal.code, 2004);
          assert.match(refusal.message, why);
          assert.match(refusal.next_step, /ask the operator/);
        });
        await Promise.all(tries);
      });
      await client.close();
    }
  });

  test('a check is repeated under the Idempotency-Key of the request, in quotes or bare, as by REST', async () => {
    const { credential } = await makeSandboxKey(get());
    const left = async (key: string): Promise<number> => {
      const client = await openClient(get(), credential, { headers: { 'idempotency-key': key } });
      const { attempts_left } = await done(client, 'verify_otp', { message_id, code: '0' });
      await client.close();
      return attempts_left;
    };
    const sender = await openClient(get(), credential);
    const args = { to: '+6591234568', template_id: 'sandbox-otp-tpl', idempotency_key: newKey() };
    const { message_id } = await done(sender, 'send_otp', args);
    await sender.close();
    assert.deepEqual([await left('"abc"'), await left('abc'), await left('"other"')], [4, 4, 3]);
    const headers = { 'idempotency-key': '"abc"' };
    const body = { message_id, verify_code: '0' };
    const reply = await get().call({ path: '/v1/verifications', body, credential, headers });
    assert.deepEqual([reply.body.attempts_remaining, reply.headers['idempotent-replayed']], [4, 'true']);
  });

  test('every request counts against the limit of the key, also what asks no operation, and none twice', async () => {
    const made = await get().makeApplication({ policy: { request_rate: 10 } });
    const ask = (method: string, params: object = {}) =>
      get().call({
        path: '/mcp',
        credential: null,
        headers: {
          host: 'localhost',
          authorization: `Bearer ${made.credential}`,
          accept: 'application/json, text/event-stream',
        },
        body: { jsonrpc: '2.0', id: 1, method, params },
      });
    const call = (name: string, args: object = {}) => ask('tools/call', { name, arguments: args });
    const list = () => get().call({ path: '/agents/tools.json', credential: made.credential });
    for (const reply of [
      await call('list_templates'),
      await call('list_templates'),
      await call('list_templates'),
      await call('search_docs', { query: 'code' }),
      await call('verify_otp'),
      await ask('tools/list'),
      await ask('prompts/list'),
      await ask('resources/read', { uri: 'otp://errors/3004' }),
      await list(),
    ])
      assert.equal(reply.status, 200);
    const last = await get().call({ path: '/v1/template-configs', credential: made.credential });
    assert.match(String(last.headers['ratelimit']), /^"key";r=0;/);
    for (const reply of [await ask('tools/list'), await list()]) {
      assert.deepEqual([reply.status, reply.body.code], [429, 3004]);
      assert.match(String(reply.headers['retry-after']), /^[1-6]/);
    }
    await get().database.clock.travel(61_000);
    assert.equal((await ask('tools/list')).status, 200);
  });

  test('a list of recipients is no recipient', async () => {
    const client = await openClient(get(), (await makeSandboxKey(get())).credential);
    const to = Array.from({ length: 1000 }, (_, i) => `+6591${String(i).padStart(6, '0')}`);
    const refusal = await get().expectNothingHappened(() =>
      refused(client, 'send_custom_message', { to, template_id: 'x', idempotency_key: newKey() }),
    );
    assert.deepEqual([refusal.code, refusal.message], [3002, 'to: must be a string']);
    await client.close();
  });

  test('a send abroad is stopped by the terms of the key', async () => {
    const { credential } = await makeSandboxKey(get(), { kind: 'agent', agent: { countries: ['SG'] } });
    const client = await openClient(get(), credential);
    const args = { template_id: 'sandbox-otp-tpl', idempotency_key: newKey() };
    const refusal = await get().expectNothingHappened(() =>
      refused(client, 'send_otp', { ...args, to: '+4915112345678' }),
    );
    assert.deepEqual([refusal.code, refusal.reason], [3003, 'destination_not_allowed']);
    assert.match(refusal.next_step, /Do not try other recipients; ask the operator/);
    await done(client, 'send_otp', { ...args, to: '+6591234567' });
    await client.close();
  });

  test('no tool, page or resource reads a secret, and none that is guessed exists', async () => {
    const { credential } = await makeSandboxKey(get(), { kind: 'agent', permissions: [...permissionNames] });
    const client = await openClient(get(), credential);
    for (const name of [
      'get_api_key',
      'list_api_keys',
      'rotate_secret',
      'get_provider',
      'set_limits',
      'delete_template',
    ])
      await assert.rejects(client.callTool({ name, arguments: {} }), /there is no tool/);
    const hidden = await refused(client, 'get_operation', { operation_id: 'createApiKey' });
    assert.equal(hidden.code, 4001);
    for (const uri of [
      'otp://docs/../../.env',
      'otp://secrets',
      'otp://keys/1',
      'skill://x/../../secret',
      'skill://otp-operate/../../data/master-key',
      'file:///proc/self/environ',
    ])
      await assert.rejects(client.readResource({ uri }), { code: -32602 }, uri);
    const said = [
      await done(client, 'search_docs', { query: 'the secret of my api key, operator token, master key', limit: 10 }),
      await done(client, 'get_doc', { path: '/docs/settings' }),
      await done(client, 'list_templates'),
      await done(client, 'list_callbacks'),
      await client.callTool({ name: 'get_doc', arguments: { path: '../../.env' } }),
      ...(await Promise.all((await client.listResources()).resources.map(({ uri }) => client.readResource({ uri })))),
    ];
    const [, secret = ''] = credential.split(':');
    for (const word of [secret, testCredential.split(':')[1] ?? '', operatorToken])
      assert.ok(!JSON.stringify(said).includes(word), 'a secret of the installation is nowhere');
    await client.close();
  });
});
