/** What a rule is, what each kind of it asks for, and how its numbers bound a value. Pure. */
import type { FieldFault } from '../errors.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Bounds } from './judge.ts';

export const kinds = [
  'balance',
  'verification_rate',
  'delivery_rate',
  'provider_circuit',
  'callback_failure',
  'spend_velocity',
] as const;
export type Kind = (typeof kinds)[number];

/** Judged by what alert_minutes counts. */
export const countedKinds = ['verification_rate', 'delivery_rate', 'spend_velocity'] as const satisfies readonly Kind[];

export interface Notify {
  callback: boolean;
  email: { providerId: string; addresses: readonly string[] } | null;
  telegram: { botToken: string; chatId: string } | null;
}

/** The numbers of a rule; which of them mean something, and in which unit, depends on the kind. */
export interface Terms {
  threshold: number | null;
  clearThreshold: number | null;
  factor: number | null;
  minSamples: number;
  quietMinutes: number;
}

export interface Rule extends Terms {
  id: string;
  applicationId: string | null;
  kind: Kind;
  enabled: boolean;
  notify: Notify;
  /** Found last; null where nothing could be said. */
  value: number | null;
  judgedAt: Date | null;
  raised: boolean;
  createdAt: Date;
  updatedAt: Date;
}

interface Shape {
  trouble: Bounds['trouble'];
  needs: readonly (keyof Terms)[];
  takes: readonly (keyof Terms)[];
  defaults: Pick<Terms, 'minSamples' | 'quietMinutes'> & Partial<Terms>;
  /** Contract §10.5: rates at most once per hour. */
  leastQuietMinutes: number;
  mostThreshold: number;
  /** Where an alert ends unless the rule says so. */
  clear(threshold: number): number;
}

const money = 1e12;
const hour = 60;
const rate: Shape = {
  trouble: 'below',
  needs: ['threshold'],
  takes: ['threshold', 'clearThreshold', 'minSamples'],
  defaults: { minSamples: 50, quietMinutes: hour },
  leastQuietMinutes: hour,
  mostThreshold: 100,
  clear: (threshold) => Math.min(100, threshold + 5),
};

export const shapes: Record<Kind, Shape> = {
  // Contract §10.5: once per fall below the threshold, so no fall is kept quiet by itself.
  balance: {
    trouble: 'below',
    needs: ['threshold'],
    takes: ['threshold', 'clearThreshold'],
    defaults: { minSamples: 0, quietMinutes: 0 },
    leastQuietMinutes: 0,
    mostThreshold: money,
    clear: (threshold) => threshold,
  },
  verification_rate: rate,
  delivery_rate: rate,
  // Of a provider: 1 open, 0.5 half-open, 0 closed.
  provider_circuit: {
    trouble: 'above',
    needs: [],
    takes: [],
    defaults: { minSamples: 0, quietMinutes: hour, threshold: 0.5, clearThreshold: 0 },
    leastQuietMinutes: 0,
    mostThreshold: 1,
    clear: () => 0,
  },
  // Minutes for which an endpoint has been failing.
  callback_failure: {
    trouble: 'above',
    needs: [],
    takes: ['threshold'],
    defaults: { minSamples: 0, quietMinutes: hour, threshold: 30, clearThreshold: 0 },
    leastQuietMinutes: 0,
    mostThreshold: 7 * 24 * hour,
    clear: () => 0,
  },
  spend_velocity: {
    trouble: 'above',
    needs: [],
    takes: ['threshold', 'clearThreshold', 'factor', 'minSamples'],
    defaults: { minSamples: 1, quietMinutes: hour },
    leastQuietMinutes: 0,
    mostThreshold: money,
    clear: (threshold) => threshold * 0.8,
  },
};

export type GivenTerms = { [Name in keyof Terms]?: number | null | undefined };

/** What is given laid over what there is; null goes back to the default of the kind. */
export function termsOf(kind: Kind, given: GivenTerms, before: Partial<Terms> = {}): Terms {
  const { defaults } = shapes[kind];
  const pick = (name: keyof Terms): number | null =>
    (given[name] === undefined ? before[name] : given[name]) ?? defaults[name] ?? null;
  return {
    threshold: pick('threshold'),
    clearThreshold: pick('clearThreshold'),
    factor: pick('factor'),
    minSamples: pick('minSamples') ?? 0,
    quietMinutes: pick('quietMinutes') ?? hour,
  };
}

/** What is wrong with the numbers for the kind, by the names of the wire. */
export function termFaults(kind: Kind, given: GivenTerms, terms: Terms): FieldFault[] {
  const { needs, takes, leastQuietMinutes, mostThreshold, trouble } = shapes[kind];
  const { threshold, clearThreshold: clear, factor, quietMinutes } = terms;
  const faults: FieldFault[] = [];
  const add = (field: string, problem: string): void => void faults.push({ field, problem });
  for (const name of ['threshold', 'clearThreshold', 'factor', 'minSamples'] as const)
    if (given[name] !== undefined && given[name] !== null && !takes.includes(name))
      add(wireNames[name], `a rule of kind ${kind} has none`);
  if (needs.includes('threshold') && threshold === null) add('threshold', 'required');
  if (kind === 'spend_velocity' && threshold === null && factor === null)
    add('threshold', 'required, where there is no factor');
  if (threshold !== null && threshold > mostThreshold) add('threshold', `must be at most ${mostThreshold}`);
  if (clear !== null && takes.includes('clearThreshold')) {
    if (threshold === null) add('clear_threshold', 'only beside a threshold');
    else if (trouble === 'below' && clear < threshold) add('clear_threshold', 'must not be below the threshold');
    else if (trouble === 'above' && clear > threshold) add('clear_threshold', 'must not be above the threshold');
    else if (clear > mostThreshold) add('clear_threshold', `must be at most ${mostThreshold}`);
  }
  if (quietMinutes < leastQuietMinutes) add('quiet_minutes', `must be at least ${leastQuietMinutes} for this kind`);
  return faults;
}

const wireNames = {
  threshold: 'threshold',
  clearThreshold: 'clear_threshold',
  factor: 'factor',
  minSamples: 'min_samples',
} as const;

/** `threshold`: where it follows from what was measured. */
export function boundsOf(rule: Pick<Rule, 'kind' | 'threshold' | 'clearThreshold'>, limit = rule.threshold): Bounds {
  const { trouble, clear } = shapes[rule.kind];
  const threshold = limit ?? 0;
  const { threshold: own, clearThreshold } = rule;
  if (clearThreshold === null) return { trouble, threshold, clear: clear(threshold) };
  // A clear threshold stands in the same ratio to a limit that was measured.
  const scaled = own !== null && own > 0 && own !== threshold;
  return { trouble, threshold, clear: scaled ? (clearThreshold / own) * threshold : clearThreshold };
}

const purpose = 'alert-telegram';
export const sealToken = (keyring: Keyring, ruleId: string, token: string): Buffer =>
  keyring.seal(purpose, token, ruleId);
export const openToken = (keyring: Keyring, ruleId: string, sealed: Buffer): string =>
  keyring.open(purpose, sealed, ruleId);
