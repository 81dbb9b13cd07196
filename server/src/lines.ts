/**
 * Who serves a message: the virtual network for applications on it, else the providers by their routes. One place that delivery
 * (to hand over) and messages (to plan) both ask, so that they never disagree.
 */
import type { Channel, Upstream } from './channels/index.ts';
import type { Line } from './delivery/index.ts';
import type { Application } from './policy.ts';
import type { Candidates, Providers } from './providers/index.ts';

interface Virtual {
  provider: string;
  upstream: Upstream;
  idempotent: boolean;
}

export function createLines(
  virtual: Virtual,
  providers: Pick<Providers, 'line' | 'candidates' | 'serves'>,
  currency: string,
) {
  const virtualLine: Line = {
    ...virtual,
    senderReplaced: false,
    costMicros: 0,
    currency,
    why: 'the virtual network',
    admit: () => 0,
    done: () => undefined,
  };
  return {
    lineOf(id: string | null, content: { from?: string; segments?: number }): Line | null {
      if (id === null) return virtualLine;
      const line = providers.line(id, content);
      return line && { ...line, currency };
    },
    linesFor: (ask: { applicationId: string; channel: Channel; to: string }): readonly string[] =>
      providers.candidates(ask).lines,
    serves: ({ id, network }: Application, channel: Channel): boolean =>
      network === 'virtual' || providers.serves(id, channel),
    serving({ id, network }: Application, channel: Channel, to: string): { reason: null } | Candidates {
      return network === 'virtual' ? { reason: null } : providers.candidates({ applicationId: id, channel, to });
    },
  };
}
