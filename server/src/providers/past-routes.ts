/**
 * One provider used for itself, past routes, rate and circuit: for what an operator tries out, and for mail to operators. A
 * provider that is not open is opened for it.
 */
import { type OutgoingMessage, type SendOutcome, type Upstream, unknown } from '../channels/index.ts';
import type { Office } from './office.ts';
import { openUpstream } from './open-upstream.ts';
import type { Provider } from './records.ts';

/** The upstream in use, or one opened for this alone. */
export async function withUpstream<Result>(
  office: Office,
  provider: Provider,
  work: (upstream: Upstream) => Promise<Result>,
  closed: (fault: string) => Result,
): Promise<Result> {
  const handle = office.memory.roster.find(provider.id)?.handle;
  if (handle) {
    handle.enter();
    return work(handle.upstream).finally(() => handle.leave());
  }
  const opened = await openUpstream(provider, office);
  if ('fault' in opened) return closed(opened.fault);
  return work(opened.upstream).finally(() => opened.upstream.close());
}

/** A throw of the adapter is one more thing an operator wants to hear of; its text may name the recipient. */
export async function answerOf(upstream: Upstream, message: OutgoingMessage, limit: AbortSignal): Promise<SendOutcome> {
  try {
    return await upstream.send(message, limit);
  } catch (error) {
    return unknown(`the adapter failed (${error instanceof Error ? error.name : typeof error})`);
  }
}
