/** Tools for the webhooks of the caller's own application. */
import { z } from 'zod';
import { reads, shape, type ToolShape } from './tool.ts';

const time = z.iso.datetime({ offset: true });
const endpoint_id = z.string().min(1).max(24);

export const callbackTools: readonly ToolShape[] = [
  shape({
    name: 'list_callbacks',
    operation: 'listCallbacks',
    toolset: 'callbacks',
    hints: reads,
    input: z.object({
      endpoint_id: endpoint_id.optional(),
      message_id: z.string().min(1).max(64).optional(),
      state: z.enum(['waiting', 'retrying', 'given_up', 'accepted']).optional(),
      since: time.optional(),
      cursor: z.string().max(120).optional(),
    }),
    ask: (args) => ({ query: Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) }),
  }),
  shape({
    name: 'replay_callback',
    operation: 'replayCallback',
    toolset: 'callbacks',
    hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    input: z.object({
      delivery_id: z.string().min(1).max(72).optional().describe('As list_callbacks names it; or:'),
      endpoint_id: endpoint_id.optional(),
      since: time.optional().describe('With endpoint_id: what failed there since then, at most 100.'),
      dry_run: z.boolean().default(true).describe('true: only counts.'),
    }),
    ask: (args) => ({ body: args }),
  }),
];
