// Tools for Anthropic's Messages API: `tools` goes into the request, and `run` answers each tool_use block.

import type { OTPClient } from '../client.ts';

export interface ToolUse {
  id: string;
  name: string;
  input: unknown;
}

export interface AnthropicTool {
  name: string;
  description: string;
  input_schema: { type: 'object'; [keyword: string]: unknown };
}

export interface ToolResult {
  type: 'tool_result';
  tool_use_id: string;
  content: string;
  is_error: boolean;
}

export interface AnthropicTools {
  tools: AnthropicTool[];
  /** Never throws for what a model can do wrong: the result then says what and what to do next. */
  run(use: ToolUse): Promise<ToolResult>;
}

export async function anthropicTools(client: Pick<OTPClient, 'tools'>): Promise<AnthropicTools> {
  return {
    tools: (await client.tools.definitions('anthropic')) as AnthropicTool[],
    async run({ id, name, input }) {
      const { isError, content } = await client.tools.call(name, (input || {}) as object);
      return { type: 'tool_result', tool_use_id: id, content: JSON.stringify(content), is_error: isError };
    },
  };
}
