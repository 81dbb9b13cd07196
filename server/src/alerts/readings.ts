/** What a rule looks at, measured now: one reading for most kinds, one per provider or endpoint for the others. */
import type { Queryable } from '../platform/db.ts';
import { type Rates, readRates, readSpend, type Spend } from './minute-store.ts';
import type { AlertsPorts } from './ports.ts';
import type { Kind, Rule } from './rule.ts';

export interface Reading {
  /** Which provider or endpoint; empty where there is one thing alone. */
  subject: string;
  /** Null: nothing can be said now. */
  value: number | null;
  /** Where it follows from what was measured. */
  threshold?: number | null;
  /** More about it, for people. */
  detail?: string;
  /** Members of the callback beside the common ones. */
  more?: Record<string, unknown>;
}

type ReadingPorts = Pick<AlertsPorts, 'balance' | 'circuits' | 'failingEndpoints' | 'currency'>;
type Read = (tx: Queryable, rule: Rule, ports: ReadingPorts, nowMs: number) => Promise<Reading[]>;

export function readAll(tx: Queryable, rule: Rule, ports: ReadingPorts, nowMs: number): Promise<Reading[]> {
  return reads[rule.kind](tx, rule, ports, nowMs);
}

const reads: Record<Kind, Read> = {
  async balance(tx, rule, { balance }) {
    const found = await balance(tx, rule.applicationId ?? '');
    if (!found) return [{ subject: '', value: null }];
    return [{ subject: '', value: found.micros / 1e6, more: { currency: found.currency } }];
  },
  async verification_rate(tx, rule) {
    const { verified, ended } = await readRates(tx, rule.applicationId ?? '');
    return [rateOf(verified, ended, rule.minSamples)];
  },
  async delivery_rate(tx, rule) {
    const { delivered, sent }: Rates = await readRates(tx, rule.applicationId ?? '');
    return [rateOf(delivered, sent, rule.minSamples)];
  },
  async provider_circuit(tx, _rule, { circuits }) {
    return (await circuits(tx)).map(({ provider, circuit, reason }) => ({
      subject: provider,
      value: circuit && circuitValues[circuit],
      ...(reason !== null && { detail: reason }),
      more: { provider },
    }));
  },
  async callback_failure(tx, rule, { failingEndpoints }, nowMs) {
    const failing = await failingEndpoints(tx);
    return failing
      .filter(({ applicationId }) => applicationId === rule.applicationId)
      .map(({ id, host, failingSince, disabledBecause }) => {
        const minutes = failingSince === null ? 0 : Math.max(0, (nowMs - failingSince.getTime()) / 60_000);
        // One that was disabled is past every patience.
        const value = disabledBecause === null ? minutes : Math.max(minutes, (rule.threshold ?? 0) + 1);
        const disabled = disabledBecause !== null && { detail: `it was disabled (${disabledBecause})` };
        return { subject: id, value, ...disabled, more: { endpoint_id: id, host, disabled: disabledBecause !== null } };
      });
  },
  async spend_velocity(tx, rule, { currency }) {
    const spend = await readSpend(tx, rule.applicationId ?? '');
    return [{ subject: '', ...spendOf(rule, spend), more: { currency } }];
  },
};

/** Of what is not there any more: a provider deleted, an endpoint that works again. */
export const goneReading = (kind: Kind, subject: string): Reading => ({
  subject,
  value: 0,
  more: kind === 'provider_circuit' ? { provider: subject } : { endpoint_id: subject },
});

const circuitValues = { closed: 0, half_open: 0.5, open: 1 } as const;

/** Percent with two decimals. */
export function rateOf(good: number, all: number, minSamples: number): Reading {
  const known = all > 0 && all >= minSamples;
  return {
    subject: '',
    value: known ? Math.round((good / all) * 10_000) / 100 : null,
    ...(known && { detail: `${good} of ${all}`, more: { samples: all } }),
  };
}

/** The lower of the limits that hold: the amount, and the average hour before times the factor. */
export function spendOf(
  { threshold, factor, minSamples }: Pick<Rule, 'threshold' | 'factor' | 'minSamples'>,
  { micros, sent, beforeMicros, hoursBefore }: Spend,
): Pick<Reading, 'value' | 'threshold' | 'detail'> {
  const average = hoursBefore > 0 ? beforeMicros / 1e6 / Math.max(1, hoursBefore) : null;
  const limits = [threshold, factor === null || average === null ? null : average * factor];
  const known = limits.filter((limit) => limit !== null);
  if (known.length === 0) return { value: null };
  const limit = Math.round(Math.min(...known) * 1e6) / 1e6;
  return {
    // Too few hand-overs begin nothing, and yet show that what was is over.
    value: sent < minSamples ? Math.min(micros / 1e6, limit) : micros / 1e6,
    threshold: limit,
    ...(average !== null && { detail: `the average hour before: ${amount(average)}` }),
  };
}

export const amount = (value: number): string => value.toFixed(value !== 0 && Math.abs(value) < 1 ? 4 : 2);
