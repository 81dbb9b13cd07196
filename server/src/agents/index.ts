/**
 * The platform as tools of AI agents: over MCP and as function-calling definitions, made from the operation registry. It promises that a tool
 * does what its REST call does, under the caller's own credential and limits; that no code of a real message, no secret and no full recipient is in
 * any output; and that a key that may not send live never does.
 */
import type { Endpoint, Page } from '../http/index.ts';
import { makeTools } from './catalog.ts';
import { makeDefinitionsEndpoint } from './definitions.ts';
import { makeDiscoveryPages } from './discovery.ts';
import { type McpPorts, makeMcpEndpoints } from './mcp.ts';

export type { InProcessCall } from './call-tool.ts';

export type AgentsOptions = McpPorts;

export interface Agents {
  endpoints: Endpoint[];
  pages: Page[];
}

export function createAgents(options: AgentsOptions): Agents {
  const tools = makeTools(options.operations);
  return {
    endpoints: [...makeMcpEndpoints(options, tools), makeDefinitionsEndpoint(options, tools)],
    pages: makeDiscoveryPages(options.publicUrl),
  };
}
