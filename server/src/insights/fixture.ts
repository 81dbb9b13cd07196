/** For the tests of this room: what the figures of an application must be, worked out from its whole ledger in plain code. */
export interface Entry {
  /** To the microsecond. */
  at_ms: number;
  created_ms: number;
  message_id: string;
  verification_id: string | null;
  created_at: Date;
  country: string | null;
  template_id: string;
  cause: string;
  status: string | null;
  step: number | null;
  attempt: number | null;
  channel: string | null;
  cost: number | null;
  provider: string | null;
}

type Group = 'country' | 'channel' | 'template' | 'hour' | 'day' | 'provider';
interface Fact {
  keys: Record<Group, string | null>;
  what: string;
  amount: number;
}

const names = [
  ...['messages', 'steps_sent', 'delivered', 'verifications', 'verified', 'resends', 'fallbacks'],
  ...['wrong_codes', 'exhausted', 'expired', 'cost'],
];

export interface Recount {
  all(): Record<string, number>;
  /** In the order of the keys. */
  by(group: Group): [string | null, Record<string, number>][];
  /** Milliseconds, in order. */
  latencies: Record<'accept_to_sent' | 'sent_to_delivered' | 'accept_to_verified', number[]>;
}

/** `entries` in the order of the ledger. */
export function recount(entries: readonly Entry[]): Recount {
  const latencies: Recount['latencies'] = { accept_to_sent: [], sent_to_delivered: [], accept_to_verified: [] };
  const facts = [...perMessage(entries, latencies), ...perVerification(entries, latencies)];
  for (const list of Object.values(latencies)) list.sort((a, b) => a - b);
  return {
    latencies,
    all: () => summed(facts),
    by(group) {
      const keys = new Set(facts.map((fact) => fact.keys[group]));
      return [...keys]
        .sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1))
        .map((key) => [key, summed(facts.filter((fact) => fact.keys[group] === key))]);
    },
  };
}

function summed(facts: readonly Fact[]): Record<string, number> {
  const sums = Object.fromEntries(names.map((name) => [name, 0]));
  for (const { what, amount } of facts) sums[what] = Math.round(((sums[what] ?? 0) + amount) * 1e6) / 1e6;
  return sums;
}

const keysOf = (from: Entry, channel: string | null, provider: string | null): Fact['keys'] => ({
  country: from.country,
  channel,
  template: from.template_id,
  hour: `${from.created_at.toISOString().slice(0, 13)}:00:00Z`,
  day: from.created_at.toISOString().slice(0, 10),
  provider,
});

function grouped(entries: readonly Entry[], key: (entry: Entry) => string | null): Entry[][] {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = key(entry);
    if (name !== null) found.set(name, [...(found.get(name) ?? []), entry]);
  }
  return [...found.values()];
}

function perMessage(entries: readonly Entry[], latencies: Recount['latencies']): Fact[] {
  const facts: Fact[] = [];
  for (const story of grouped(entries, (entry) => entry.message_id)) {
    const plan = story.find(({ status }) => status === 'plan');
    if (!plan) continue;
    const whole = keysOf(plan, plan.channel, null);
    facts.push({ keys: whole, what: 'messages', amount: 1 });
    const sends = story.filter(({ status }) => status === 'sent');
    if (new Set(sends.map(({ step }) => step)).size > 1) facts.push({ keys: whole, what: 'fallbacks', amount: 1 });
    for (const { cause } of story) if (cause === 'resent') facts.push({ keys: whole, what: 'resends', amount: 1 });
    if (sends[0]) latencies.accept_to_sent.push(sends[0].at_ms - plan.created_ms);
    for (const sent of sends) {
      const keys = keysOf(plan, sent.channel, sent.provider);
      facts.push({ keys, what: 'steps_sent', amount: 1 }, { keys, what: 'cost', amount: sent.cost ?? 0 });
      const delivered = story.find(({ status, attempt }) => status === 'delivered' && attempt === sent.attempt);
      if (!delivered) continue;
      facts.push({ keys, what: 'delivered', amount: 1 });
      latencies.sent_to_delivered.push(delivered.at_ms - sent.at_ms);
    }
  }
  return facts;
}

const endings: Record<string, string> = {
  verified: 'verified',
  verified_failed: 'exhausted',
  verified_timeout: 'expired',
};

function perVerification(entries: readonly Entry[], latencies: Recount['latencies']): Fact[] {
  const facts: Fact[] = [];
  for (const story of grouped(entries, (entry) => entry.verification_id)) {
    const sent = story.find(({ status }) => status === 'sent');
    const first = story.find(({ message_id, verification_id }) => message_id === verification_id);
    if (!sent || !first) continue;
    const keys = keysOf(first, sent.channel, sent.provider);
    facts.push({ keys, what: 'verifications', amount: 1 });
    for (const { status, cause, at_ms } of story) {
      const what = endings[status ?? ''];
      if (what) facts.push({ keys, what, amount: 1 });
      if (cause === 'wrong_code' || cause === 'attempts_exhausted')
        facts.push({ keys, what: 'wrong_codes', amount: 1 });
      if (status === 'verified') latencies.accept_to_verified.push(at_ms - first.created_ms);
    }
  }
  return facts;
}
