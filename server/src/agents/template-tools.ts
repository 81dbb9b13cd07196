/** Tools for templates. Writing one shows its effect first, and whether a person must approve it is the application's policy. */
import { z } from 'zod';
import { reads, shape, type ToolShape } from './tool.ts';

const template_id = z.string().min(1).max(128);
const statuses = { pending: 1, approved: 2, rejected: 3 } as const;

interface Listed {
  status: number;
  send_channel_strategy: string;
}

export const templateTools: readonly ToolShape[] = [
  shape({
    name: 'list_templates',
    operation: 'listTemplates',
    toolset: 'templates',
    hints: reads,
    unmasked: true,
    input: z.object({
      status: z.enum(['pending', 'approved', 'rejected']).optional(),
      channel: z.enum(['whatsapp', 'sms', 'email', 'voice']).optional().describe('In the chain of the template.'),
    }),
    ask: () => ({}),
    list: 'templates',
    answer: ({ templates }, { status, channel }) => ({
      templates: (templates as Listed[]).filter(
        (found) =>
          (status === undefined || found.status === statuses[status]) &&
          (channel === undefined || found.send_channel_strategy.split('|').includes(channel)),
      ),
    }),
  }),
  shape({
    name: 'get_template',
    operation: 'getTemplate',
    toolset: 'templates',
    hints: reads,
    unmasked: true,
    input: z.object({ template_id }),
    ask: (args) => ({ params: args }),
  }),
  shape({
    name: 'preview_template',
    operation: 'previewTemplate',
    toolset: 'templates',
    hints: reads,
    unmasked: true,
    input: z.object({
      template_id,
      language: z.string().max(32).optional().describe('Absent: all seven.'),
      params: z.record(z.string(), z.string().max(1024)).optional(),
    }),
    ask: ({ template_id: id, ...body }) => ({ params: { template_id: id }, body }),
  }),
  shape({
    name: 'create_template',
    operation: 'createTemplate',
    toolset: 'templates',
    hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    unmasked: true,
    takesBody: true,
    tries: true,
    input: z.looseObject({
      dry_run: z.boolean().default(true).describe('true: says what would be saved and what lint finds; saves nothing.'),
    }),
    ask: ({ dry_run: _, ...body }) => ({ body }),
  }),
];
