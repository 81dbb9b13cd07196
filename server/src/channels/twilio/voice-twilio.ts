/**
 * Calls over Twilio Programmable Voice. The hand-over carries neither text nor code, only addresses with signed tokens: Twilio asks
 * them while the call is on (call-hooks.ts), so that the code stays out of its logs and is told only to who pressed the key.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { refusedForGood, type SendOutcome } from '../outcome.ts';
import { type Account, accountFields, e164, insist, keyIsWhole, keyRule, openAccount } from './account.ts';
import { outcomeOf } from './answers.ts';
import { answerCall } from './call-hooks.ts';
import { writeToken } from './call-token.ts';

/** From the hand-over to the answered phone: Twilio's queue and the ringing. */
const maxWaitMs = 15 * 60_000;
const leastRinging = 5;

const settingsSchema = z
  .strictObject({
    ...accountFields,
    from: e164.meta({
      title: 'Caller id',
      description: 'A voice number of the account or a verified caller id; a route may name another.',
    }),
    ring_seconds: z.int().min(leastRinging).max(600).default(30).meta({
      title: 'Ringing time',
      description: 'Seconds until an unanswered call is given up. Voicemail often answers after 25 to 30.',
    }),
    max_call_seconds: z.int().min(30).max(600).default(120).meta({
      title: 'Longest call',
      description: 'Seconds after which an answered call is ended.',
    }),
    machine_detection: z.boolean().default(true).meta({
      title: 'Recognise answering machines',
      description: 'Ends calls that a machine answers before anything is said. Costs extra at Twilio.',
    }),
    voices: z
      .record(z.string().min(2), z.string().regex(/^[A-Za-z0-9.-]+$/, 'must be the name of a voice at Twilio'))
      .default({})
      .meta({ title: 'Voices', description: 'Language (en-US, zh-CN …) → voice at Twilio, e.g. Polly.Joanna-Neural.' }),
  })
  .refine(keyIsWhole, keyRule);

export type VoiceTwilioSettings = z.infer<typeof settingsSchema>;

export const voiceTwilio: Adapter<VoiceTwilioSettings> = {
  id: 'voice-twilio',
  title: 'Twilio Voice',
  channels: ['voice'],
  settings: settingsSchema,
  limits: { maxConcurrency: 20, idempotent: false },
  open: openVoice,
};

function openVoice(settings: VoiceTwilioSettings, ports: Ports): Upstream {
  const account = openAccount(settings, ports);
  return {
    send: (message, signal) => send(account, settings, ports, message, signal),
    hook: (request) =>
      account.hook(request, () => answerCall({ ports, voices: settings.voices, meanings: account.meanings }, request)),
    close: account.close,
  };
}

async function send(
  account: Account,
  settings: VoiceTwilioSettings,
  ports: Pick<Ports, 'hookUrl' | 'sign'>,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  if (message.expiresAtMs <= Date.now()) return refusedForGood('expired', 'the code expired before the hand-over');
  const answered = await account.post('Calls.json', formOf(message, settings, ports), signal);
  return answered.kind === 'answered' ? outcomeOf(answered, 'call', account.meanings) : answered;
}

/** Only the end of the call is reported: `completed` is that event's name for busy, unanswered and failed calls too. */
function formOf(
  message: OutgoingMessage,
  settings: VoiceTwilioSettings,
  ports: Pick<Ports, 'hookUrl' | 'sign'>,
): URLSearchParams {
  const reference = new URLSearchParams({ reference: message.reference });
  const secondsLeft = Math.floor((message.expiresAtMs - Date.now()) / 1_000);
  const form = new URLSearchParams({
    To: message.to,
    From: message.sender ?? settings.from,
    Url: ports.hookUrl(`/call/ask/${askToken(message, ports)}`),
    Method: 'POST',
    StatusCallback: `${ports.hookUrl('/status')}?${reference}${insist}`,
    StatusCallbackMethod: 'POST',
    StatusCallbackEvent: 'completed',
    Timeout: String(Math.max(leastRinging, Math.min(settings.ring_seconds, secondsLeft))),
    TimeLimit: String(settings.max_call_seconds),
  });
  if (settings.machine_detection) form.set('MachineDetection', 'Enable');
  return form;
}

function askToken(message: OutgoingMessage, ports: Pick<Ports, 'sign'>): string {
  const { applicationId, messageId, attempt, reference, content, expiresAtMs } = message;
  return writeToken(ports, 'ask', {
    applicationId,
    messageId,
    attempt,
    reference,
    language: content.language,
    call: randomUUID(),
    expiresAtMs: Math.min(Math.ceil(expiresAtMs), Date.now() + maxWaitMs),
  });
}
