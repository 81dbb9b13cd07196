/**
 * SMS over Vonage's SMS API (POST /sms/json). Vonage answers HTTP 200 whatever happened; what counts is the status of each part.
 * A message of one part is known by Vonage's message id. One of several has an id per part, so it is known by an id of ours that
 * travels in the address of its receipts (see sms-hooks.ts): any node can tell from a receipt which message and how many parts.
 */
import { randomUUID } from 'node:crypto';
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { callUpstream } from '../http-call.ts';
import { refusedForGood, refusedForNow, type SendOutcome } from '../outcome.ts';
import { tellConversion } from './conversion.ts';
import { atApi } from './http-answer.ts';
import { outcomeOfSubmit } from './sms-answer.ts';
import { openSmsHook } from './sms-hooks.ts';
import { type SmsSettings, smsSettings } from './sms-settings.ts';
import { smsTextOf } from './sms-text.ts';

/** Milliseconds; Vonage refuses values outside. */
const ttlBounds = { least: 20_000, most: 604_800_000 };

export const smsVonage: Adapter<SmsSettings> = {
  id: 'sms-vonage',
  title: 'Vonage SMS',
  channels: ['sms'],
  settings: smsSettings,
  limits: { maxConcurrency: 30, idempotent: false },
  open: openSms,
};

function openSms(settings: SmsSettings, ports: Ports): Upstream {
  const closing = new AbortController();
  return {
    async send(message, signal) {
      if (closing.signal.aborted)
        return refusedForNow('upstream_error', 'the provider was closed before the hand-over');
      if (message.expiresAtMs <= Date.now()) return refusedForGood('expired', 'its time was over before the hand-over');
      return submit(settings, ports, message, AbortSignal.any([signal, closing.signal]));
    },
    hook: openSmsHook(settings, ports),
    feedback: tellConversion(settings, ports, closing.signal),
    async close() {
      closing.abort();
    },
  };
}

async function submit(
  settings: SmsSettings,
  ports: Ports,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const { type, parts } = smsTextOf(message.content.text);
  // A hand-over of several parts: `parts-<uuid>`; one part: null, Vonage's own id serves.
  const group = parts > 1 ? `parts-${randomUUID()}` : null;
  const answer = await callUpstream(ports.outbound, {
    url: atApi(settings.api_url, '/sms/json'),
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: formOf(settings, message, type, ports.hookUrl(group ? `/status/${parts}/${group}` : '/status')),
    signal,
  });
  if (answer.kind !== 'answered') return answer;
  const { outcome, accepted } = outcomeOfSubmit(answer, settings.code_map, ports.log);
  if (accepted > 0 && accepted !== parts) ports.log.warn({ expected: parts, accepted }, 'parts counted differently');
  return outcome.kind === 'accepted' && group ? { ...outcome, upstreamId: group } : outcome;
}

function formOf(
  settings: SmsSettings,
  { content, to, sender, reference, expiresAtMs }: OutgoingMessage,
  type: string,
  callback: string,
): string {
  const ttl = Math.min(Math.max(Math.floor(expiresAtMs - Date.now()), ttlBounds.least), ttlBounds.most);
  const from = sender ?? settings.from;
  return new URLSearchParams({
    api_key: settings.api_key,
    api_secret: settings.api_secret,
    from: /^\+\d+$/.test(from) ? from.slice(1) : from,
    to: to.replace(/^\+/, ''),
    text: content.text,
    type,
    ttl: String(ttl),
    'status-report-req': '1',
    callback,
    'client-ref': reference,
    ...(content.dlt && { 'entity-id': content.dlt.entityId, 'content-id': content.dlt.templateId }),
  }).toString();
}
