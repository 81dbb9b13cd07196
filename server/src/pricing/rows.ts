/** What a row of the price table must be, wherever it comes from: a request or a line of a file. Pure. */
import { getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js/max';
import { type Channel, channelNames } from '../channels/index.ts';
import { maxPriceMicros } from './money.ts';
import { any, type PriceKey, type Refund, refunds } from './price.ts';

/** A price to be kept; without a time it is to hold from now on. */
export interface NewPrice extends PriceKey {
  priceMicros: number;
  refund: Refund;
  validFrom: Date | null;
}

export type RowField = 'provider' | 'channel' | 'country' | 'prefix' | 'price' | 'refund' | 'valid_from';
export interface RowFault {
  field: RowField;
  problem: string;
}

export const providerForm = /^(\*|[a-z0-9-]{2,40})$/;
export const prefixForm = /^([1-9][0-9]{0,14})?$/;
export const isChannel = (text: string): text is Channel => channelNames.some((name) => name === text);
export const isRefund = (text: string): text is Refund => refunds.some((name) => name === text);
export const refundProblem = `must be one of ${refunds.join(', ')}`;
export const channelProblem = `must be one of ${channelNames.join(', ')}`;
export const providerProblem = 'must be the id of a provider, or * for any';
export const prefixProblem = 'must be the first digits of numbers, calling code first, without + or zeros in front';

/** What is wrong with a row whose fields have the right form. */
export function faultsOfRow({ channel, country, prefix, priceMicros }: NewPrice): RowFault[] {
  const faults: RowFault[] = [];
  const say = (field: RowField, problem: string): void => void faults.push({ field, problem });
  if (channel === 'email' && country !== any) say('country', 'must be * for e-mail');
  if (channel === 'email' && prefix !== '') say('prefix', 'must be empty for e-mail');
  if (country !== any && !isSupportedCountry(country)) say('country', 'must be an ISO 3166 alpha-2 code, or * for any');
  else if (country !== any && !mayBeginWith(country, prefix)) say('prefix', `no number of ${country} begins with it`);
  if (priceMicros > maxPriceMicros) say('price', 'must be at most 1000000');
  return faults;
}

function mayBeginWith(country: string, prefix: string): boolean {
  if (!isSupportedCountry(country)) return false;
  const code = getCountryCallingCode(country);
  return prefix.startsWith(code) || code.startsWith(prefix);
}
