// The tools that the credential gives an AI agent: their definitions, and calling one. The server holds the guards: what a tool may do, where
// it may send and how often is decided there, for every call.

import type { Transport } from '../transport.ts';

export type ToolFormat = 'openai' | 'anthropic' | 'mcp';

export interface ToolDefinition {
  name: string;
  title: string;
  description: string;
  inputSchema: { type: 'object'; [keyword: string]: unknown };
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean; openWorldHint: boolean };
  _meta?: { [name: string]: unknown };
}

export interface ToolOutcome {
  /** The tool refused or failed; `content` then has `message` and `next_step`, for the model to read. */
  isError: boolean;
  content: { [name: string]: unknown };
}

const revision = '2026-07-28';
const meta = {
  'io.modelcontextprotocol/protocolVersion': revision,
  'io.modelcontextprotocol/clientInfo': { name: 'engagelab-otp-node', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** The longest that a tool waits on purpose. */
const longestWaitMs = 20_000;

interface Answer {
  result?: { isError?: boolean; content: { type: string; text: string }[] };
  error?: { code: number; message: string };
}

export class Tools {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What the credential may call, as definitions in the form of a vendor. */
  definitions(format?: 'mcp'): Promise<ToolDefinition[]>;
  definitions(format: ToolFormat): Promise<unknown[]>;
  definitions(format: ToolFormat = 'mcp'): Promise<unknown[]> {
    return this.#transport.request({ method: 'GET', path: '/agents/tools.json', query: { format } });
  }

  /** Calls a tool as a model asked for it. A refusal is an outcome, not an error; a wrong credential throws. */
  async call(name: string, args: object): Promise<ToolOutcome> {
    const { code } = args as { code?: unknown };
    const answer = await this.#transport.request<Answer>({
      method: 'POST',
      path: '/mcp',
      headers: {
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': revision,
        'Mcp-Method': 'tools/call',
        'Mcp-Name': name,
      },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: meta } },
      extraMs: longestWaitMs,
      hidden: [typeof code === 'string' ? code : undefined],
    });
    const { result, error } = answer;
    if (!result) return { isError: true, content: { message: error?.message ?? 'no answer' } };
    const [block] = result.content;
    return { isError: result.isError === true, content: block ? JSON.parse(block.text) : {} };
  }
}
