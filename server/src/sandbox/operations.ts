/** The sandbox over HTTP (contract §11.7, §11.8, and the scripts of the virtual network, which are ours). */
import { z } from 'zod';
import { channelNames } from '../channels/index.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import { plainText } from '../wire.ts';
import { requireHandsets, requireOwnHandsets, requireSandbox } from './access.ts';
import type { SandboxDeeds } from './deeds.ts';
import {
  type ChannelReactions,
  channelReactionsSchema,
  readReaction,
  wireReactionSchema,
  writeReaction,
} from './reaction.ts';
import { readRecipient } from './recipient.ts';

const tag = 'Sandbox';
const success = { code: 0 as const, message: 'success' as const };
const successSchema = z.object({ code: z.literal(0), message: z.literal('success') });

export function createSandboxOperations(deeds: SandboxDeeds): Operation[] {
  return [readMessages(deeds), putWebhook(deeds), getRecipient(deeds), putRecipient(deeds), deleteRecipient(deeds)];
}

const handsetMessageSchema = z.object({
  message_id: z.string(),
  to: z.string(),
  channel: z.enum(channelNames),
  language: z.string(),
  text: z.string(),
  code: z.string().nullable(),
  subject: z.string().optional(),
  step: z.int(),
  attempt: z.int(),
  segments: z.int().nullable(),
  received_at: z.string(),
});

const handsetExample = {
  message_id: '2072832692843466759',
  to: '+6591234567',
  channel: 'sms',
  language: 'en',
  text: '482913 is your Acme verification code. It expires in 5 min. Do not share it with anyone.',
  code: '482913',
  step: 1,
  attempt: 1,
  segments: 1,
  received_at: '2026-07-03T00:00:01.000Z',
};

const messagesQuery = z.object({
  to: z.string().min(1).max(320).meta({ description: 'Phone number or e-mail address of the handset.' }),
  wait: z.coerce.number().int().min(0).max(30).default(0).meta({ description: 'Seconds to wait for a message.' }),
  after: z.string().refine(isId, { message: 'must be a message id' }).optional().meta({
    description: 'Message id: only newer messages.',
  }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const readMessages = (deeds: SandboxDeeds): Operation =>
  defineOperation(
    {
      id: 'listSandboxMessages',
      method: 'GET',
      path: '/v1/sandbox/messages',
      tag,
      auth: 'key',
      permission: 'read',
      summary: 'Read what a virtual handset received',
      description:
        'Newest first. Answers at once if something matches, else waits up to `wait` seconds. For sandbox credentials and applications on the virtual network.',
      input: { query: messagesQuery },
      output: z.object({ messages: z.array(handsetMessageSchema) }),
      errors: [5011],
      examples: [{ name: 'one code', output: { messages: [handsetExample] } }],
      agent: {
        title: 'Read sandbox handset',
        description: 'Reads the messages and codes that a virtual handset received, waiting for one if asked to.',
      },
    },
    async ({ caller: { application }, query, signal }) => {
      requireHandsets(application);
      const asked = {
        to: readRecipient(query.to),
        waitMs: query.wait * 1_000,
        after: query.after ?? '0',
        limit: query.limit,
      };
      return { messages: await deeds.messages(application.id, asked, signal) };
    },
  );

/** Header values of our own making: no control characters, nothing that could end a header. */
const headerText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII only');

const webhookBody = z.object({
  url: plainText(1, 2048).nullable().meta({ description: 'HTTPS address; null removes the webhook.' }),
  username: z
    .string()
    .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ @ -')
    .default('sandbox_demo'),
  secret: plainText(1, 256).default('sandbox_webhook_secret'),
  authorization: headerText(1024).optional(),
});

const putWebhook = (deeds: SandboxDeeds): Operation =>
  defineOperation(
    {
      id: 'setSandboxWebhook',
      method: 'PUT',
      path: '/v1/sandbox/webhook',
      tag,
      auth: 'key',
      permission: 'any',
      summary: 'Set the webhook of the sandbox',
      description: 'The address is probed with an empty object; a failing probe still saves, with `reachable: false`.',
      input: { body: webhookBody },
      output: successSchema.extend({ reachable: z.boolean().optional(), signing_secret: z.string().optional() }),
      errors: [],
      examples: [
        {
          name: 'an address',
          body: { url: 'https://hooks.example.com/otp', username: 'acme_hooks', secret: 'a-secret-of-yours' },
          output: { ...success, reachable: true, signing_secret: 'whsec_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE' },
        },
      ],
    },
    async ({ caller: { application }, body }) => {
      requireSandbox(application);
      const { url, ...login } = body;
      if (url === null) {
        await deeds.webhooks.remove(application.id);
        return success;
      }
      const saved = await deeds.webhooks.set(application.id, { url, ...login });
      return { ...success, reachable: saved.reachable, signing_secret: saved.signingSecret };
    },
  );

const recipientPath = '/v1/sandbox/recipients/{to}';
const recipientParams = z.object({ to: z.string().min(1).max(320) });
const wireChannel = wireReactionSchema.optional();
const recipientOutput = z.object({
  to: z.string(),
  channels: z.object({ whatsapp: wireChannel, sms: wireChannel, email: wireChannel, voice: wireChannel }),
});

const scriptExample = {
  to: '+6591234567',
  channels: {
    sms: {
      hand_over: 'accept',
      error_code: 5012,
      lost: false,
      arrive_after_ms: 0,
      receipt: 'undelivered',
      receipt_error_code: 5018,
      receipt_after_ms: 1_000,
      receipt_times: 1,
      receipt_before_answer: false,
    },
  },
};

function recipientBody(to: string, channels: ChannelReactions): z.output<typeof recipientOutput> {
  const wire = Object.entries(channels).map(([channel, reaction]) => [channel, writeReaction(reaction)]);
  return { to, channels: Object.fromEntries(wire) };
}

const getRecipient = (deeds: SandboxDeeds): Operation =>
  defineOperation(
    {
      id: 'getSandboxRecipient',
      method: 'GET',
      path: recipientPath,
      tag,
      auth: 'key',
      permission: 'read',
      summary: 'Read the script of a virtual handset',
      description: 'Channels without a script are absent: there the message arrives and is receipted a second later.',
      input: { params: recipientParams },
      output: recipientOutput,
      errors: [5011],
      examples: [{ name: 'not delivered', output: scriptExample }],
    },
    async ({ caller: { application }, params }) => {
      requireOwnHandsets(application);
      const to = readRecipient(params.to);
      return recipientBody(to, await deeds.findScript(application.id, to));
    },
  );

const putRecipient = (deeds: SandboxDeeds): Operation =>
  defineOperation(
    {
      id: 'setSandboxRecipient',
      method: 'PUT',
      path: recipientPath,
      tag,
      auth: 'key',
      permission: 'send',
      summary: 'Script what happens to messages for a virtual handset',
      description:
        'Delay, loss, refusal, no answer; late, duplicate, negative or missing receipts, per channel. Replaces the former script and holds for 24 hours. Not with the public sandbox credentials.',
      input: { params: recipientParams, body: z.object({ channels: channelReactionsSchema }) },
      output: recipientOutput,
      errors: [5011],
      examples: [
        {
          name: 'not delivered',
          body: { channels: { sms: { receipt: 'undelivered', receipt_error_code: 5018 } } },
          output: scriptExample,
        },
      ],
    },
    async ({ caller: { application }, params, body }) => {
      requireOwnHandsets(application);
      const to = readRecipient(params.to);
      const channels: ChannelReactions = {};
      for (const channel of channelNames) {
        const wire = body.channels[channel];
        if (wire) channels[channel] = readReaction(wire);
      }
      await deeds.scriptRecipient(application.id, to, channels);
      return recipientBody(to, channels);
    },
  );

const deleteRecipient = (deeds: SandboxDeeds): Operation =>
  defineOperation(
    {
      id: 'deleteSandboxRecipient',
      method: 'DELETE',
      path: recipientPath,
      tag,
      auth: 'key',
      permission: 'send',
      summary: 'Make a virtual handset ordinary again',
      input: { params: recipientParams },
      output: successSchema,
      errors: [5011],
      examples: [{ name: 'done', output: success }],
    },
    async ({ caller: { application }, params }) => {
      requireOwnHandsets(application);
      await deeds.removeScript(application.id, readRecipient(params.to));
      return success;
    },
  );
