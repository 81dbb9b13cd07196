/** Tools that send, stop and verify. Every send names its idempotency_key: a repetition of a call must not send twice. */
import { z } from 'zod';
import { type Hints, shape, type ToolShape } from './tool.ts';

const to = z.string().min(1).max(320).describe('One recipient: E.164 number with + or e-mail address.');
const template_id = z.string().min(1).max(128);
export const message_id = z.string().min(1).max(64).describe('As a send answered it.');
const language = z.string().max(32).optional().describe('Of the text; default: that of the template.');
const params = z
  .record(z.string(), z.string().max(1024))
  .optional()
  .describe('Values of the custom variables of the template.');
const idempotency_key = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[ -~]+$/, 'must be printable ASCII')
  .describe('A new unique text per intended send; repeat it to repeat the call safely.');

const channels = ['whatsapp', 'sms', 'email', 'voice'] as const;

const sends: Hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true };
const common = { toolset: 'send', reach: 'send', hints: sends } as const;

interface SendArgs {
  to: string;
  template_id: string;
  language?: string | undefined;
  params?: Record<string, string> | undefined;
}

/** Longest first. */
const renamed = {
  'template.id': 'template_id',
  'template.language': 'language',
  'template.params': 'params',
  template: 'template_id',
};

const bodyOf = ({ to: recipient, template_id: id, language: text, params: values }: SendArgs) => ({
  to: recipient,
  template: { id, ...(text !== undefined && { language: text }), ...(values && { params: values }) },
});

export const sendTools: readonly ToolShape[] = [
  shape({
    ...common,
    name: 'send_otp',
    operation: 'sendOtp',
    input: z.object({ to, template_id, language, params, idempotency_key }),
    renamed,
    ask: (args) => ({ body: bodyOf(args), idempotencyKey: args.idempotency_key }),
  }),
  shape({
    ...common,
    name: 'send_custom_code',
    operation: 'sendCustomCode',
    input: z.object({
      to,
      template_id,
      code: z.string().min(1).max(32).describe('Made and checked by you.'),
      language,
      params,
      idempotency_key,
    }),
    renamed,
    ask: (args) => ({ body: { ...bodyOf(args), code: args.code }, idempotencyKey: args.idempotency_key }),
  }),
  shape({
    ...common,
    name: 'send_custom_message',
    operation: 'sendCustomMessage',
    input: z.object({ to, template_id, params, idempotency_key }),
    renamed,
    ask: (args) => ({ body: bodyOf(args), idempotencyKey: args.idempotency_key }),
    fields: ['message_id', 'send_channel'],
  }),
  shape({
    ...common,
    name: 'resend_otp',
    operation: 'resendOtp',
    input: z.object({
      message_id,
      channel: z
        .enum(['next', ...channels])
        .optional()
        .describe('next: on along the template’s chain now; a name: one of it; absent: from its start.'),
      idempotency_key,
    }),
    also: ['nextChannel'],
    ask: ({ message_id: id, channel, idempotency_key: idempotencyKey }) => ({
      params: { message_id: id },
      ...(channel === 'next'
        ? { operation: 'nextChannel', body: {} }
        : { body: channel === undefined ? {} : { channel } }),
      idempotencyKey,
    }),
    output: z.object({
      message_id: z.string(),
      send_channel: z.enum(channels),
      attempt: z.int().optional(),
      expires_at: z.string().optional(),
    }),
  }),
  shape({
    name: 'cancel_message',
    operation: 'cancelMessage',
    toolset: 'send',
    hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: z.object({ message_id }),
    ask: (args) => ({ params: { message_id: args.message_id }, body: {} }),
  }),
  shape({
    name: 'verify_otp',
    operation: 'verifyOtp',
    toolset: 'verify',
    hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input: z.object({
      message_id,
      code: z.string().min(1).max(64).describe('As the user typed it. Never guess: each wrong code costs an attempt.'),
    }),
    renamed: { verify_code: 'code' },
    ask: (args) => ({ body: { message_id: args.message_id, verify_code: args.code } }),
    output: z.object({
      message_id: z.string(),
      verified: z.boolean().describe('Branch on this alone.'),
      attempts_left: z.int().optional().describe('After a wrong code.'),
      to: z.string().optional().describe('After the right code: the proven address, masked.'),
    }),
    answer: ({ message_id: id, verified, attempts_remaining, to: proven }) => ({
      message_id: id,
      verified,
      ...(attempts_remaining !== undefined && { attempts_left: attempts_remaining }),
      ...(proven !== undefined && { to: proven }),
    }),
  }),
];
