/**
 * SMS over Twilio Programmable Messaging. Twilio has no field for an id of ours, so the reference travels in the address of the
 * status webhook: a receipt finds its attempt even when the answer to the hand-over was lost.
 */
import { z } from 'zod';
import type { Adapter, HookAnswer, HookRequest, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { type Refused, refusedForGood, type SendOutcome } from '../outcome.ts';
import {
  type Account,
  accountFields,
  e164,
  fieldsOf,
  insist,
  keyIsWhole,
  keyRule,
  messagingServiceSid,
  openAccount,
} from './account.ts';
import { noCause, outcomeOf, undeliveredBy } from './answers.ts';

const maxBodyLength = 1_600;
/** Seconds Twilio may keep a message in its queue. */
const maxValidity = 36_000;

const sender = z.union(
  [e164, z.string().regex(/^\d{3,8}$/), z.string().regex(/^(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}$/)],
  {
    error: 'must be a number like +6591234567, a short code, or up to 11 letters and digits',
  },
);

const settingsSchema = z
  .strictObject({
    ...accountFields,
    from: sender.optional().meta({
      title: 'Sender',
      description: 'Number, short code or sender name; a route may name another. Either this or a messaging service.',
    }),
    messaging_service_sid: messagingServiceSid.optional().meta({
      title: 'Messaging service',
      description: 'MG…: Twilio then picks the sender. A route that names a sender goes past it.',
    }),
    smart_encoded: z.boolean().default(false).meta({
      title: 'Replace costly characters',
      description: 'Twilio turns curly quotes and the like into GSM characters, so that a text stays in one segment.',
    }),
    risk_check: z.enum(['enable', 'disable']).default('enable').meta({
      title: 'SMS pumping protection',
      description: 'disable lets messages of this provider pass by it.',
    }),
  })
  .refine(keyIsWhole, keyRule)
  .refine((settings) => (settings.from === undefined) !== (settings.messaging_service_sid === undefined), {
    path: ['from'],
    error: 'give either from or messaging_service_sid',
  });

export type SmsTwilioSettings = z.infer<typeof settingsSchema>;

export const smsTwilio: Adapter<SmsTwilioSettings> = {
  id: 'sms-twilio',
  title: 'Twilio SMS',
  channels: ['sms'],
  settings: settingsSchema,
  limits: { maxConcurrency: 50, idempotent: false },
  open: openSms,
};

function openSms(settings: SmsTwilioSettings, ports: Ports): Upstream {
  const account = openAccount(settings, ports);
  return {
    send: (message, signal) => send(account, settings, ports, message, signal),
    hook: (request) => account.hook(request, () => answer(account, ports, request)),
    async feedback(upstreamId, verified, signal) {
      if (!verified || !isMessageSid(upstreamId)) return;
      await account.post(`Messages/${upstreamId}/Feedback.json`, new URLSearchParams({ Outcome: 'confirmed' }), signal);
    },
    close: account.close,
  };
}

async function send(
  account: Account,
  settings: SmsTwilioSettings,
  ports: Pick<Ports, 'hookUrl'>,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const refused = faultOf(message);
  if (refused) return refused;
  const answered = await account.post('Messages.json', formOf(message, settings, ports), signal);
  return answered.kind === 'answered' ? outcomeOf(answered, 'message', account.meanings) : answered;
}

/** What Twilio would refuse anyway, or what is not worth sending. */
function faultOf({ content, expiresAtMs }: OutgoingMessage): Refused | null {
  if (expiresAtMs <= Date.now()) return refusedForGood('expired', 'the code expired before the hand-over');
  if (content.text === '') return refusedForGood('content_rejected', 'the text is empty: correct the template');
  if (content.text.length > maxBodyLength)
    return refusedForGood(
      'content_rejected',
      `the text is longer than ${maxBodyLength} characters: shorten the template`,
    );
  return null;
}

function formOf(message: OutgoingMessage, settings: SmsTwilioSettings, ports: Pick<Ports, 'hookUrl'>): URLSearchParams {
  const reference = new URLSearchParams({ reference: message.reference });
  const seconds = Math.floor((message.expiresAtMs - Date.now()) / 1_000);
  const form = new URLSearchParams({
    To: message.to,
    ...senderOf(message, settings),
    Body: message.content.text,
    StatusCallback: `${ports.hookUrl('/status')}?${reference}${insist}`,
    ValidityPeriod: String(Math.min(Math.max(seconds, 1), maxValidity)),
    ProvideFeedback: 'true',
    Attempt: String(message.attempt),
  });
  if (settings.smart_encoded) form.set('SmartEncoded', 'true');
  if (settings.risk_check === 'disable') form.set('RiskCheck', 'disable');
  return form;
}

/** A sender of the route beats the settings; it may be a messaging service too. */
function senderOf({ sender: asked }: OutgoingMessage, settings: SmsTwilioSettings): Record<string, string> {
  const chosen = asked ?? settings.messaging_service_sid ?? settings.from ?? '';
  return messagingServiceSid.safeParse(chosen).success ? { MessagingServiceSid: chosen } : { From: chosen };
}

const isMessageSid = (text: string): boolean => /^(SM|MM)[0-9a-fA-F]{32}$/.test(text);

async function answer(account: Account, ports: Ports, request: HookRequest): Promise<HookAnswer> {
  if (request.path !== '/status' && request.path !== '/inbound') return { status: 404 };
  if (request.method !== 'POST') return { status: 405 };
  const fields = fieldsOf(request);
  const upstreamId = fields.get('MessageSid') ?? '';
  if (!isMessageSid(upstreamId)) return { status: 400 };
  return request.path === '/inbound'
    ? takeUplink(ports, upstreamId, fields)
    : takeStatus(account, ports, request, upstreamId, fields);
}

async function takeStatus(
  account: Account,
  ports: Ports,
  request: HookRequest,
  upstreamId: string,
  fields: URLSearchParams,
): Promise<HookAnswer> {
  const status = fields.get('MessageStatus');
  const arrived = status === 'delivered' || status === 'read';
  if (!arrived && status !== 'undelivered' && status !== 'failed') return { status: 204 };
  const reference = request.query.get('reference');
  const taken = await ports.onReceipt({
    upstreamId,
    ...(reference && { reference }),
    outcome: arrived ? { kind: 'delivered' } : undeliveredBy(fields.get('ErrorCode'), noCause, account.meanings),
  });
  return { status: taken ? 204 : 503 };
}

/** The answer is TwiML: an empty response sends nothing back. */
async function takeUplink(ports: Ports, upstreamId: string, fields: URLSearchParams): Promise<HookAnswer> {
  const [from, to] = [fields.get('From'), fields.get('To')];
  if (!from || !to) return { status: 400 };
  await ports.onUplink({ upstreamId, from, to, body: fields.get('Body') ?? '' });
  return { status: 200, type: 'text/xml', body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' };
}
