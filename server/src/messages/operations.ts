/** The three send endpoints (contract §5): form is checked here, everything else by the deeds they call. */
import { z } from 'zod';
import { channelNames } from '../delivery/index.ts';
import { ApiError, invalid } from '../errors.ts';
import { defineOperation, type IdempotencyTicket, type Operation } from '../http/operation.ts';
import type { Queryable } from '../platform/db.ts';
import type { Caller } from '../policy.ts';
import { languageSchema } from '../templates/index.ts';
import { plainText, signalsSchema } from '../wire.ts';
import type { SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { type SendResult, sendOne, templateFor } from './send.ts';
import { type Outcome, sendMany } from './send-many.ts';

/** Stores the answer of a deed in the deed's own transaction and marks the ticket. */
export type StoreAnswer = (tx: Queryable, ticket: IdempotencyTicket, answer: object) => Promise<void>;

const codePattern = /^[A-Za-z0-9 -]{1,32}$/;
const ownCode = z.string().regex(codePattern, 'must be 1 to 32 letters, digits, spaces or hyphens');

const params = z
  .record(z.string(), plainText(0, 1024))
  .refine((map) => Object.keys(map).length <= 50, 'must have at most 50 keys')
  .refine(
    (map) => Object.keys(map).every((key) => /^[A-Za-z0-9_]{1,64}$/.test(key)),
    'keys must be 1 to 64 letters, digits or _',
  );

const template = z.object({
  id: plainText(1, 128).describe('The template id you chose.'),
  language: languageSchema.default('default'),
  params: params
    .default({})
    .describe('Values of custom variables; one without a value goes out literally as {{name}}.'),
});

const extras = {
  custom_args: z
    .record(plainText(1, 64), plainText(0, 256))
    .refine((map) => Object.keys(map).length <= 20, 'must have at most 20 keys')
    .optional()
    .describe('Echoed in callbacks.'),
  alternate_to: z
    .object({ email: plainText(1, 254).optional(), phone: plainText(1, 64).optional() })
    .optional()
    .describe('Address for the steps that do not fit the kind of `to`.'),
  signals: signalsSchema.optional(),
  purpose: plainText(1, 64).optional().describe('login, signup, recovery, transaction …; the check may demand it.'),
};

const to = plainText(1, 320).describe('E.164 number with + or e-mail address.');
const ttl_seconds = z.int().min(30).max(86_400).optional().describe('Only if the policy allows it.');
export const otpBody = z.object({
  to,
  template,
  ...extras,
  ttl_seconds,
  code_length: z.int().min(4).max(10).optional(),
});
const codeBody = z.object({ to, code: ownCode, template, ...extras, ttl_seconds });
const customBody = z.object({ to: z.union([to, z.array(plainText(0, 320)).min(1).max(1000)]), template, ...extras });

const channel = z.enum(channelNames);
const sent = z.object({
  message_id: z.string(),
  send_channel: channel.describe('The first usable channel; fallback may change it.'),
});
const sentOtp = sent.extend({ expires_at: z.iso.datetime().describe('When the code dies.') });
const sentCustom = sent.extend({
  messages: z
    .array(
      z.object({
        to: z.string(),
        message_id: z.string().optional(),
        send_channel: channel.optional(),
        code: z.int().optional(),
        message: z.string().optional(),
        reason: z.string().optional(),
      }),
    )
    .optional(),
});

const sendErrors = [3003, 3004, 4001, 5001, 5011, 5012, 5013, 5014, 5015, 5016, 5017, 5018, 5019, 5020] as const;
const exampleTo = '+6598120044';
const exampleId = '2072832692843466759';

type Common = z.infer<typeof otpBody> | z.infer<typeof codeBody> | z.infer<typeof customBody>;

interface Asking {
  caller: Caller;
  requestId: string;
}

/** The parts the three bodies share. The code of the request may not travel in custom_args: callbacks echo those. */
function requestOf(
  { caller, requestId }: Asking,
  kind: SendRequest['kind'],
  body: Common,
  code: string | null,
): Omit<SendRequest, 'to'> {
  if (code !== null && Object.values(body.custom_args ?? {}).includes(code)) {
    throw invalid([{ field: 'custom_args', problem: 'must not contain the code' }]);
  }
  return {
    caller,
    requestId,
    kind,
    language: body.template.language,
    params: body.template.params,
    ownCode: code,
    customArgs: body.custom_args ?? null,
    alternateTo: body.alternate_to ?? null,
    signals: body.signals ?? null,
    purpose: body.purpose ?? null,
    ttlSeconds: ('ttl_seconds' in body ? body.ttl_seconds : undefined) ?? null,
    codeLength: ('code_length' in body ? body.code_length : undefined) ?? null,
  };
}

/** `alternate_to` names the other kind of address, never the kind that `to` already has. */
function requireAlternate(to: string, alternate: Common['alternate_to']): void {
  const kind = to.includes('@') ? 'email' : 'phone';
  if (alternate?.[kind] !== undefined)
    throw invalid([{ field: `alternate_to.${kind}`, problem: 'the kind of address that `to` already has' }]);
}

const sentAnswer = ({ messageId, channel: send_channel }: SendResult) => ({ message_id: messageId, send_channel });

/** With a ticket, acceptance and stored answer are one transaction; without, the acceptance joins the batch of the moment. */
type Send = <Answer extends object>(
  ticket: IdempotencyTicket | null,
  work: (tx?: Queryable) => Promise<{ answer: Answer; start(): void }>,
) => Promise<Answer>;

function makeSend({ db }: MessagesContext, storeAnswer: StoreAnswer): Send {
  return async (ticket, work) => {
    if (!ticket) return (await work()).answer;
    const { answer, start } = await db.transaction(async (tx) => {
      const done = await work(tx);
      await storeAnswer(tx, ticket, done.answer);
      return done;
    });
    start();
    return answer;
  };
}

export function makeSendOperations(context: MessagesContext, storeAnswer: StoreAnswer): Operation[] {
  const send = makeSend(context, storeAnswer);
  return [sendOtp(context, send), sendCustomCode(context, send), sendCustomMessage(context, send)];
}

function sendOtp(context: MessagesContext, send: Send): Operation {
  return defineOperation(
    {
      id: 'sendOtp',
      method: 'POST',
      path: '/v1/messages',
      tag: 'Sending',
      auth: 'key',
      permission: 'send',
      summary: 'Send a code made by the platform',
      description:
        'Makes a code, sends it along the channels of the template and keeps only a keyed hash of it. Check it with POST /v1/verifications.',
      input: { body: otpBody },
      output: sentOtp,
      errors: sendErrors,
      examples: [
        {
          name: 'one-time password',
          body: { to: exampleTo, template: { id: 'signin_demo', language: 'en', params: { name: 'Ana' } } },
          output: { message_id: exampleId, send_channel: 'sms', expires_at: '2026-07-03T00:05:00.000Z' },
        },
      ],
      agent: {
        title: 'Send a one-time code',
        description:
          'Sends a fresh code to one recipient and returns message_id for verify_otp. Never returns the code. A second send while a code lives answers 3004.',
      },
    },
    async ({ caller, requestId, body, idempotency }) => {
      const { application } = caller;
      requireAlternate(body.to, body.alternate_to);
      const found = await templateFor(context, application, body.template.id, 'otp', null);
      return send(idempotency, async (tx) => {
        const { result, start } = await sendOne(
          context,
          application,
          found,
          { ...requestOf({ caller, requestId }, 'otp', body, null), to: body.to },
          tx,
        );
        return { answer: { ...sentAnswer(result), expires_at: result.expiresAt?.toISOString() ?? '' }, start };
      });
    },
  );
}

function sendCustomCode(context: MessagesContext, send: Send): Operation {
  return defineOperation(
    {
      id: 'sendCustomCode',
      method: 'POST',
      path: '/v1/codes',
      tag: 'Sending',
      auth: 'key',
      permission: 'send',
      summary: 'Send a code of your own',
      description: 'Delivers the code you made; you check it yourself.',
      input: { body: codeBody },
      output: sent,
      errors: sendErrors,
      examples: [
        {
          name: 'own code',
          body: { to: exampleTo, code: '048213', template: { id: 'signin_demo', language: 'default', params: {} } },
          output: { message_id: exampleId, send_channel: 'sms' },
        },
      ],
      agent: {
        title: 'Send a code of your own',
        description: 'Sends a code that the caller made and will check itself. Needs a template with a code.',
      },
    },
    async ({ caller, requestId, body, idempotency }) => {
      const { application } = caller;
      requireAlternate(body.to, body.alternate_to);
      const found = await templateFor(context, application, body.template.id, 'code', body.code);
      return send(idempotency, async (tx) => {
        const { result, start } = await sendOne(
          context,
          application,
          found,
          { ...requestOf({ caller, requestId }, 'code', body, body.code), to: body.to },
          tx,
        );
        return { answer: sentAnswer(result), start };
      });
    },
  );
}

function sendCustomMessage(context: MessagesContext, send: Send): Operation {
  return defineOperation(
    {
      id: 'sendCustomMessage',
      method: 'POST',
      path: '/v1/custom-messages',
      tag: 'Sending',
      auth: 'key',
      permission: 'send',
      summary: 'Send a custom message',
      description: 'Code, notification or marketing text of a custom template, to one recipient or up to 1,000.',
      input: { body: customBody },
      output: sentCustom,
      errors: sendErrors,
      examples: [
        {
          name: 'two recipients, one bad',
          body: { to: [exampleTo, 'not-a-number'], template: { id: 'order_note', params: { order: 'A-17' } } },
          output: {
            message_id: exampleId,
            send_channel: 'sms',
            messages: [
              { to: exampleTo, message_id: exampleId, send_channel: 'sms' },
              { to: 'not-a-number', code: 5011, message: 'Invalid phone number' },
            ],
          },
        },
      ],
      agent: {
        title: 'Send a custom message',
        description: 'Sends a notification or a code of the caller by an approved custom template to one recipient.',
      },
    },
    async ({ caller, requestId, body, idempotency }) => {
      const { application } = caller;
      const code = body.template.params['code'] ?? null;
      const found = await templateFor(context, application, body.template.id, 'custom', code);
      if (found.codeConfig && code !== null && !codePattern.test(code)) {
        throw invalid([
          { field: 'template.params.code', problem: 'must be 1 to 32 letters, digits, spaces or hyphens' },
        ]);
      }
      const request = requestOf({ caller, requestId }, 'custom', body, found.codeConfig ? code : null);
      const recipients = Array.isArray(body.to) ? body.to : [body.to];
      if (!Array.isArray(body.to)) requireAlternate(body.to, body.alternate_to);
      return send(idempotency, async (tx) => {
        const alone = (to: string) => requireAlternate(to, body.alternate_to);
        const { outcomes, start } = await sendMany(context, application, found, recipients, request, alone, tx);
        return { answer: customAnswer(outcomes, Array.isArray(body.to)), start };
      });
    },
  );
}

/** Ids of the first accepted recipient on top; if all fail, the first error is the reply, with the list. */
function customAnswer(outcomes: readonly Outcome[], asList: boolean): z.infer<typeof sentCustom> {
  const messages = outcomes.map((outcome) =>
    'error' in outcome
      ? {
          to: outcome.to,
          code: outcome.error.code,
          message: outcome.error.message,
          ...(outcome.error.reason && { reason: outcome.error.reason }),
        }
      : { to: outcome.to, ...sentAnswer(outcome.result) },
  );
  const accepted = outcomes.find((outcome) => 'result' in outcome);
  if (accepted && 'result' in accepted) return { ...sentAnswer(accepted.result), ...(asList && { messages }) };
  const [first] = outcomes;
  if (!first || !('error' in first)) throw new Error('a send has at least one recipient');
  const { error } = first;
  if (!asList) throw error;
  throw new ApiError(error.code, error.message, {
    status: error.status,
    ...(error.reason && { reason: error.reason }),
    ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
    details: { ...error.details },
    extra: { messages },
  });
}
