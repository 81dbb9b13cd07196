/**
 * What is known of one application's traffic, in memory: fed with what the ledger tells, in its order, and asked for the facts of a
 * send at a time. The same entries and the same time give the same facts, on every node and in a back-test.
 */
import { Clearance, type Outcome, Outcomes, RecentNames, Shelf, SlidingCount } from './counters.ts';
import type { FactName, Facts, FactValue } from './facts.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Codes live a day at most. */
const keptMs = 2 * day;
const maxNames = 256;
const maxOfAKind = 20_000;
const maxLivingCodes = 500_000;
/** A share of fewer says nothing. */
const leastForShare = 20;
const firstCountryMs = 30 * day;
const tenMinutesPerDay = 144;

export interface Accepted {
  atMs: number;
  to: string;
  country: string | null;
  ip: string | null;
  deviceId: string | null;
  /** Null for what carries no code of ours. */
  verificationId: string | null;
  endsAtMs: number | null;
}

/** What a send says of itself. */
export interface Asked {
  to: string;
  country: string | null;
  callingCode: string | null;
  numberType: string | null;
  ip: string | null;
  deviceId: string | null;
}

interface Code {
  endsAtMs: number;
  prefix: string | null;
  country: string | null;
  provider: string | null;
  fate: 'verified' | 'ended' | null;
}

export interface PumpedBounds {
  leastCodes: number;
  belowShare: number;
  /** Whole minutes. */
  windowMs: number;
}

export interface PumpedPrefix {
  prefix: string;
  codes: number;
  verified: number;
}

/** The number without + and without its last four digits; null for what is no number. */
export const prefixOf = (to: string): string | null => (/^\+\d{7,}$/.test(to) ? to.slice(1, -4) : null);

const newPrefix = () => ({
  sends: new SlidingCount(minute, hour),
  numbers: new RecentNames<number>(maxNames),
  outcomes: new Outcomes(minute, 2 * hour),
  /** Apart from the others, since each remembers only what was asked of it last. */
  ofDay: new Outcomes(5 * minute, 25 * hour),
});

export class FactBook {
  readonly #prefixes = new Shelf(maxOfAKind, keptMs, newPrefix);
  readonly #ips = new Shelf(maxOfAKind, 2 * hour, () => new RecentNames<string>(maxNames));
  readonly #devices = new Shelf(maxOfAKind, 2 * hour, () => new RecentNames<string>(maxNames));
  readonly #countries = new Shelf(1_000, firstCountryMs, () => ({
    lastAtMs: Number.NEGATIVE_INFINITY,
    provider: null as string | null,
    outcomes: new Outcomes(10 * minute, 25 * hour),
  }));
  readonly #providers = new Shelf(1_000, keptMs, () => new Outcomes(10 * minute, 25 * hour));
  readonly #minutes = new SlidingCount(minute, hour);
  readonly #tens = new SlidingCount(10 * minute, 25 * hour);
  readonly #codes = new Map<string, Code>();
  readonly #clearance = new Clearance();
  readonly #suspects = new Set<string>();

  accepted(send: Accepted): void {
    const { atMs, to, country, ip, deviceId } = send;
    const prefix = prefixOf(to);
    this.#minutes.add(atMs);
    this.#tens.add(atMs);
    if (prefix !== null) {
      const kept = this.#prefixes.take(prefix, atMs);
      kept.sends.add(atMs);
      kept.numbers.add(Number(to.slice(-4)), atMs);
    }
    if (country !== null) this.knowsCountry(country, atMs);
    if (ip !== null) this.#ips.take(ip, atMs).add(to, atMs);
    if (deviceId !== null) this.#devices.take(deviceId, atMs).add(to, atMs);
    if (send.verificationId !== null && send.endsAtMs !== null)
      this.#begin(send.verificationId, { endsAtMs: send.endsAtMs, prefix, country, provider: null, fate: null }, atMs);
  }

  #begin(id: string, code: Code, atMs: number): void {
    // One code may travel in several messages.
    if (this.#codes.has(id)) return;
    this.#codes.set(id, code);
    this.#count('codes', code, atMs);
    if (code.prefix !== null) this.#suspects.add(code.prefix);
    this.#clearance.clear(this.#codes, maxLivingCodes, ({ endsAtMs }) => endsAtMs <= atMs - hour);
  }

  #count(what: 'codes' | 'verified' | 'ended', { prefix, country, provider, endsAtMs }: Code, atMs: number): void {
    const ofPrefix = prefix === null ? undefined : this.#prefixes.find(prefix);
    ofPrefix?.outcomes.add(what, endsAtMs, atMs);
    ofPrefix?.ofDay.add(what, endsAtMs, atMs);
    if (country !== null) this.#countries.find(country)?.outcomes.add(what, endsAtMs, atMs);
    if (provider !== null) this.#providers.take(provider, atMs).add(what, endsAtMs, atMs);
  }

  /** A code was verified, or ended before its time. */
  settled(verificationId: string, fate: 'verified' | 'ended', atMs: number): void {
    const code = this.#codes.get(verificationId);
    if (!code || code.fate !== null) return;
    code.fate = fate;
    this.#count(fate, code, atMs);
  }

  /** The first provider that took a code over. */
  handedOver(verificationId: string, provider: string, atMs: number): void {
    const code = this.#codes.get(verificationId);
    if (!code || code.provider !== null) return;
    code.provider = provider;
    const outcomes = this.#providers.take(provider, atMs);
    outcomes.add('codes', code.endsAtMs, atMs);
    if (code.fate !== null) outcomes.add(code.fate, code.endsAtMs, atMs);
    const country = code.country === null ? undefined : this.#countries.find(code.country);
    if (country) country.provider = provider;
  }

  /** That something went to the country, of a time before the book begins. */
  knowsCountry(country: string, atMs: number): void {
    const kept = this.#countries.take(country, atMs);
    kept.lastAtMs = Math.max(kept.lastAtMs, atMs);
  }

  /** Prefixes of which, within the window, enough codes have met their fate and too few were verified. */
  pumped({ leastCodes, belowShare, windowMs }: PumpedBounds, nowMs: number): PumpedPrefix[] {
    const found: PumpedPrefix[] = [];
    for (const prefix of this.#suspects) {
      const outcomes = this.#prefixes.find(prefix)?.outcomes;
      // It comes back with its next code.
      if (!outcomes || outcomes.codesFrom(windowMs, nowMs) < leastCodes) this.#suspects.delete(prefix);
      else {
        const { codes, verified } = outcomes.within(windowMs, nowMs);
        if (codes >= leastCodes && verified / codes < belowShare) found.push({ prefix, codes, verified });
      }
    }
    return found;
  }

  /**
   * `knownUntilMs`: up to when the book has been told everything. What became of codes is counted as of then: of one whose life ended
   * since, it may not have been told yet that it was verified. Null: it is still being told of the past, and knows the send alone.
   */
  factsOf(asked: Asked, nowMs: number, knownUntilMs: number | null = nowMs): Facts {
    const known = new Map<FactName, FactValue | null>();
    const settledMs = Math.min(nowMs, knownUntilMs ?? nowMs);
    return (name) => {
      if (knownUntilMs === null && !ofTheSend.has(name)) return null;
      let value = known.get(name);
      if (value === undefined) {
        value = shares.has(name) ? this.#share(name, asked, settledMs) : this.#fact(name, asked, nowMs);
        known.set(name, value);
      }
      return value;
    };
  }

  #fact(name: FactName, asked: Asked, nowMs: number): FactValue | null {
    const { to, country, ip, deviceId } = asked;
    const prefix = prefixOf(to);
    switch (name) {
      case 'country':
        return country;
      case 'calling_code':
        return asked.callingCode;
      case 'prefix':
        return prefix;
      case 'number_type':
        return asked.numberType;
      case 'recipient_kind':
        return to.includes('@') ? 'email' : 'phone';
      case 'email_domain':
        return to.includes('@') ? to.slice(to.lastIndexOf('@') + 1).toLowerCase() : null;
      case 'has_ip':
        return ip !== null;
      case 'has_device':
        return deviceId !== null;
      case 'is_first_country':
        return country === null ? null : this.#isFirst(country, nowMs);
      case 'targets_per_ip_1h':
        return ip === null ? null : (this.#ips.find(ip)?.within(hour, nowMs).size ?? 0);
      case 'targets_per_device_1h':
        return deviceId === null ? null : (this.#devices.find(deviceId)?.within(hour, nowMs).size ?? 0);
      case 'sends_of_application_10m':
        return this.#minutes.within(10 * minute, nowMs);
      case 'sends_of_application_10m_ratio':
        return this.#velocity(nowMs);
      default:
        return prefix === null ? null : this.#ofPrefix(name, prefix, Number(to.slice(-4)), nowMs);
    }
  }

  #ofPrefix(name: FactName, prefix: string, number: number, nowMs: number): number | null {
    const kept = this.#prefixes.find(prefix);
    switch (name) {
      case 'sends_to_prefix_30m':
        return kept?.sends.within(30 * minute, nowMs) ?? 0;
      case 'targets_in_prefix_30m':
        return kept?.numbers.within(30 * minute, nowMs).size ?? 0;
      default:
        return kept ? longestRun(kept.numbers.within(30 * minute, nowMs), number) : 1;
    }
  }

  #share(name: FactName, { to, country }: Asked, nowMs: number): number | null {
    const prefix = prefixOf(to);
    const ofPrefix = prefix === null ? undefined : this.#prefixes.find(prefix);
    if (name === 'verified_share_of_prefix_30m') return share(ofPrefix?.outcomes.within(30 * minute, nowMs));
    if (name === 'verified_share_of_prefix_24h') return share(ofPrefix?.ofDay.within(day, nowMs));
    const ofCountry = country === null ? undefined : this.#countries.find(country);
    if (name === 'verified_share_of_country_24h') return share(ofCountry?.outcomes.within(day, nowMs));
    return ofCountry?.provider ? share(this.#providers.find(ofCountry.provider)?.within(day, nowMs)) : null;
  }

  #isFirst(country: string, nowMs: number): boolean {
    const last = this.#countries.find(country)?.lastAtMs;
    return last === undefined || last < nowMs - firstCountryMs;
  }

  #velocity(nowMs: number): number | null {
    const past = this.#tens.within(day, nowMs);
    return past < tenMinutesPerDay ? null : this.#minutes.within(10 * minute, nowMs) / (past / tenMinutesPerDay);
  }
}

const shares: ReadonlySet<FactName> = new Set([
  'verified_share_of_prefix_30m',
  'verified_share_of_prefix_24h',
  'verified_share_of_country_24h',
  'verified_share_of_provider_24h',
]);
/** What a send says of itself, whatever was before. */
const ofTheSend: ReadonlySet<FactName> = new Set([
  ...(['country', 'calling_code', 'prefix', 'number_type', 'recipient_kind', 'email_domain'] as const),
  ...(['has_ip', 'has_device'] as const),
]);

const share = (outcome: Outcome | undefined): number | null =>
  outcome === undefined || outcome.codes < leastForShare ? null : outcome.verified / outcome.codes;

/** Of one set of numbers, which stays the same while many are asked about. */
const longestRuns = new WeakMap<ReadonlySet<number>, number>();

/** Of the numbers, and of the one that is asked about among them. */
function longestRun(numbers: ReadonlySet<number>, asked: number): number {
  let below = asked;
  let above = asked;
  while (numbers.has(below - 1)) below--;
  while (numbers.has(above + 1)) above++;
  return Math.max(longestOf(numbers), above - below + 1);
}

function longestOf(numbers: ReadonlySet<number>): number {
  let longest = longestRuns.get(numbers);
  if (longest !== undefined) return longest;
  longest = 0;
  for (const number of numbers) {
    if (numbers.has(number - 1)) continue;
    let end = number;
    while (numbers.has(end + 1)) end++;
    longest = Math.max(longest, end - number + 1);
  }
  longestRuns.set(numbers, longest);
  return longest;
}
