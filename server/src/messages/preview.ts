/**
 * What a send would be, for who is asked about it beforehand: refused as the send would be for its form, its recipient or its key; what
 * only the accepting statement counts is left to the send. Nothing is written and nothing is sent.
 */
import { createHash } from 'node:crypto';
import { ApiError } from '../errors.ts';
import { maskRecipient } from '../platform/log.ts';
import type { Application, ApprovalAsk } from '../policy.ts';
import type { SendTemplate } from '../templates/index.ts';
import { channelsOf, type ResentBy, requireAgentMayResend } from './agent-resend.ts';
import { withApproval } from './approval.ts';
import type { MessagesContext } from './context.ts';
import { requireMessageId } from './message-id.ts';
import { planOne } from './send.ts';
import { type Asking, codeBody, customBody, otpBody, readCode, readCustom, readOtp } from './send-requests.ts';
import { findMessage, type MessageRecord } from './store.ts';

export interface PreviewAsk {
  /** operationId of a send. */
  operation: string;
  params?: Record<string, string> | undefined;
  body?: unknown;
}

export interface SendPreview {
  /** Masked. */
  recipient: string;
  templateId: string;
  /** In order, with what a hand-over by each is estimated to cost. */
  channels: ApprovalAsk['channels'];
  currency: string;
  /** Another one where the texts would be made of something else. */
  texts: string;
}

export type PreviewAsking = Omit<Asking, 'idempotencyKey'>;

/** The body is valid in form. */
export const previewSend = (context: MessagesContext, ask: PreviewAsk, asking: PreviewAsking): Promise<SendPreview> =>
  withApproval(context.askApproval, asking.caller, (caller) => {
    const by = { ...asking, caller, idempotencyKey: null };
    const { operation } = ask;
    return operation === 'resendOtp' || operation === 'nextChannel'
      ? previewAgain(context, { ...ask, operation }, by)
      : previewFirst(context, ask, by);
  });

async function previewFirst(context: MessagesContext, ask: PreviewAsk, asking: Asking): Promise<SendPreview> {
  const { template, request } = await readAsk(context, ask, asking);
  const { application } = asking.caller;
  const { target, channels } = planOne(context, application, template, request);
  const { currency } = context;
  const texts = textsOf(application, template);
  return { recipient: maskRecipient(target), templateId: template.templateId, channels, currency, texts };
}

async function readAsk(context: MessagesContext, { operation, body }: PreviewAsk, asking: Asking) {
  if (operation === 'sendOtp') return readOtp(context, asking, otpBody.parse(body));
  if (operation === 'sendCustomCode') return readCode(context, asking, codeBody.parse(body));
  if (operation !== 'sendCustomMessage') throw new Error(`${operation} is no send`);
  const { template, request, recipients } = await readCustom(context, asking, customBody.parse(body));
  const [to = '', ...others] = recipients;
  if (others.length > 0) throw new Error('a preview is of one recipient');
  return { template, request: { ...request, to } };
}

async function previewAgain(
  context: MessagesContext,
  ask: PreviewAsk & Pick<ResentBy, 'operation'>,
  asking: Asking,
): Promise<SendPreview> {
  const { caller, requestId, client } = asking;
  const { application } = caller;
  const id = requireMessageId(ask.params?.['message_id'] ?? '', application, context.now());
  const message = await findMessage(context.db, application.id, id);
  if (!message) throw new ApiError(4001, 'message not found');
  const by: ResentBy = { caller, requestId, client, operation: ask.operation };
  await requireAgentMayResend(context, context.db, application, message, by);
  const channels = await channelsAgain(context, application, message, ask);
  const { recipient, template_id: templateId } = message;
  const found = await context.templates.findForSend(application.id, templateId);
  // Without it the message's own texts are sent again, and those do not change.
  const texts = textsOf(application, found.kind === 'ok' ? found.template : null);
  return { recipient: maskRecipient(recipient), templateId, channels, currency: context.currency, texts };
}

/** Those that a request goes through: on from the next one, by the one it names, or from the start. */
async function channelsAgain(
  context: MessagesContext,
  application: Application,
  message: MessageRecord,
  { operation, body }: PreviewAsk,
): Promise<ApprovalAsk['channels']> {
  const { channel: asked } = (body ?? {}) as { channel?: string };
  if (operation === 'resendOtp') {
    const all = await channelsOf(context, context.db, application, message);
    return asked === undefined ? all : all.filter(({ channel }) => channel === asked);
  }
  const next = (await context.delivery.find(application.id, message.id))?.nextStep ?? null;
  return next === null ? [] : channelsOf(context, context.db, application, message, next);
}

/** Of everything but what the caller gives and the code, which is drawn for each send. */
function textsOf({ name }: Application, template: SendTemplate | null): string {
  return createHash('sha256')
    .update(JSON.stringify([name, template]))
    .digest('base64url');
}
