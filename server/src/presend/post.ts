/** One signed question to a hook (Standard Webhooks over the raw body), and what came back. */
import type { Clock } from '../platform/clock.ts';
import { prefixedId } from '../platform/ids.ts';
import type { Outbound, OutboundAnswer } from '../platform/outbound.ts';
import { signingAt } from '../platform/signing-secrets.ts';
import { signedHeaders } from '../platform/webhook-signature.ts';
import { type Hook, type HookQuestion, questionBody } from './hook.ts';

export interface PostPorts {
  clock: Clock;
  outbound: Pick<Outbound, 'request'>;
}

export async function post(
  { clock, outbound }: PostPorts,
  hook: Hook,
  question: HookQuestion,
  timeoutMs: number,
): Promise<OutboundAnswer> {
  const { applicationId, url, secrets } = hook;
  if (!secrets) return { kind: 'failed', reason: 'forbidden', detail: 'its secrets cannot be opened', sent: false };
  const nowMs = clock.now();
  const id = prefixedId('ask', nowMs);
  const body = questionBody(id, applicationId, question);
  const { authorization } = secrets;
  const headers = signedHeaders({
    id,
    nowMs,
    body,
    signingSecrets: signingAt(secrets.signing, nowMs),
    ...(authorization !== null && { authorization }),
  });
  return outbound.request({ url, headers: { ...headers, 'user-agent': 'otp-pre-send/1' }, body, timeoutMs });
}
