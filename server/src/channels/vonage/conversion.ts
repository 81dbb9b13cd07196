/**
 * Tells Vonage's Conversion API whether a code was used, from which it learns which of its routes deliver. POST /conversions/sms
 * with message-id, delivered and timestamp; the parameters go as a form, so that the secret stays out of addresses. Best effort,
 * and only for accounts Vonage has enabled: after a refusal it keeps still until the provider is opened again.
 */
import type { Ports } from '../contract.ts';
import { callUpstream } from '../http-call.ts';
import { atApi } from './http-answer.ts';
import type { SmsSettings } from './sms-settings.ts';

type Feedback = (upstreamId: string, verified: boolean, signal: AbortSignal) => Promise<void>;

export function tellConversion(settings: SmsSettings, ports: Ports, closing: AbortSignal): Feedback {
  let refused = false;
  return async (upstreamId, verified, signal) => {
    // Messages in parts go by an id of ours, which says nothing to Vonage.
    if (refused || closing.aborted || upstreamId.startsWith('parts-')) return;
    const answer = await callUpstream(ports.outbound, {
      url: atApi(settings.conversion_api_url, '/conversions/sms'),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        api_key: settings.api_key,
        api_secret: settings.api_secret,
        'message-id': upstreamId,
        delivered: String(verified),
        timestamp: new Date().toISOString().slice(0, 19).replace('T', ' '),
      }).toString(),
      signal: AbortSignal.any([signal, closing]),
    });
    if (answer.kind !== 'answered' || ![401, 402, 403].includes(answer.status) || refused) return;
    refused = true;
    ports.log.warn({ status: answer.status }, 'the Conversion API is not enabled for this account: ask Vonage for it');
  };
}
