/** One signed POST to an endpoint (contract §10.2): events, probes and test events alike. */
import type { Clock } from '../platform/clock.ts';
import type { Outbound, OutboundAnswer } from '../platform/outbound.ts';
import { signedHeaders } from '../platform/webhook-signature.ts';
import { type Endpoint, signingSecretsAt } from './endpoint.ts';

export interface PostPorts {
  clock: Clock;
  outbound: Pick<Outbound, 'request'>;
}

export interface Posted {
  answer: OutboundAnswer;
  latencyMs: number;
}

/** `eventId` is the number of `webhook-id: evt_…`. Headers are made anew for each try; the body is as given. */
export async function post(
  { clock, outbound }: PostPorts,
  endpoint: Pick<Endpoint, 'url' | 'username' | 'secrets' | 'timeoutMs'>,
  { eventId, body }: { eventId: string; body: string },
  signal?: AbortSignal,
): Promise<Posted> {
  const { url, username, secrets, timeoutMs } = endpoint;
  const nowMs = clock.now();
  const headers = signedHeaders({
    id: `evt_${eventId}`,
    nowMs,
    body,
    signingSecrets: signingSecretsAt(secrets, nowMs),
    ...(username !== null && secrets.secret !== null && { login: { username, secret: secrets.secret } }),
    ...(secrets.authorization !== null && { authorization: secrets.authorization }),
  });
  const startedAt = performance.now();
  const answer = await outbound.request({ url, headers, body, timeoutMs, ...(signal && { signal }) });
  return { answer, latencyMs: Math.round(performance.now() - startedAt) };
}
