/**
 * Allow and block lists, pure: the normalised values of entries, and under which values an address is looked for. The most specific
 * entry decides: a number over its prefixes, a longer prefix over a shorter one, a prefix over a country; then one of the
 * application over one for all; then allow over block.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { invalid } from '../errors.ts';

export const listKinds = ['allow', 'block'] as const;
export const listTypes = ['number', 'prefix', 'ip', 'email_domain', 'country'] as const;
export type ListKind = (typeof listKinds)[number];
export type ListType = (typeof listTypes)[number];

export interface NewListEntry {
  /** Null: every application. */
  applicationId: string | null;
  kind: ListKind;
  type: ListType;
  value: string;
  reason: string;
  author: string;
  expiresAt: Date | null;
}

export interface ListEntry extends NewListEntry {
  id: string;
  createdAt: Date;
}

/** The block entry that decides about an address, or about where the request came from. */
export interface ListHit {
  entryId: string;
  type: ListType;
  /** The address of the message; empty for type ip. */
  address: string;
}

/** The normalised number, or an ApiError. */
type ParseNumber = (text: string) => string;

const domain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const forms: Record<Exclude<ListType, 'number'>, { read(text: string): string | null; problem: string }> = {
  prefix: {
    read: (text) => /^\+?([1-9]\d{0,14})$/.exec(text)?.[1] ?? null,
    problem: 'must be 1 to 15 digits, the country code first',
  },
  ip: { read: canonicalRange, problem: 'must be an IP address or CIDR range' },
  email_domain: {
    read: (text) => (text.length <= 253 && domain.test(text.toLowerCase()) ? text.toLowerCase() : null),
    problem: 'must be a domain such as example.com',
  },
  country: {
    read: (text) => (/^[a-z]{2}$/i.test(text) ? text.toUpperCase() : null),
    problem: 'must be two letters, ISO 3166',
  },
};

/** As stored; 3002 or 5011 for what cannot be one of that type. */
export function normaliseValue(type: ListType, text: string, parseNumber: ParseNumber): string {
  const trimmed = text.trim();
  if (type === 'number') return parseNumber(trimmed);
  const value = forms[type].read(trimmed);
  if (value === null) throw invalid([{ field: 'value', problem: forms[type].problem }]);
  return value;
}

/** Host bits cleared, IPv6 shortened, IPv4 inside IPv6 as IPv4, a whole address without its length. */
function canonicalRange(text: string): string | null {
  const [address = '', length, ...rest] = text.split('/');
  const plain = canonicalIp(address);
  if (plain === null || rest.length > 0) return null;
  if (length === undefined) return plain;
  const width = isIP(plain) === 4 ? 32 : 128;
  const bits = Number(length) - (isIP(address) === 6 && width === 32 ? 96 : 0);
  if (!/^\d{1,3}$/.test(length) || bits < 0 || bits > width) return null;
  if (bits === width) return plain;
  const kind = width === 32 ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${kind.networkAddressFromCIDR(`${plain}/${bits}`)}/${bits}`;
}

/** Null for what is no address. */
export function canonicalIp(text: string): string | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  return ipaddr.process(text).toString();
}

/** `type:value` of every entry that could be about the address. */
export function listKeys(address: string, country: string | null): string[] {
  const at = address.lastIndexOf('@');
  if (at >= 0) return [`email_domain:${address.slice(at + 1)}`];
  const digits = address.slice(1);
  const prefixes = Array.from(digits, (_, i) => `prefix:${digits.slice(0, i + 1)}`);
  return [`number:${address}`, ...prefixes, ...(country === null ? [] : [`country:${country}`])];
}
