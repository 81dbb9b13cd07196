/** Which tools a credential is shown, and what they say of themselves. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Client, Tool } from '@modelcontextprotocol/client';
import { onEachApp } from '../testing/app.ts';
import { type AgentKey, done, makeSandboxKey, openClient, refused } from './fixture.ts';

/** As published; a changed row is a changed product. RO, D, I, OW. */
const table = {
  search_docs: [true, false, true, false],
  get_doc: [true, false, true, false],
  get_operation: [true, false, true, false],
  send_otp: [false, false, true, true],
  send_custom_code: [false, false, true, true],
  send_custom_message: [false, false, true, true],
  resend_otp: [false, false, true, true],
  cancel_message: [false, true, true, false],
  verify_otp: [false, false, false, false],
  get_message: [true, false, true, false],
  list_messages: [true, false, true, false],
  explain_message: [true, false, true, false],
  lookup_number: [true, false, true, false],
  get_insights: [true, false, true, false],
  get_test_inbox: [true, false, true, false],
  list_templates: [true, false, true, false],
  get_template: [true, false, true, false],
  preview_template: [true, false, true, false],
  create_template: [false, false, false, false],
  list_callbacks: [true, false, true, false],
  replay_callback: [false, false, false, true],
};
const namesOf = ({ tools }: { tools: Tool[] }): string[] => tools.map(({ name }) => name);
const all = ['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write'];

onEachApp('the tools of a credential', (get) => {
  let whole: AgentKey;
  before(async () => {
    whole = await makeSandboxKey(get(), { kind: 'agent', permissions: all });
  });
  const withClient = async <T>(key: string, work: (client: Client) => Promise<T>, path?: string, headers = {}) => {
    const client = await openClient(get(), key, { headers, ...(path && { path }) });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };
  const list = (key: string, path?: string, headers = {}) =>
    withClient(key, (client) => client.listTools(), path, headers);

  test('come whole to who may do everything: fixed order, hints, schemas, under 32 kB', async () => {
    const listed = await list(whole.credential);
    assert.deepEqual(namesOf(listed), Object.keys(table));
    assert.deepEqual(await list(whole.credential), listed);
    for (const { name, annotations, title, description, inputSchema, outputSchema } of listed.tools) {
      const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = annotations ?? {};
      const hints = [readOnlyHint, destructiveHint, idempotentHint, openWorldHint];
      assert.deepEqual(hints, table[name as keyof typeof table], name);
      assert.ok(title && description && description.length > 30, name);
      assert.equal(inputSchema.type, 'object');
      assert.equal(outputSchema?.['type'], 'object');
    }
    const size = Buffer.byteLength(JSON.stringify(listed));
    assert.ok(size < 32_000, `tools/list has ${size} bytes`);
  });

  test('every send names its idempotency key, and no tool takes a list of recipients', async () => {
    for (const { name, annotations, inputSchema } of (await list(whole.credential)).tools) {
      const { properties = {}, required = [] } = inputSchema as {
        properties?: Record<string, { type?: string }>;
        required?: string[];
      };
      const sends = annotations?.openWorldHint === true && name !== 'replay_callback';
      assert.equal(required.includes('idempotency_key'), sends, name);
      if (properties['to']) assert.equal(properties['to'].type, 'string', name);
    }
  });

  test('follow the permissions of the key; what is not listed refuses and does nothing', async () => {
    const lists: Record<string, string[]> = {
      send: ['send_otp', 'send_custom_code', 'send_custom_message', 'resend_otp', 'cancel_message'],
      verify: ['verify_otp'],
      read: ['get_message', 'list_messages', 'explain_message', 'lookup_number', 'get_insights', 'get_test_inbox'],
      templates: ['preview_template', 'create_template'],
      'callbacks:read': ['list_callbacks'],
      'callbacks:write': ['replay_callback'],
    };
    const everybody = ['search_docs', 'get_doc', 'get_operation', 'list_templates', 'get_template'];
    for (const [permission, names] of Object.entries(lists)) {
      const { credential } = await get().makeKey(whole.application, { kind: 'agent', permissions: [permission] });
      await withClient(credential, async (client) => {
        const shown = namesOf(await client.listTools());
        assert.deepEqual(
          shown,
          Object.keys(table).filter((name) => [...names, ...everybody].includes(name)),
        );
        for (const name of Object.keys(table).filter((other) => !shown.includes(other))) {
          const refusal = await get().expectNothingHappened(() => refused(client, name, {}));
          assert.deepEqual([refusal.code, refusal.retryable], [2004, false]);
        }
      });
    }
  });

  test('can be narrowed by address and header, never widened', async () => {
    const readers = Object.entries(table).flatMap(([name, [readOnly]]) => (readOnly ? [name] : []));
    assert.deepEqual(namesOf(await list(whole.credential, '/mcp/readonly')), readers);
    for (const yes of ['true', '1', 'yes', 'ON', 'please'])
      assert.deepEqual(namesOf(await list(whole.credential, '/mcp', { 'x-mcp-readonly': yes })), readers, yes);
    for (const no of ['False', '0', ''])
      assert.equal((await list(whole.credential, '/mcp', { 'x-mcp-readonly': no })).tools.length, 21, no);
    assert.deepEqual(namesOf(await list(whole.credential, '/mcp', { 'x-mcp-toolsets': 'verify,docs' })), [
      'search_docs',
      'get_doc',
      'get_operation',
      'verify_otp',
    ]);
    const { credential } = await get().makeKey(whole.application, { permissions: ['verify'] });
    const asked = { 'x-mcp-toolsets': 'send,verify', 'x-mcp-readonly': 'false' };
    assert.deepEqual(namesOf(await list(credential, '/mcp', asked)), ['verify_otp']);
    await withClient(
      whole.credential,
      async (client) => {
        const refusal = await refused(client, 'send_otp', {});
        assert.match(refusal.message, /narrowed/);
      },
      '/mcp/readonly',
    );
  });

  test('live: a server key reads and verifies alone; an agent key sends in live mode; nobody reads codes', async () => {
    const { id, credential } = await get().makeApplication({ network: 'live' });
    const live = await get().makeKey(id, { kind: 'agent', agent: { mode: 'live', countries: ['SG'] } });
    const server = namesOf(await list(credential));
    const agent = namesOf(await list(live.credential));
    assert.ok(server.includes('verify_otp') && !server.some((name) => name.startsWith('send')));
    assert.ok(agent.includes('send_otp') && !agent.includes('get_test_inbox'));
    await withClient(live.credential, async (client) => {
      const refusal = await refused(client, 'get_test_inbox', { to: '+6591234567' });
      assert.match(refusal.message, /only on the virtual phone network/);
    });
  });

  test('one REST call can be read as it is: method, schema, errors with what to do', async () => {
    await withClient(whole.credential, async (client) => {
      const told = await done(client, 'get_operation', { operation_id: 'verifyOtp' });
      assert.deepEqual([told.method, told.path], ['POST', '/v1/verifications']);
      assert.ok(told.request.body.properties.verify_code);
      assert.deepEqual(
        told.errors.map(({ code }: { code: number }) => code),
        [3003, 3004, 4001],
      );
    });
  });
});
