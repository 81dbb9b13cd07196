/** Tools that look: at messages, at what happened, at the handsets of the virtual phone network. */
import { z } from 'zod';
import { message_id } from './send-tools.ts';
import { reads, shape, type ToolShape } from './tool.ts';

const channel = z.enum(['whatsapp', 'sms', 'email', 'voice']).optional();
const time = z.iso.datetime({ offset: true });
const cursor = z.string().max(64).optional().describe('next_cursor of the page before.');

/** Parameters in the query of an operation: what was not given is left out. */
const withoutNothing = (given: Record<string, string | number | undefined>) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

const told = ['message_id', 'kind', 'to', 'template_id', 'state', 'send_channel', 'created_at', 'expires_at'] as const;

export const readTools: readonly ToolShape[] = [
  shape({
    name: 'get_message',
    operation: 'getMessage',
    toolset: 'inspect',
    hints: reads,
    input: z.object({ message_id }),
    ask: (args) => ({ params: args }),
    fields: [...told, 'cost', 'verification', 'steps'],
  }),
  shape({
    name: 'list_messages',
    operation: 'listMessages',
    toolset: 'inspect',
    hints: reads,
    input: z.object({
      status: z.string().max(32).optional().describe('Of the message (queued … cancelled) or its code (pending …).'),
      channel,
      template_id: z.string().max(128).optional(),
      to: z.string().max(320).optional(),
      since: time.optional().describe('Default 24 hours ago.'),
      until: time.optional(),
      cursor,
      limit: z.int().min(1).max(50).default(20),
    }),
    renamed: { template: 'template_id', from: 'since' },
    ask: ({ template_id: template, since: from, ...query }) => ({
      query: withoutNothing({ ...query, template, from }),
    }),
  }),
  shape({
    name: 'explain_message',
    operation: 'getMessage',
    title: 'Explain a message',
    description:
      'Why a message did or did not arrive: plain cause and next step, timeline, every try at a provider with its answer, the limits that were asked with their counts. Never the code. Free, read-only.',
    toolset: 'inspect',
    hints: reads,
    input: z.object({ message_id }),
    ask: (args) => ({ params: args }),
    fields: ['message_id', 'to', 'state', 'send_channel', 'explanation', 'decision', 'attempts', 'timeline'],
  }),
  shape({
    name: 'lookup_number',
    operation: 'lookupNumber',
    toolset: 'inspect',
    hints: reads,
    // What the caller said itself, in another form.
    unmasked: true,
    input: z.object({
      number: z.string().min(1).max(64).describe('E.164 with +, or as dialled within default_region.'),
      default_region: z.string().length(2).optional().describe('ISO 3166 alpha-2, for a number without +.'),
    }),
    ask: (args) => ({ query: withoutNothing(args) }),
  }),
  shape({
    name: 'get_insights',
    operation: 'getInsights',
    toolset: 'inspect',
    hints: reads,
    input: z.object({
      from: time.describe('At most 92 days before `to`.'),
      to: time.describe('Hours of UTC count whole.'),
      group_by: z
        .string()
        .max(64)
        .optional()
        .describe('One or two of country, channel, template, provider, hour, day, with a comma between them.'),
    }),
    renamed: { until: 'to' },
    ask: ({ from, to: until, group_by }) => ({ query: withoutNothing({ from, until, group_by }) }),
  }),
  shape({
    name: 'get_test_inbox',
    operation: 'listSandboxMessages',
    toolset: 'test',
    reach: 'virtual',
    hints: reads,
    input: z.object({
      to: z.string().min(1).max(320).describe('The virtual handset: the recipient of the send.'),
      since: time.optional().describe('Only what was received from then on.'),
      wait_s: z.int().min(0).max(20).default(0).describe('Seconds to wait for a message, if there is none yet.'),
    }),
    renamed: { wait: 'wait_s' },
    ask: ({ to, wait_s: wait }) => ({ query: { to, wait, limit: 20 } }),
    answer: ({ messages }, { since }) => ({
      messages: (messages as { received_at: string }[]).filter(
        ({ received_at }) => since === undefined || Date.parse(received_at) >= Date.parse(since),
      ),
    }),
  }),
];
