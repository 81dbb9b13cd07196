/**
 * Calls over Vonage's Voice API (POST /v1/calls). The code never stands in the request: Vonage fetches what to say when somebody has
 * answered, with a ticket for this call, and gets the code only after a key was pressed (see voice-hooks.ts).
 */
import { type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { callUpstream } from '../http-call.ts';
import { refusedForGood, refusedForNow, type SendOutcome, unknown } from '../outcome.ts';
import { speechScript } from '../speech.ts';
import { atApi, refusedByHttp } from './http-answer.ts';
import { isTooLong } from './ncco.ts';
import { parseObject } from './parameters.ts';
import { type Call, issueTicket } from './ticket.ts';
import { openVoiceHook } from './voice-hooks.ts';
import { privateKeyOf, type VoiceSettings, voiceSettings } from './voice-settings.ts';

/** A call waits this long in Vonage's queue at most before it may ring; then its prompt is not to be had any more. */
const answerMs = 10 * 60_000;
/** Events are repeated for a day. */
const eventMs = 48 * 3_600_000;
const tokenSeconds = 300;

export const voiceVonage: Adapter<VoiceSettings> = {
  id: 'voice-vonage',
  title: 'Vonage Voice',
  channels: ['voice'],
  settings: voiceSettings,
  // Accounts begin with three calls a second.
  limits: { maxConcurrency: 3, idempotent: false },
  open: openVoice,
};

function openVoice(settings: VoiceSettings, ports: Ports): Upstream {
  const key = privateKeyOf(settings.private_key);
  if (!key) throw new Error('the settings were not checked by their schema');
  const closing = new AbortController();
  return {
    async send(message, signal) {
      if (closing.signal.aborted)
        return refusedForNow('upstream_error', 'the provider was closed before the hand-over');
      const fault = faultOf(message, settings);
      return fault ?? startCall(settings, key, ports, message, AbortSignal.any([signal, closing.signal]));
    },
    hook: openVoiceHook(settings, ports),
    async close() {
      closing.abort();
    },
  };
}

function faultOf(message: OutgoingMessage, settings: VoiceSettings): SendOutcome | null {
  if (message.expiresAtMs <= Date.now()) return refusedForGood('expired', 'its time was over before the hand-over');
  if (!/^\+?\d{7,15}$/.test(message.sender ?? settings.from)) {
    return refusedForGood(
      'sender_invalid',
      'the sender of the route is no number: calls need one in international form',
    );
  }
  if (isTooLong(speechScript(message))) {
    return refusedForGood(
      'template_invalid',
      'spoken, the text has more than 1500 characters: shorten the voice template',
    );
  }
  return null;
}

async function startCall(
  settings: VoiceSettings,
  key: KeyObject,
  ports: Ports,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const answer = await callUpstream(ports.outbound, {
    url: atApi(settings.api_url, '/v1/calls'),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${await tokenOf(settings, key)}`,
    },
    body: JSON.stringify(requestOf(settings, ports, message)),
    signal,
  });
  if (answer.kind !== 'answered') return answer;
  if (answer.status >= 300) return refusedByHttp(answer, settings.code_map, ports.log);
  const uuid = parseObject(answer.body)?.['uuid'];
  if (typeof uuid !== 'string' || !/^[\w-]{1,64}$/.test(uuid))
    return unknown('Vonage answered without naming the call');
  return { kind: 'accepted', upstreamId: uuid };
}

const tokenOf = (settings: VoiceSettings, key: KeyObject): Promise<string> =>
  new SignJWT({ application_id: settings.application_id })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime(`${tokenSeconds}s`)
    .setJti(randomUUID())
    .sign(key);

function requestOf(settings: VoiceSettings, { sign, hookUrl }: Ports, message: OutgoingMessage): object {
  const { applicationId, messageId, attempt, reference, to, sender, expiresAtMs } = message;
  const call: Call = { id: randomUUID(), applicationId, messageId, attempt, reference };
  const nowMs = Date.now();
  const answerTicket = issueTicket(sign, 'answer', call, Math.min(expiresAtMs, nowMs + answerMs));
  const eventTicket = issueTicket(sign, 'event', call, nowMs + eventMs);
  return {
    to: [{ type: 'phone', number: digitsOf(to) }],
    from: { type: 'phone', number: digitsOf(sender ?? settings.from) },
    answer_url: [hookUrl(`/answer/${answerTicket}`)],
    // By POST the signature covers the bytes of the body instead of a query put together again.
    answer_method: 'POST',
    event_url: [hookUrl(`/event/${eventTicket}`)],
    event_method: 'POST',
    machine_detection: 'hangup',
    ringing_timer: settings.ringing_timer,
    length_timer: settings.length_timer,
  };
}

const digitsOf = (number: string): string => number.replace(/^\+/, '');
