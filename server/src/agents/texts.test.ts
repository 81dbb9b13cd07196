/** What clients read: resources and prompts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '@modelcontextprotocol/client';
import { errorTable, reasons } from '../errors.ts';
import { onEachApp } from '../testing/app.ts';
import { makeSandboxKey, openClient } from './fixture.ts';

onEachApp('resources and prompts', (get) => {
  let client: Client;
  before(async () => {
    client = await openClient(get(), (await makeSandboxKey(get())).credential);
  });
  after(() => client.close());

  const textOf = async (uri: string): Promise<string> => {
    const [content] = (await client.readResource({ uri })).contents;
    return content && 'text' in content ? String(content.text) : '';
  };

  test('the API description is the one that is served', async () => {
    const [{ uri } = { uri: '' }] = (await client.listResources()).resources;
    const served = await get().call({ path: '/openapi.json', credential: null });
    assert.deepEqual(JSON.parse(await textOf(uri)), served.body);
  });

  test('every error says what it means and what to do; an unknown one is not there', async () => {
    const { resourceTemplates } = await client.listResourceTemplates();
    const template = resourceTemplates.find(({ name }) => name === 'error');
    for (const [code, { title, next }] of Object.entries(errorTable)) {
      const text = await textOf(template?.uriTemplate.replace('{code}', code) ?? '');
      assert.equal(text, (await get().call({ path: `/docs/errors/${code}.md`, credential: null })).body, 'the page');
      const begin = `**${title.charAt(0).toUpperCase()}${title.slice(1)}`;
      assert.ok(text.includes(begin) && text.includes(next), code);
      for (const [slug, [of]] of Object.entries(reasons))
        assert.equal(text.includes(`\`${slug}\``), of === Number(code));
    }
    for (const uri of ['otp://errors/9999', 'otp://errors/__proto__', 'otp://secrets', 'file:///etc/passwd'])
      await assert.rejects(client.readResource({ uri }), { code: -32602 });
  });

  test('prompts name tools that exist, and take what they are given', async () => {
    const { prompts } = await client.listPrompts();
    assert.deepEqual(
      prompts.map(({ name }) => name),
      ['integrate_otp', 'diagnose_delivery', 'review_integration'],
    );
    const known = new Set((await client.listTools()).tools.map(({ name }) => name));
    for (const { name } of prompts) {
      const { messages } = await client.getPrompt({ name, arguments: { message_id: '42', stack: 'Go' } });
      const [{ content } = { content: undefined }] = messages;
      const text = content?.type === 'text' ? content.text : '';
      const named = text.match(/\b(?:get|list|explain|send|verify|resend)_[a-z_]+/g) ?? [];
      for (const tool of named) assert.ok(known.has(tool), `${name} names ${tool}`);
      if (name === 'diagnose_delivery') assert.match(text, /The message is 42\./);
    }
    await assert.rejects(client.getPrompt({ name: 'no_such' }), { code: -32602 });
    for (const given of [{}, { message_id: '' }])
      await assert.rejects(client.getPrompt({ name: 'diagnose_delivery', arguments: given }), { code: -32602 });
  });
});
