/** The tools as definitions for function calling and what leads to them, each by the rules of who reads it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { plainArguments } from './arguments.ts';
import { makeSandboxKey } from './fixture.ts';
import { strict } from './formats.ts';
import type { Json } from './tool.ts';

/** The rules of strict function calling: no open object, no property that may be left out, nothing it does not know. */
function checkStrict(schema: Json, at: string): void {
  const { type, properties, required, additionalProperties, items, anyOf } = schema as Record<string, never>;
  for (const key of ['default', 'minLength', 'maxLength', 'propertyNames', '$ref', 'format', 'examples'])
    assert.ok(!(key in schema), `${at}: ${key}`);
  if (properties) {
    assert.deepEqual([type, additionalProperties], ['object', false], at);
    assert.deepEqual(required, Object.keys(properties), at);
    for (const [name, part] of Object.entries(properties)) checkStrict(part as Json, `${at}.${name}`);
  } else assert.notEqual(type, 'object', `${at}: a free map`);
  if (items) checkStrict(items, `${at}[]`);
  for (const branch of (anyOf ?? []) as Json[]) checkStrict(branch, `${at}|`);
}

onEachApp(
  'function-calling definitions',
  (get) => {
    let credential: string;
    before(async () => {
      ({ credential } = await makeSandboxKey(get(), {
        kind: 'agent',
        permissions: ['send', 'verify', 'read', 'templates'],
      }));
    });
    const read = (query: string, key: string | null = credential, headers = {}) =>
      get().call({ path: `/agents/tools.json${query}`, credential: key, headers });

    test('come in the form of each vendor, the same tools in the same order', async () => {
      const openai = (await read('?format=openai')).body;
      const anthropic = (await read('?format=anthropic')).body;
      const mcp = (await read('?format=mcp')).body;
      assert.deepEqual((await read('')).body, mcp);
      const names = (list: { name: string }[]) => list.map(({ name }) => name);
      assert.deepEqual(names(openai), names(mcp));
      assert.deepEqual(names(anthropic), names(mcp));
      for (const tool of openai) {
        assert.deepEqual(Object.keys(tool), ['type', 'name', 'description', 'parameters', 'strict']);
        assert.match(tool.name, /^[a-zA-Z0-9_-]{1,64}$/);
        checkStrict(tool.parameters, tool.name);
      }
      for (const tool of anthropic) assert.deepEqual(Object.keys(tool), ['name', 'description', 'input_schema']);
    });

    test('are those of the credential', async () => {
      const { id } = await get().makeApplication({ network: 'live' });
      const { credential: live } = await get().makeKey(id, { permissions: ['verify', 'send'] });
      const names = (await read('?format=openai', live)).body.map(({ name }: { name: string }) => name);
      assert.ok(names.includes('verify_otp') && !names.includes('send_otp'));
      const narrowed = (await read('', credential, { 'x-mcp-toolsets': 'verify' })).body;
      assert.equal(narrowed.length, 1);
      const stranger = await read('', null);
      assert.deepEqual([stranger.status, stranger.headers['www-authenticate']], [401, 'Bearer']);
      assert.deepEqual([(await read('?format=x')).status, (await read('?format=x')).body.code], [400, 3002]);
      const posted = await get().call({ path: '/agents/tools.json', body: {} });
      assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD']);
    });

    test('a client that knows the address alone finds the way: card and catalog, open to every page, tagged', async () => {
      const catalog = await get().call({ path: '/.well-known/ai-catalog.json', credential: null });
      assert.equal(catalog.status, 200);
      const [entry] = JSON.parse(catalog.body).entries;
      const card = await get().call({ path: new URL(entry.url).pathname, credential: null });
      assert.equal(card.headers['content-type'], entry.type);
      assert.equal(card.headers['access-control-allow-origin'], '*');
      assert.ok(card.headers['etag']);
      const told = JSON.parse(card.body);
      assert.match(told.name, /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
      assert.ok(told.description.length <= 100);
      assert.deepEqual(
        told.remotes.map(({ url }: { url: string }) => new URL(url).pathname),
        ['/mcp', '/mcp/readonly', '/mcp/docs'],
      );
      assert.equal(told.tools, undefined);
    });
  },
  { env: { PUBLIC_URL: 'https://otp.example.com' } },
);

test('strict arguments are read back: null is absent, pairs are a map, at any depth', () => {
  const schema: Json = {
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'string' },
      language: { type: 'string' },
      wait: { anyOf: [{ type: 'integer' }, { type: 'object', additionalProperties: { type: 'integer' } }] },
      remark: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      texts: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            body: { type: 'string' },
            params: { type: 'object', additionalProperties: { type: 'string' } },
          },
        },
      },
    },
  };
  checkStrict(strict(schema), 'sample');
  const given = {
    id: 'x',
    language: null,
    remark: null,
    wait: [{ name: 'sms', value: 30 }],
    texts: [{ body: null, params: [{ name: 'a', value: 'b' }] }],
  };
  const read = { id: 'x', remark: null, wait: { sms: 30 }, texts: [{ params: { a: 'b' } }] };
  assert.deepEqual(plainArguments(schema, given), read);
  assert.deepEqual(plainArguments(schema, read), read);
  assert.deepEqual(plainArguments(schema, { wait: 5, other: null, more: [1] }), { wait: 5, more: [1] });
});
