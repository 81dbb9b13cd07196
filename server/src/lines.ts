/**
 * Who serves a message and what that costs: the virtual network for applications on it, else the providers by their routes, at the
 * price of the table or, where it says nothing, of the route entry. One place that delivery (to hand over), messages (to plan) and
 * whoever reserves money all ask, so that they never disagree.
 */
import type { Channel, Upstream } from './channels/index.ts';
import type { Line } from './delivery/index.ts';
import type { Application } from './policy.ts';
import type { Pricing } from './pricing/index.ts';
import { type Candidates, countryOf, type Providers } from './providers/index.ts';

interface Virtual {
  provider: string;
  upstream: Upstream;
  idempotent: boolean;
}

interface Text {
  from?: string;
  segments?: number;
}

/** A step as its plan knows it. */
interface Planned {
  channel: Channel;
  to: string;
  /** Best first; absent on the virtual network. */
  lines?: readonly string[] | undefined;
}

interface LinesPorts {
  virtual: Virtual;
  providers: Pick<Providers, 'line' | 'candidates' | 'serves'>;
  pricing: Pick<Pricing, 'quote'>;
  currency: string;
}

export function createLines({ virtual, providers, pricing, currency }: LinesPorts) {
  const virtualLine: Line = {
    ...virtual,
    senderReplaced: false,
    costMicros: 0,
    currency,
    why: 'the virtual network',
    admit: () => 0,
    done: () => undefined,
  };

  function lineOf(id: string | null, content: Text, { channel, to }: Pick<Planned, 'channel' | 'to'>): Line | null {
    if (id === null) return virtualLine;
    const line = providers.line(id, content);
    if (!line) return null;
    const ask = {
      providerId: line.provider,
      channel,
      to,
      units: content.segments ?? 1,
      // Found out only where the table has prices by country.
      get country() {
        return countryOf(to);
      },
    };
    return { ...line, ...pricing.quote(ask), currency };
  }

  /** What one hand-over of the step would cost now, in micros, by the first of its lines that there is; 0 where there is none. */
  function estimateStep(step: Planned, content: Text): number {
    for (const id of step.lines ?? [null]) {
      const line = lineOf(id, content, step);
      if (line) return line.costMicros;
    }
    return 0;
  }

  return {
    lineOf,
    estimateStep,
    linesFor: (ask: { applicationId: string; channel: Channel; to: string }): readonly string[] =>
      providers.candidates(ask).lines,
    serves: ({ id, network }: Application, channel: Channel): boolean =>
      network === 'virtual' || providers.serves(id, channel),
    serving({ id, network }: Application, channel: Channel, to: string): { reason: null } | Candidates {
      return network === 'virtual' ? { reason: null } : providers.candidates({ applicationId: id, channel, to });
    },
  };
}
