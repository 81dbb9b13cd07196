/** A tool as the protocol tells it. */
import type { Tool as WireTool } from '@modelcontextprotocol/server';
import type { Caller } from '../policy.ts';
import type { Tool } from './tool.ts';

/** Whether sends of the caller reach real people. */
export const isLive = ({ application: { network } }: Caller): boolean => network === 'live';

/** A send that reaches real people is marked, so that a host can ask its user before each. */
export const wireTool = (
  { name, title, description, inputSchema, outputSchema, hints, shape: { reach } }: Tool,
  live: boolean,
): WireTool => ({
  name,
  title,
  description,
  inputSchema: inputSchema as WireTool['inputSchema'],
  outputSchema: outputSchema as WireTool['outputSchema'],
  annotations: hints,
  ...(live && reach === 'send' && { _meta: { 'engagelab-otp/live': true } }),
});
