/** Clients of the tools, as an agent's host makes them: the protocol's own client, over a socket, the bridge, or straight into the front door. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import {
  type CallToolResult,
  Client,
  type ClientCapabilities,
  type ElicitResult,
  StreamableHTTPClientTransport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { TestApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';

export interface ClientOptions {
  mode?: VersionNegotiationMode;
  path?: string;
  headers?: Record<string, string>;
  /** Without it the client asks the front door without a socket. */
  address?: string;
  /** Through the bridge on this machine, to `address`. */
  bridge?: boolean;
  /** The answer of the person in front of the client; without it the client can ask nobody. */
  person?: (question: { message: string; requestedSchema: unknown }) => ElicitResult;
  /** The test answers questions by itself. */
  byHand?: boolean;
  capabilities?: ClientCapabilities;
}

/** One that is shown the tools of the credential, or those that need none; close it. */
export async function openClient(
  app: TestApp,
  credential: string | null,
  {
    mode = 'auto',
    path = '/mcp',
    headers = {},
    address,
    bridge = false,
    person,
    byHand = false,
    ...rest
  }: ClientOptions = {},
): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode },
      inputRequired: { autoFulfill: !byHand },
      capabilities: rest.capabilities ?? (person || byHand ? { elicitation: { form: {} } } : {}),
    },
  );
  if (person)
    client.setRequestHandler('elicitation/create', ({ params }) =>
      person(params as { message: string; requestedSchema: unknown }),
    );
  const overHttp = () =>
    new StreamableHTTPClientTransport(new URL(path, address ?? 'http://localhost'), {
      requestInit: { headers: { ...(credential !== null && { authorization: `Bearer ${credential}` }), ...headers } },
      ...(address === undefined && { fetch: inProcess(app) }),
    });
  await client.connect(bridge ? overBridge(String(address), String(credential)) : overHttp());
  return client;
}

const overBridge = (address: string, credential: string) =>
  new StdioClientTransport({
    command: process.execPath,
    args: [fileURLToPath(new URL('../../../mcp/bridge.mjs', import.meta.url))],
    env: { ENGAGELAB_BASE_URL: address, ENGAGELAB_AGENT_KEY: credential },
  });

const inProcess =
  (app: TestApp): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const payload = await request.text();
    const reply = await app.app.frontDoor.inject({
      method: request.method as 'POST',
      url: new URL(request.url).pathname,
      headers: { host: 'localhost', ...Object.fromEntries(request.headers) },
      ...(payload !== '' && { payload }),
    });
    const headers = Object.entries(reply.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return new Response(reply.statusCode === 202 ? null : reply.body, { status: reply.statusCode, headers });
  };

export interface Refused {
  code: number;
  message: string;
  reason?: string;
  fields?: { field: string; problem: string }[];
  retryable: boolean;
  retry_after_s?: number;
  next_step: string;
  docs_url: string;
  request_id: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the answer of any tool; its schema was compared by the client
export async function done(client: Client, name: string, args: object = {}): Promise<any> {
  const result = (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
  assert.notEqual(result.isError, true, JSON.stringify(result.content));
  const [block] = result.content;
  assert.deepEqual(block?.type === 'text' && JSON.parse(block.text), result.structuredContent);
  return result.structuredContent;
}

export async function refused(client: Client, name: string, args: object = {}): Promise<Refused> {
  const result = (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
  assert.equal(result.isError, true, JSON.stringify(result));
  assert.equal(result.structuredContent, undefined);
  const [block] = result.content;
  assert.equal(block?.type, 'text');
  const refusal = JSON.parse(block.text) as Refused;
  assert.ok(refusal.next_step.length > 10, 'says what to do next');
  assert.ok(refusal.message && refusal.docs_url && refusal.request_id, JSON.stringify(refusal));
  return refusal;
}

export interface AgentKey {
  credential: string;
  keyId: string;
  application: string;
}

/** In a sandbox of its own, with its templates. */
export async function makeSandboxKey(app: TestApp, key: object = { kind: 'agent' }): Promise<AgentKey> {
  const { id } = bodyOf(await app.operator({ path: '/admin/v1/organizations', body: { name: 'Agents' } }));
  const made = bodyOf(await app.operator({ path: `/admin/v1/organizations/${id}/sandbox-keys`, body: key }));
  const { dev_key, dev_secret, id: keyId, application_id } = made.api_key;
  return { credential: `${dev_key}:${dev_secret}`, keyId, application: application_id };
}

let keys = 0;
export const newKey = (): string => `send-${++keys}`;
