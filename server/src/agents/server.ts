/** A server of the protocol for one request, and what every one of them serves the same way: texts, results, refusals. */
import {
  type CacheScope,
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
} from '@modelcontextprotocol/server';
import { packageVersion } from '../http/openapi.ts';
import { prompts, promptText } from './prompts.ts';
import { listResources, type ResourcePorts, readResource, resourceTemplates } from './resources.ts';
import type { Json } from './tool.ts';

/** How long a client may keep a list. */
const listTtlMs = 60_000;
const cacheable = [
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'server/discover',
] as const;

/** `cacheScope`: public where nothing depends on who asks. Lists never change while a server runs. */
export function openServer({ instructions, cacheScope }: { instructions: string; cacheScope: CacheScope }): Server {
  const cached = { ttlMs: listTtlMs, cacheScope };
  return new Server(
    { name: 'engagelab-otp', title: 'OTP platform', version: packageVersion },
    {
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false, subscribe: false },
        ...(cacheScope === 'private' && { prompts: { listChanged: false } }),
      },
      instructions,
      cacheHints: Object.fromEntries(cacheable.map((method) => [method, cached])),
    },
  );
}

export function serveResources(server: Server, ports: ResourcePorts): void {
  server.setRequestHandler('resources/list', () => ({ resources: listResources(ports) }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const found = readResource(uri, ports);
    if (!found) throw new ResourceNotFoundError(uri);
    return { contents: [{ ...found, uri }] };
  });
}

export function servePrompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: prompts.map(({ text: _, ...shown }) => shown) }));
  server.setRequestHandler('prompts/get', ({ params: { name, arguments: given = {} } }) => {
    const told = promptText(name, given);
    if (told.fault !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, told.fault);
    return { messages: [{ role: 'user', content: { type: 'text', text: told.text } }] };
  });
}

export const success = (content: Json): CallToolResult => ({
  structuredContent: content,
  content: [{ type: 'text', text: JSON.stringify(content) }],
});

export const refusal = (content: object): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: JSON.stringify(content) }],
});
