/**
 * An HTTP gateway described by settings, the same for text messages and calls. The reference travels in {{reference}} and in the
 * address of the status webhook, so that a receipt finds its attempt even when the answer to the hand-over was lost.
 */
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { callUpstream } from '../http-call.ts';
import { refusedForGood, refusedForNow, type SendOutcome } from '../outcome.ts';
import { outcomeOf } from './answers.ts';
import type { HttpChannel } from './placeholders.ts';
import { type HttpRequest, type Prepare, prepareBy } from './request.ts';
import { type HttpSettings, settingsOf } from './settings.ts';
import { openHook } from './webhooks.ts';

export const gatewayFor = (id: string, title: string, channel: HttpChannel): Adapter<HttpSettings> => ({
  id,
  title,
  channels: [channel],
  settings: settingsOf(channel),
  limits: { maxConcurrency: 20, idempotent: false },
  open: openGateway,
});

function openGateway(settings: HttpSettings, ports: Ports): Upstream {
  const closing = new AbortController();
  const prepare = prepareBy(settings);
  const answerHook = openHook(settings, ports);
  return {
    async send(message, signal) {
      if (closing.signal.aborted)
        return refusedForNow('upstream_error', 'the provider was closed before the hand-over');
      if (message.expiresAtMs <= Date.now()) return refusedForGood('expired', 'its time was over before the hand-over');
      return handOver(settings, ports, prepare, message, AbortSignal.any([signal, closing.signal]));
    },
    hook: async (request) => (closing.signal.aborted ? { status: 503 } : answerHook(request)),
    async close() {
      closing.abort();
    },
  };
}

async function handOver(
  settings: HttpSettings,
  ports: Ports,
  prepare: Prepare,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const request = prepare(message, ports.hookUrl(`/status/${message.reference}`), Date.now());
  if ('kind' in request) return request;
  const first = await ask(settings, ports, { ...request, signal }, message.reference);
  if (first.kind !== 'unknown' || !settings.idempotent || signal.aborted) return first;
  // A gateway that drops repeats can be asked what became of the first one; only acceptance answers that.
  const second = await ask(settings, ports, { ...request, signal }, message.reference);
  return second.kind === 'accepted' ? second : first;
}

async function ask(
  settings: HttpSettings,
  { outbound, log }: Ports,
  request: HttpRequest,
  reference: string,
): Promise<SendOutcome> {
  const answer = await callUpstream(outbound, request);
  if (answer.kind !== 'answered') return answer;
  return outcomeOf(answer, reference, settings, (status) => log.warn({ upstreamCode: status }, 'unmapped code'));
}
