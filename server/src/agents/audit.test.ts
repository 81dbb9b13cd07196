/** Every call of a tool is in the log, and nothing is in it that a log may not hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { done, makeSandboxKey, newKey, openClient, refused } from './fixture.ts';

const lines: string[] = [];

onEachApp(
  'the audit of tools',
  (get) => {
    test('tells key, tool, masked arguments and outcome under the request id of the answer', async () => {
      const { credential, keyId } = await makeSandboxKey(get());
      const client = await openClient(get(), credential);
      const to = '+6595551234';
      lines.length = 0;
      const args = { to, template_id: 'sandbox-otp-tpl', params: { name: 'Ana' }, idempotency_key: newKey() };
      const { message_id } = await done(client, 'send_otp', args);
      await get().live(3);
      const { messages } = await done(client, 'get_test_inbox', { to });
      await done(client, 'verify_otp', { message_id, code: messages[0].code });
      const refusal = await refused(client, 'create_template', {});
      await client.close();
      const calls = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'tool');
      assert.deepEqual(
        calls.map(({ tool, outcome, key_id, code }) => [tool, outcome, key_id, code]),
        [
          ['send_otp', 'done', keyId, undefined],
          ['get_test_inbox', 'done', keyId, undefined],
          ['verify_otp', 'done', keyId, undefined],
          ['create_template', 'refused', keyId, 2004],
        ],
      );
      assert.equal(calls[0].arguments.to, '+65••••••34');
      assert.deepEqual([...new Set(calls.map((call) => call.client))], ['test 1']);
      assert.equal(calls[3].request_id, refusal.request_id);
      const [, secret = ''] = credential.split(':');
      for (const hidden of ['95551234', messages[0].code, 'Ana', secret])
        assert.ok(!lines.some((line) => line.includes(hidden)), hidden);
    });

    test('holds no code, secret or address that stands where none belongs, and is short', async () => {
      const { credential } = await makeSandboxKey(get());
      const client = await openClient(get(), credential, { mode: 'legacy', headers: { 'user-agent': 'old/1.0' } });
      lines.length = 0;
      const code = '482913';
      await refused(client, 'verify_otp', { message_id: '1', verify_code: code, body: { code }, dev_secret: code });
      await refused(client, 'send_otp', { to: code, template: { params: { code } }, [code]: 1, template_id: { code } });
      await refused(client, 'get_test_inbox', { to: '98120044 hello' });
      await refused(client, 'get_message', { message_id: `+6591234567 ${'x'.repeat(100_000)}` });
      await client.close();
      const open = await openClient(get(), null, { path: '/mcp/docs' });
      await refused(open, 'search_docs', { query: 'x'.repeat(10_000), code });
      await open.close();
      const calls = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'tool');
      assert.deepEqual(
        calls.map((call) => [call.tool, call.arguments, call.unknown_arguments, call.client]),
        [
          ['verify_otp', { message_id: '1' }, 3, 'old/1.0'],
          ['send_otp', { to: '•••', template_id: '•••' }, 2, 'old/1.0'],
          ['get_test_inbox', { to: '•••' }, undefined, 'old/1.0'],
          ['get_message', { message_id: `+65••••••67 ${'x'.repeat(200)}`.slice(0, 200) }, undefined, 'old/1.0'],
          ['search_docs', { query: 'x'.repeat(200) }, 1, 'test 1'],
        ],
      );
      for (const hidden of [code, '98120044', '91234567'])
        assert.ok(!lines.some((line) => line.includes(hidden)), hidden);
    });
  },
  { logTo: { write: (line) => void lines.push(line) } },
);
