/**
 * Conversion feedback: tells the upstreams that delivered a code that it was used, where they take such news. It sharpens their
 * routing and fraud rules; nothing of ours depends on it, so it is tried once, in the background, and never for the virtual network.
 */
import type { Acceptance } from './delivery/index.ts';
import type { Log } from './platform/log.ts';
import type { Application } from './policy.ts';

const feedbackMs = 10_000;
/** Beyond it the news are dropped: people who sign in must not fill the memory while an upstream hangs. */
const mostUnderWay = 200;

interface Told {
  feedback?(upstreamId: string, verified: boolean, signal: AbortSignal): Promise<void>;
}

interface Ports {
  log: Log;
  acceptances(ids: { applicationId: string; messageId: string }): Promise<Acceptance[]>;
  upstream(provider: string): Told | null;
}

export interface Feedback {
  verified(application: Application, messageId: string): void;
  /** Resolves when everybody was told. */
  idle(): Promise<void>;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

export function createFeedback({ log, acceptances, upstream }: Ports): Feedback {
  const underWay = new Set<Promise<void>>();
  const ending = new AbortController();

  async function tell(applicationId: string, messageId: string): Promise<void> {
    for (const { provider, upstreamId } of await acceptances({ applicationId, messageId })) {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(feedbackMs)]);
      await upstream(provider)?.feedback?.(upstreamId, true, signal);
    }
  }

  return {
    verified(application, messageId) {
      if (application.network === 'virtual' || underWay.size >= mostUnderWay) return;
      const telling = tell(application.id, messageId)
        .catch((error: unknown) => log.warn({ err: error }, 'conversion feedback was not given'))
        .finally(() => underWay.delete(telling));
      underWay.add(telling);
    },
    async idle() {
      await Promise.all(underWay);
    },
    async stop() {
      ending.abort();
      await Promise.all(underWay);
    },
  };
}
