/**
 * Which price counts, pure. The destination decides first: the longest prefix of the number, then its country, then anywhere; for
 * one destination a price of the provider before one of any provider. Of one such key the newest price that has begun is in force;
 * one that begins later is as if it were not there.
 */
import type { Channel } from '../channels/index.ts';

/** Stands for any provider, and for any country. */
export const any = '*';

/** What a price is for. Two prices of one key follow each other in time. */
export interface PriceKey {
  provider: string;
  channel: Channel;
  country: string;
  /** Digits; empty: any. */
  prefix: string;
}

export const refunds = ['none', 'undelivered'] as const;
/** When the cost of an accepted hand-over is given back: never, or when a receipt says that it was not delivered. */
export type Refund = (typeof refunds)[number];

export interface Price extends PriceKey {
  id: string;
  priceMicros: number;
  refund: Refund;
  validFrom: Date;
  updatedAt: Date;
}

export interface Asked {
  providerId: string;
  channel: Channel;
  /** E.164 number or e-mail address. */
  to: string;
  /** Of the number, ISO 3166. Read only where a country's price could count, so that it may be found out as late as that. */
  readonly country: string | null;
}

interface Shelf {
  /** Newest first. */
  byKey: Map<string, Price[]>;
  /** Of the prefixes there are, longest first; 0 for prices without one. */
  lengths: number[];
  hasCountries: boolean;
}
export type PriceTable = Map<Channel, Shelf>;

const keyOf = (provider: string, country: string, prefix: string): string => `${provider} ${country} ${prefix}`;

export function tableOf(prices: readonly Price[]): PriceTable {
  const table: PriceTable = new Map();
  for (const price of prices) {
    const shelf: Shelf = table.get(price.channel) ?? { byKey: new Map(), lengths: [], hasCountries: false };
    table.set(price.channel, shelf);
    const key = keyOf(price.provider, price.country, price.prefix);
    const versions = shelf.byKey.get(key);
    if (versions) versions.push(price);
    else shelf.byKey.set(key, [price]);
    if (!shelf.lengths.includes(price.prefix.length)) shelf.lengths.push(price.prefix.length);
    if (price.country !== any) shelf.hasCountries = true;
  }
  for (const { byKey, lengths } of table.values()) {
    lengths.sort((a, b) => b - a);
    for (const versions of byKey.values()) versions.sort((a, b) => b.validFrom.getTime() - a.validFrom.getTime());
  }
  return table;
}

/** Every price in force that fits, the one that counts first. */
export function* fitting(table: PriceTable, asked: Asked, nowMs: number): Generator<Price, void> {
  const shelf = table.get(asked.channel);
  if (!shelf) return;
  const digits = asked.to.startsWith('+') ? asked.to.slice(1) : '';
  const country = shelf.hasCountries && digits !== '' ? asked.country : null;
  const countries = country === null ? [any] : [country, any];
  for (const length of shelf.lengths) {
    if (length > digits.length) continue;
    const prefix = digits.slice(0, length);
    for (const place of countries)
      for (const provider of [asked.providerId, any]) {
        const versions = shelf.byKey.get(keyOf(provider, place, prefix));
        const found = versions?.find(({ validFrom }) => validFrom.getTime() <= nowMs);
        if (found) yield found;
      }
  }
}

export function decide(table: PriceTable, asked: Asked, nowMs: number): Price | null {
  for (const price of fitting(table, asked, nowMs)) return price;
  return null;
}

/** In words: which price it is. */
export function nameOf({ provider, country, prefix, validFrom }: Price): string {
  const where = [prefix && `numbers that begin with ${prefix}`, country !== any && `country ${country}`].filter(
    Boolean,
  );
  const whose = provider === any ? 'any provider' : `provider ${provider}`;
  return `${whose}, ${where.join(', ') || 'anywhere'}, since ${validFrom.toISOString()}`;
}
