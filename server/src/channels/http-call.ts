/**
 * One HTTP call to an upstream, with the failures every such adapter shares already turned into outcomes: nothing left is refused
 * for now, in a sentence that names the remedy; left without an answer is unknown. What an answer means is the adapter's matter.
 */
import type { Outbound, OutboundAnswer, OutboundRequest } from '../platform/outbound.ts';
import { type Refused, refusedForNow, type Unknown, unknown } from './outcome.ts';

/** Contract §7.2: no answer to the hand-over within 10 s. The engine's own limit is the same; the caller's signal ends it earlier. */
const answerMs = 10_000;

export type Answered = Extract<OutboundAnswer, { kind: 'answered' }>;
type Failed = Extract<OutboundAnswer, { kind: 'failed' }>;

export async function callUpstream(
  outbound: Outbound,
  request: Omit<OutboundRequest, 'timeoutMs'>,
): Promise<Answered | Refused | Unknown> {
  if (request.signal?.aborted) return unknown('aborted before the hand-over');
  const answer = await outbound.request({ ...request, timeoutMs: answerMs });
  return answer.kind === 'answered' ? answer : outcomeOf(answer, new URL(request.url).host);
}

function outcomeOf({ reason, detail, sent }: Failed, host: string): Refused | Unknown {
  if (reason === 'forbidden') {
    const remedy = 'correct the address in the settings, or allow it in OUTBOUND_ALLOW';
    return refusedForNow('config', `${host} may not be called (${detail}): ${remedy}`);
  }
  if (sent) return unknown(reason === 'timeout' ? detail : `the connection to ${host} was lost before an answer`);
  const [cause, remedy] = explain(detail);
  return refusedForNow('upstream_error', `${host} ${cause} (${detail}): ${remedy}`);
}

/** What is wrong with a connection that never came about, and what to look at. */
function explain(code: string): [cause: string, remedy: string] {
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) return ['has no address', 'check the host name in the settings and the DNS'];
  if (/CERT|SELF_SIGNED|VERIFY|ALTNAME/.test(code))
    return ['shows a certificate that is not trusted', 'check the host name in the settings and the certificate'];
  if (/EPROTO|SSL|TLS/.test(code)) return ['does not speak TLS here', 'check port and protocol in the settings'];
  if (/ECONNREFUSED/.test(code)) return ['refuses connections', 'check host and port in the settings'];
  return ['cannot be reached', 'check the network, then the host in the settings'];
}
