// Tools for the AI SDK (`ai`): the whole set, ready for `generateText({ tools })`. Its `jsonSchema` is handed in, so that nothing is imported here.

import type { OTPClient } from '../client.ts';

export interface AiTool<Schema> {
  title: string;
  description: string;
  inputSchema: Schema;
  /** Whether the host must ask its user first: a send that reaches real people. */
  needsApproval: boolean;
  execute(input: unknown): Promise<{ [name: string]: unknown }>;
}

// biome-ignore lint/suspicious/noExplicitAny: each version of the AI SDK declares JSON Schema in a way of its own
type MakeSchema<Schema> = (schema: any) => Schema;

export async function aiSdkTools<Schema>(
  client: Pick<OTPClient, 'tools'>,
  { jsonSchema }: { jsonSchema: MakeSchema<Schema> },
): Promise<{ [name: string]: AiTool<Schema> }> {
  const tools: { [name: string]: AiTool<Schema> } = {};
  for (const { name, title, description, inputSchema, _meta } of await client.tools.definitions()) {
    tools[name] = {
      title,
      description,
      inputSchema: jsonSchema(inputSchema),
      needsApproval: _meta !== undefined && _meta['engagelab-otp/live'] === true,
      execute: async (input) => (await client.tools.call(name, (input || {}) as object)).content,
    };
  }
  return tools;
}
