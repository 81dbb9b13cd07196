/** The three send endpoints (contract §5): form is checked here, everything else by the deeds they call. */
import { z } from 'zod';
import { channelNames } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';
import { type Call, defineOperation, type IdempotencyTicket, type Operation } from '../http/operation.ts';
import type { Queryable } from '../platform/db.ts';
import type { Caller } from '../policy.ts';
import { type Deed, deedOf } from './accept.ts';
import { withApproval } from './approval.ts';
import type { MessagesContext } from './context.ts';
import { prepareSend, type SendResult } from './send.ts';
import { type Outcome, prepareMany } from './send-many.ts';
import { codeBody, customBody, otpBody, readCode, readCustom, readOtp } from './send-requests.ts';

/** Stores the answer of a deed in the deed's own transaction and marks the ticket. */
export type StoreAnswer = (tx: Queryable, ticket: IdempotencyTicket, answer: object) => Promise<void>;

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

const askingOf = (
  call: Pick<Call<unknown, unknown, unknown>, 'requestId' | 'idempotency' | 'header'>,
  caller: Caller,
) => ({
  caller,
  requestId: call.requestId,
  idempotencyKey: call.idempotency?.key ?? null,
  client: call.header('user-agent') ?? null,
});

const sentAnswer = ({ messageId, channel: send_channel }: SendResult) => ({ message_id: messageId, send_channel });

/**
 * Accepts what is prepared: with a ticket, acceptance and stored answer are one transaction; without, the acceptance joins the batch of
 * the moment.
 */
type Accept = <Result, Answer extends object>(
  ticket: IdempotencyTicket | null,
  deed: Deed<Result>,
  answerOf: (result: Result) => Answer,
) => Promise<Answer>;

function makeAccept({ db }: MessagesContext, storeAnswer: StoreAnswer): Accept {
  return async (ticket, deed, answerOf) => {
    if (!ticket) return answerOf(await deed.accept());
    const { answer, start } = await db.transaction(async (tx) => {
      const { result, start } = await deed.acceptOn(tx);
      const answer = answerOf(result);
      await storeAnswer(tx, ticket, answer);
      return { answer, start };
    });
    start();
    return answer;
  };
}

export function makeSendOperations(context: MessagesContext, storeAnswer: StoreAnswer): Operation[] {
  const accept = makeAccept(context, storeAnswer);
  return [sendOtp(context, accept), sendCustomCode(context, accept), sendCustomMessage(context, accept)];
}

function sendOtp(context: MessagesContext, accept: Accept): Operation {
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
    async (call) =>
      withApproval(context.askApproval, call.caller, async (caller) => {
        const { template, request } = await readOtp(context, askingOf(call, caller), call.body);
        const prepared = await prepareSend(context, caller.application, template, request);
        return accept(call.idempotency, deedOf(context, prepared), (result) => ({
          ...sentAnswer(result),
          expires_at: result.expiresAt?.toISOString() ?? '',
        }));
      }),
  );
}

function sendCustomCode(context: MessagesContext, accept: Accept): Operation {
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
    async (call) =>
      withApproval(context.askApproval, call.caller, async (caller) => {
        const { template, request } = await readCode(context, askingOf(call, caller), call.body);
        const prepared = await prepareSend(context, caller.application, template, request);
        return accept(call.idempotency, deedOf(context, prepared), sentAnswer);
      }),
  );
}

function sendCustomMessage(context: MessagesContext, accept: Accept): Operation {
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
    async (call) =>
      withApproval(context.askApproval, call.caller, async (caller) => {
        const { template, request, recipients, asList, requireForm } = await readCustom(
          context,
          askingOf(call, caller),
          call.body,
        );
        const deed = await prepareMany(context, caller.application, template, recipients, request, requireForm);
        return accept(call.idempotency, deed, (outcomes) => customAnswer(outcomes, asList));
      }),
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
