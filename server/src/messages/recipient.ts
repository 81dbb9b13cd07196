/**
 * Addresses, pure: E.164 numbers and e-mail (contract §4). Counters, locks and lists use the normalised form made here.
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { ApiError, invalid } from '../errors.ts';

export interface PhoneAddress {
  kind: 'phone';
  /** E.164 with +. */
  address: string;
  /** ISO 3166 alpha-2 where the numbering plan tells it. */
  country: string | null;
  /** '86' */
  callingCode: string;
  /** Whether the number lies in an allocated range of its plan. */
  valid: boolean;
}

export interface EmailAddress {
  kind: 'email';
  /** Domain in lower case. */
  address: string;
}

export type Address = PhoneAddress | EmailAddress;

/** A dot-atom before the @ (no quoting), labels of letters, digits and hyphens after it. */
const emailPattern =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** The normalised form of what may be an address: e-mail with its domain in lower case, a phone number without its punctuation. */
export function bareAddress(text: string): string {
  const at = text.indexOf('@');
  return at < 0 ? text.replace(/[ \-.()]/g, '') : text.slice(0, at) + text.slice(at).toLowerCase();
}

/** The form in which recipients are kept, where it is an address; else as it stands, which no recipient is. */
export function normalisedAddress(text: string): string {
  try {
    return parseAddress(text).address;
  } catch {
    return text;
  }
}

/** Contains @: e-mail, else phone. Throws 3002 for a bad e-mail address, 5011 for a bad number. */
export function parseAddress(to: string, field = 'to'): Address {
  return to.includes('@') ? parseEmail(to, field) : parsePhone(to);
}

export function parseEmail(text: string, field: string): EmailAddress {
  const [local = ''] = text.split('@');
  const badDots = local.startsWith('.') || local.endsWith('.') || local.includes('..');
  if (text.length > 254 || badDots || !emailPattern.test(text))
    throw invalid([{ field, problem: 'not a valid e-mail address' }]);
  return { kind: 'email', address: bareAddress(text) };
}

/** Spaces, - . ( ) are removed; then +, country code and a possible length are required. */
export function parsePhone(text: string): PhoneAddress {
  const bare = bareAddress(text);
  const parsed = /^\+[1-9][0-9]{6,14}$/.test(bare) ? parsePhoneNumberFromString(bare) : undefined;
  if (!parsed?.isPossible()) throw new ApiError(5011, 'Invalid phone number');
  return {
    kind: 'phone',
    address: parsed.number,
    country: parsed.country ?? null,
    callingCode: parsed.countryCallingCode,
    valid: parsed.isValid(),
  };
}

/** A number as it is dialled in a region (ISO 3166), in E.164; as it stands where it begins with + or is none. A `+` lost in a query is put back. */
export function internationalNumber(text: string, region?: string): string {
  const given = text.replace(/^ (?=[1-9])/, '+');
  if (given.startsWith('+') || region === undefined) return given;
  return parsePhoneNumberFromString(given, region as CountryCode)?.number ?? given;
}

/**
 * The normalised form in which lists are searched, without asking the numbering plan. A `+` that a client forgot to encode
 * arrives as a space and is put back. Throws 3002 for what can be no address.
 */
export function searchedAddress(text: string, field: string): string {
  if (text.includes('@')) return parseEmail(text.trim(), field).address;
  const bare = bareAddress(text);
  const number = bare.startsWith('+') ? bare : `+${bare}`;
  if (!/^\+[1-9][0-9]{6,14}$/.test(number)) throw invalid([{ field, problem: 'not a valid phone number' }]);
  return number;
}

/** What limits group numbers by. */
export const groupsOf = (phone: PhoneAddress | null): { prefix: string | null; callingCode: string | null } =>
  phone ? { prefix: phone.address.slice(1, -4), callingCode: phone.callingCode } : { prefix: null, callingCode: null };
/** What the numbering plan tells of an address in its normalised form; nothing for e-mail. */
export function numberingOf(address: string): { callingCode: string | null; numberType: string | null } {
  const parsed = address.includes('@') ? undefined : parsePhoneNumberFromString(address);
  return { callingCode: parsed?.countryCallingCode ?? null, numberType: parsed?.getType() ?? null };
}

/** A number of the sandbox table: it is in no numbering plan and is taken as it stands. */
export function magicPhone(to: string): PhoneAddress {
  return { kind: 'phone', address: to, country: null, callingCode: '1', valid: true };
}
