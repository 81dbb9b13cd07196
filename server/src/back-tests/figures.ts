/** What a replay adds up to: in all, by country and by rule. Money in micros. */
import type { FraudMessage } from '../fraud/index.ts';

export interface Outcome {
  verdict: 'allow' | 'challenge' | 'block';
  /** Channels that would have been closed. */
  closed: readonly string[];
  /** Whose word it was; none for what is allowed. */
  deciders: readonly string[];
  /** Rules in shadow that matched. */
  shadows: readonly string[];
}

export interface Sums {
  sends: number;
  /** Of the sends. */
  verified: number;
  blocked: number;
  challenged: number;
  /** Would have lost channels. */
  narrowed: number;
  /** Blocked or challenged, and verified later. */
  false_positives: number;
  /** Would have lost channels, and verified later. */
  narrowed_verified: number;
  cost_micros: number;
  /** Of what would not have been sent. */
  saved_micros: number;
}

export interface RuleSums {
  rule: string;
  mode: 'enforce' | 'shadow';
  /** Sends it decided, or would have matched in shadow. */
  sends: number;
  /** Of those, verified later. */
  verified: number;
  /** Nothing for rules in shadow: they save nothing. */
  saved_micros: number;
}

export interface Figures {
  judged(messageId: string, message: FraudMessage, outcome: Outcome): void;
  paid(messageId: string, channel: string | null, micros: number): void;
  verified(verificationId: string): void;
  totals(): Sums;
  byCountry(): (Sums & { country: string | null })[];
  byRule(): RuleSums[];
}

interface Send {
  outcome: Outcome;
  country: Sums;
  rules: RuleSums[];
  verified: boolean;
}

const nothing = (): Sums => ({
  ...{ sends: 0, verified: 0, blocked: 0, challenged: 0, narrowed: 0, false_positives: 0, narrowed_verified: 0 },
  ...{ cost_micros: 0, saved_micros: 0 },
});

export function createFigures(): Figures {
  const total = nothing();
  const countries = new Map<string | null, Sums>();
  const rules = new Map<string, RuleSums>();
  const sends = new Map<string, Send>();
  const byCode = new Map<string, Send[]>();

  function ruleSums(rule: string, mode: RuleSums['mode']): RuleSums {
    const key = `${rule} ${mode}`;
    const sums = rules.get(key) ?? { rule, mode, sends: 0, verified: 0, saved_micros: 0 };
    rules.set(key, sums);
    return sums;
  }

  function verify(send: Send): void {
    if (send.verified) return;
    send.verified = true;
    const { verdict, closed } = send.outcome;
    for (const sums of [total, send.country]) {
      sums.verified++;
      if (verdict !== 'allow') sums.false_positives++;
      else if (closed.length > 0) sums.narrowed_verified++;
    }
    for (const sums of send.rules) sums.verified++;
  }

  return {
    judged(messageId, { country, verificationId }, outcome) {
      const ofCountry = countries.get(country) ?? nothing();
      countries.set(country, ofCountry);
      const matched = [
        ...outcome.deciders.map((rule) => ruleSums(rule, 'enforce')),
        ...outcome.shadows.map((rule) => ruleSums(rule, 'shadow')),
      ];
      const send = { outcome, country: ofCountry, rules: matched, verified: false };
      sends.set(messageId, send);
      if (verificationId !== null) byCode.set(verificationId, [...(byCode.get(verificationId) ?? []), send]);
      for (const sums of [total, ofCountry]) {
        sums.sends++;
        if (outcome.verdict === 'block') sums.blocked++;
        else if (outcome.verdict === 'challenge') sums.challenged++;
        else if (outcome.closed.length > 0) sums.narrowed++;
      }
      for (const sums of matched) sums.sends++;
    },
    paid(messageId, channel, micros) {
      const send = sends.get(messageId);
      if (!send) return;
      const { verdict, closed } = send.outcome;
      const saved = verdict !== 'allow' || (channel !== null && closed.includes(channel)) ? micros : 0;
      for (const sums of [total, send.country]) {
        sums.cost_micros += micros;
        sums.saved_micros += saved;
      }
      for (const sums of send.rules) if (sums.mode === 'enforce') sums.saved_micros += saved;
    },
    verified(verificationId) {
      for (const send of byCode.get(verificationId) ?? []) verify(send);
    },
    totals: () => total,
    byCountry: () =>
      [...countries]
        .map(([country, sums]) => ({ country, ...sums }))
        .sort((a, b) => b.sends - a.sends || ((a.country ?? '') < (b.country ?? '') ? -1 : 1)),
    byRule: () => [...rules.values()].sort((a, b) => b.sends - a.sends || (a.rule < b.rule ? -1 : 1)),
  };
}
