// Tools for OpenAI's Responses API: `tools` goes into the request, and `run` answers each function_call of the output.

import type { OTPClient } from '../client.ts';

export interface FunctionCall {
  call_id: string;
  name: string;
  /** JSON, as the model wrote it. */
  arguments: string;
}

export interface FunctionTool {
  type: 'function';
  name: string;
  description: string;
  parameters: { [keyword: string]: unknown };
  strict: true;
}

export interface FunctionCallOutput {
  type: 'function_call_output';
  call_id: string;
  output: string;
}

export interface OpenAITools {
  tools: FunctionTool[];
  /** Never throws for what a model can do wrong: the output then says what and what to do next. */
  run(call: FunctionCall): Promise<FunctionCallOutput>;
}

export async function openaiTools(client: Pick<OTPClient, 'tools'>): Promise<OpenAITools> {
  return {
    tools: (await client.tools.definitions('openai')) as FunctionTool[],
    async run({ call_id, name, arguments: text }) {
      const args = readArguments(text);
      const { content } = args
        ? await client.tools.call(name, args)
        : { content: { message: 'arguments: not a JSON object', next_step: 'Call again with a JSON object.' } };
      return { type: 'function_call_output', call_id, output: JSON.stringify(content) };
    },
  };
}

function readArguments(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
