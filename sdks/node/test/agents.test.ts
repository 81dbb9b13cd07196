// The loop of an agent's host with each vendor's types, a scripted model, and a running server: send, read the inbox, verify.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { generateText, isStepCount, jsonSchema } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import type OpenAI from 'openai';
import { openTestApp, type TestApp } from '../../../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../../../server/src/testing/database.ts';
import { aiSdkTools } from '../src/agents/ai-sdk.ts';
import { anthropicTools } from '../src/agents/anthropic.ts';
import { openaiTools } from '../src/agents/openai.ts';
import { OTPClient } from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a tool answered, as the model reads it
type Answer = any;
interface Asked {
  name: string;
  args: Record<string, unknown>;
}

let database: TestDatabase;
let app: TestApp;
let baseUrl: string;
before(async () => {
  database = await openTestDatabase('pglite');
  app = await openTestApp(database);
  baseUrl = await app.app.frontDoor.listen('127.0.0.1', 0);
});
after(async () => {
  await app.close();
  await database.close();
});

/** A client with a key of its own sandbox; time passes between its calls, so that what it sent arrives. */
async function makeClient(): Promise<OTPClient> {
  const { body } = await app.operator({ path: '/admin/v1/organizations', body: { name: 'Agents' } });
  const made = await app.operator({
    path: `/admin/v1/organizations/${body.id}/sandbox-keys`,
    body: { kind: 'agent' },
  });
  const { dev_key, dev_secret } = made.body.api_key;
  return new OTPClient(dev_key, dev_secret, {
    baseUrl,
    maxRetries: 1,
    async fetch(url, init) {
      await app.live(3);
      return fetch(url, init as RequestInit) as never;
    },
  });
}

let sends = 0;

/** What the model asks for next, from what the last tool answered; `absent` is how its vendor says that nothing is meant. */
function script(to: string, absent?: null): (last: Answer) => Asked | string {
  const none = absent === null ? { language: null, params: null } : {};
  const steps: ((last: Answer) => Asked | string)[] = [
    () => ({ name: 'list_templates', args: { status: 'approved', channel: 'sms' } }),
    ({ templates: [{ template_id }] }) => ({
      name: 'send_otp',
      args: { to, template_id, ...none, idempotency_key: `agent-${++sends}` },
    }),
    () => ({ name: 'get_test_inbox', args: { to, wait_s: 5, ...(absent === null && { since: null }) } }),
    ({ messages: [{ message_id, code }] }) => ({ name: 'verify_otp', args: { message_id, code } }),
    ({ verified }) => `verified: ${verified}`,
  ];
  return (last) => steps.shift()?.(last) ?? 'done';
}

test('OpenAI: strict tools, the loop of the Responses API', async () => {
  const { tools, run } = await openaiTools(await makeClient());
  const model = script('+6593330001', null);
  const params: OpenAI.Responses.ResponseCreateParamsNonStreaming = { model: 'scripted', input: [], tools };
  const input = params.input as OpenAI.Responses.ResponseInput;
  let last: Answer = {};
  for (let turn = 0; ; turn++) {
    const asked = model(last);
    if (typeof asked === 'string') {
      assert.equal(asked, 'verified: true');
      break;
    }
    const call: OpenAI.Responses.ResponseFunctionToolCall = {
      type: 'function_call',
      call_id: `call_${turn}`,
      name: asked.name,
      arguments: JSON.stringify(asked.args),
    };
    const output = await run(call);
    input.push(call, output);
    last = JSON.parse(output.output);
  }
  assert.equal(input.length, 8);
  const broken = await run({ call_id: 'x', name: 'send_otp', arguments: '{"to":' });
  assert.match(broken.output, /not a JSON object/);
});

test('Anthropic: tool_use and tool_result; a refusal is a result the model can read', async () => {
  const { tools, run } = await anthropicTools(await makeClient());
  const model = script('+6593330002');
  const params: Anthropic.MessageCreateParamsNonStreaming = { model: 'scripted', max_tokens: 1, messages: [], tools };
  let last: Answer = {};
  for (let turn = 0; ; turn++) {
    const asked = model(last);
    if (typeof asked === 'string') {
      assert.equal(asked, 'verified: true');
      break;
    }
    const use: Anthropic.ToolUseBlockParam = {
      type: 'tool_use',
      id: `use_${turn}`,
      name: asked.name,
      input: asked.args,
    };
    const result = await run(use);
    params.messages.push({ role: 'assistant', content: [use] }, { role: 'user', content: [result] });
    assert.equal(result.is_error, false, result.content);
    last = JSON.parse(result.content);
  }
  const refused = await run({ id: 'x', name: 'verify_otp', input: { message_id: '1', code: '1' } });
  assert.equal(refused.is_error, true);
  assert.deepEqual([JSON.parse(refused.content).code, refused.tool_use_id], [4001, 'x']);
  assert.equal((await run({ id: 'y', name: 'rotate_secret', input: {} })).is_error, true);
});

test('AI SDK: its own loop runs to the end; only a live send asks for approval', async () => {
  const tools = await aiSdkTools(await makeClient(), { jsonSchema });
  const next = script('+6593330003');
  const counted = { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 };
  const usage = { inputTokens: counted, outputTokens: { total: 1, text: 1, reasoning: 0 } };
  const model = new MockLanguageModelV4({
    async doGenerate({ prompt }) {
      const result = prompt.at(-1);
      const part = result?.role === 'tool' ? result.content[0] : undefined;
      const last = part?.type === 'tool-result' && part.output.type === 'json' ? part.output.value : {};
      const asked = next(last);
      const content =
        typeof asked === 'string'
          ? { type: 'text' as const, text: asked }
          : {
              type: 'tool-call' as const,
              toolCallId: `call_${prompt.length}`,
              toolName: asked.name,
              input: JSON.stringify(asked.args),
            };
      const unified = typeof asked === 'string' ? ('stop' as const) : ('tool-calls' as const);
      return { content: [content], finishReason: { unified, raw: unified }, usage, warnings: [] };
    },
  });
  const { text, steps } = await generateText({
    model,
    tools,
    prompt: 'Verify.',
    stopWhen: isStepCount(9),
  });
  assert.equal(text, 'verified: true');
  assert.equal(steps.length, 5);
  assert.ok(Object.values(tools).every(({ needsApproval }) => !needsApproval));

  const { id } = await app.makeApplication({ network: 'live' });
  const { credential } = await app.makeKey(id, { kind: 'agent', agent: { mode: 'live', countries: ['SG'] } });
  const [key, secret] = credential.split(':');
  const live = await aiSdkTools(new OTPClient(key, secret, { baseUrl }), { jsonSchema });
  assert.deepEqual([live['send_otp']?.needsApproval, live['verify_otp']?.needsApproval], [true, false]);
});

test('a wrong credential is an error of the client, not something for the model', async () => {
  const stranger = new OTPClient('dk_nobody', 'no-secret', { baseUrl });
  await assert.rejects(openaiTools(stranger), { code: 2001 });
  await assert.rejects(stranger.tools.call('send_otp', {}), { code: 2001 });
});
