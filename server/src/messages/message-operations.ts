/** One message: find, list, resend, next channel, cancel (contract §11.1–11.3). */
import { z } from 'zod';
import { channelNames } from '../delivery/index.ts';
import { causes } from '../events/index.ts';
import { type Call, defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import type { Application, Caller } from '../policy.ts';
import { plainText } from '../wire.ts';
import { type Acted, cancel, nextChannel, resend } from './act.ts';
import type { ResentBy } from './agent-resend.ts';
import { withApproval } from './approval.ts';
import type { MessagesContext } from './context.ts';
import { decisionSchema } from './decision.ts';
import { storyExample, summaryExample } from './examples.ts';
import { findMessages, tellStory } from './find.ts';
import { requireMessageId } from './message-id.ts';

const channel = z.enum(channelNames);
const messageStates = ['queued', 'sending', 'sent', 'delivered', 'failed', 'invalid', 'cancelled'] as const;
const verificationStates = ['pending', 'verified', 'exhausted', 'expired', 'cancelled', 'superseded'] as const;
const params = z.object({ message_id: plainText(1, 64) });
const cost = z.object({ amount: z.number(), currency: z.string().describe('ISO 4217') });
const kind = z.enum(['otp', 'code', 'custom']);

const story = z.object({
  message_id: z.string(),
  kind,
  to: z.string(),
  template_id: z.string(),
  language: z.string(),
  country: z.string().nullable(),
  purpose: z.string().nullable(),
  state: z.enum(messageStates),
  send_channel: channel,
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  cost,
  custom_args: z.record(z.string(), z.string()),
  verification: z
    .object({
      state: z.enum(verificationStates),
      attempts: z.int(),
      attempts_remaining: z.int(),
      verified_at: z.iso.datetime().nullable(),
    })
    .nullable(),
  steps: z.array(z.object({ step: z.int(), channel, state: z.string(), error_code: z.int().optional() })),
  attempts: z
    .array(
      z.object({
        step: z.int(),
        attempt: z.int(),
        try: z.int().describe('Provider calls of one attempt: repeated after a refusal or an unknown outcome.'),
        channel,
        provider: z.string(),
        route: z.string().nullable().describe('Why the route led to this provider; null on the virtual network.'),
        sender: z.string().nullable(),
        upstream_id: z.string().nullable(),
        outcome: z.enum(['accepted', 'refused', 'unknown']),
        error_code: z.int().optional(),
        detail: z.string().optional(),
        started_at: z.iso.datetime(),
        latency_ms: z.int(),
        cost,
        receipt: z
          .object({
            state: z.enum(['delivered', 'undelivered']),
            at: z.iso.datetime(),
            after_ms: z.int(),
            error_code: z.int().optional(),
            detail: z.string().optional(),
          })
          .nullable(),
      }),
    )
    .describe('Every call to an upstream, in order.'),
  explanation: z.object({ cause: z.string(), next_step: z.string() }).describe('How it stands and what to do next.'),
  decision: decisionSchema.describe('What was asked before it was accepted, and what the answers were.'),
  timeline: z.array(
    z.object({
      at: z.iso.datetime(),
      event: z.string().nullable(),
      sequence: z.int().nullable(),
      step: z.int().nullable(),
      channel: channel.nullable(),
      cause: z.enum(causes),
      error_code: z.int().optional(),
      fallback_pending: z.literal(true).optional(),
      late: z.literal(true).optional(),
      text: z.string(),
    }),
  ),
});

const listQuery = z.object({
  to: plainText(1, 320).optional(),
  template: plainText(1, 128).optional(),
  status: z.enum([...messageStates, ...verificationStates]).optional(),
  channel: channel.optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 alpha-2 code')
    .optional(),
  from: z.string().max(64).optional().describe('RFC 3339 or unix seconds; default 24 hours ago.'),
  until: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().refine(isId, 'not a cursor of this list').optional(),
});

const summary = z.object({
  message_id: z.string(),
  kind,
  to: z.string(),
  template_id: z.string(),
  state: z.enum(messageStates),
  verification_state: z.enum(verificationStates).nullable(),
  send_channel: channel,
  country: z.string().nullable(),
  created_at: z.iso.datetime(),
  cost,
});

const acted = z.object({ message_id: z.string(), send_channel: channel });
const exampleId = '2072832692843466759';
const tag = 'Messages';

export function makeMessageOperations(context: MessagesContext): Operation[] {
  const requireId: RequireId = (messageId, application) => requireMessageId(messageId, application, context.now());
  return [getMessage(context, requireId), listOf(context), ...actions(context, requireId)];
}

type RequireId = (messageId: string, application: Application) => string;

function getMessage(context: MessagesContext, requireId: RequireId): Operation {
  return defineOperation(
    {
      id: 'getMessage',
      method: 'GET',
      path: '/v1/messages/{message_id}',
      tag,
      auth: 'key',
      permission: 'read',
      summary: 'Find a message with its whole story',
      description: 'State, steps and every event in plain words. The code never appears. Raises msg_history.',
      input: { params },
      output: story,
      errors: [4001],
      examples: [{ name: 'delivered by the second channel', output: storyExample }],
      agent: {
        title: 'Find a message',
        description: 'State, channel in use, steps and timeline of one message. Never the code.',
      },
    },
    async (call) => {
      const { application } = call.caller;
      const story = await tellStory(context, application, requireId(call.params.message_id, application));
      await context.noteRead(call, 'view', 1);
      return story;
    },
  );
}

function listOf(context: MessagesContext): Operation {
  return defineOperation(
    {
      id: 'listMessages',
      method: 'GET',
      path: '/v1/messages',
      tag,
      auth: 'key',
      permission: 'read',
      summary: 'List messages',
      description: 'Newest first, by default of the last 24 hours. Raises msg_history.',
      input: { query: listQuery },
      output: z.object({ messages: z.array(summary), next_cursor: z.string().nullable() }),
      errors: [],
      examples: [{ name: 'one message', output: { messages: [summaryExample], next_cursor: null } }],
      agent: {
        title: 'List messages',
        description:
          'Messages of the last 24 hours or a given time, filtered by recipient, template, state, channel or country.',
      },
    },
    async (call) => {
      const found = await findMessages(context, call.caller.application, call.query);
      await context.noteRead(call, 'query', found.messages.length);
      return found;
    },
  );
}

const answerOf = (result: Acted) => ({ message_id: result.messageId, send_channel: result.channel });

type KeyCall = Pick<Call<unknown, unknown, unknown>, 'requestId' | 'header'> & { caller: Caller };

function actions(context: MessagesContext, requireId: RequireId): Operation[] {
  const byApproved = <T>(
    call: KeyCall,
    operation: ResentBy['operation'],
    deed: (by: ResentBy) => Promise<T>,
  ): Promise<T> =>
    withApproval(context.askApproval, call.caller, (caller) =>
      deed({ caller, operation, requestId: call.requestId, client: call.header('user-agent') ?? null }),
    );
  const resendMessage = defineOperation(
    {
      id: 'resendOtp',
      method: 'POST',
      path: '/v1/messages/{message_id}/resend',
      tag,
      auth: 'key',
      permission: 'send',
      summary: 'Send a living message again',
      description: 'From the start of the chain or by one channel of it; same or new code as the resend policy says.',
      input: { params, body: z.object({ channel: channel.optional() }) },
      bodyOptional: true,
      output: acted.extend({ attempt: z.int(), expires_at: z.iso.datetime().optional() }),
      errors: [3003, 3004, 4001, 5019],
      examples: [
        {
          name: 'by SMS',
          body: { channel: 'sms' },
          output: { message_id: exampleId, send_channel: 'sms', attempt: 2, expires_at: '2026-07-03T00:05:00.000Z' },
        },
      ],
      agent: {
        title: 'Resend a code',
        description: 'Sends a living message again. Counts toward the sends of the recipient.',
      },
    },
    async (call) => {
      const { application } = call.caller;
      const id = requireId(call.params.message_id, application);
      const result = await byApproved(call, 'resendOtp', (by) =>
        resend(context, application, id, call.body.channel ?? null, by),
      );
      return {
        ...answerOf(result),
        attempt: result.attempt,
        ...(result.expiresAt && { expires_at: result.expiresAt.toISOString() }),
      };
    },
  );
  const next = defineOperation(
    {
      id: 'nextChannel',
      method: 'POST',
      path: '/v1/messages/{message_id}/next-channel',
      tag,
      auth: 'key',
      permission: 'send',
      summary: 'Start the next channel now',
      input: { params, body: z.object({}) },
      bodyOptional: true,
      output: acted,
      errors: [3003, 3004, 4001, 5019],
      examples: [{ name: 'on to SMS', body: {}, output: { message_id: exampleId, send_channel: 'sms' } }],
    },
    async (call) => {
      const { application } = call.caller;
      const id = requireId(call.params.message_id, application);
      return answerOf(await byApproved(call, 'nextChannel', (by) => nextChannel(context, application, id, by)));
    },
  );
  const cancelMessage = defineOperation(
    {
      id: 'cancelMessage',
      method: 'POST',
      path: '/v1/messages/{message_id}/cancel',
      tag,
      auth: 'key',
      permission: 'send',
      summary: 'Cancel a message and its code',
      description: 'Ends the code and what is still planned; repeatable. What has left cannot be recalled.',
      input: { params, body: z.object({}) },
      bodyOptional: true,
      output: z.object({ message_id: z.string(), state: z.literal('cancelled') }),
      errors: [3003, 4001],
      examples: [{ name: 'cancelled', body: {}, output: { message_id: exampleId, state: 'cancelled' } }],
      agent: { title: 'Cancel a message', description: 'Stops the open steps and invalidates the code.' },
    },
    async ({ caller: { application }, params: { message_id } }) => {
      await cancel(context, application, requireId(message_id, application));
      return { message_id, state: 'cancelled' as const };
    },
  );
  return [resendMessage, next, cancelMessage];
}
