/**
 * IP allowlists of API keys: addresses and CIDR ranges, IPv4 and IPv6 (contract §2). Pure. IPv4-mapped IPv6 is IPv4 everywhere,
 * because a dual-stack socket reports IPv4 callers in that form.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [network: Address, bits: number];

const mappedBits = 96;

/** The strict form only: no zone, no octal or short IPv4, which ipaddr.js would also take. */
function parseAddress(text: string): Address | null {
  return isIP(text) === 0 || text.includes('%') ? null : ipaddr.parse(text);
}

function parseRange(text: string): Range | null {
  const [address = '', bitsText, ...rest] = text.split('/');
  const parsed = parseAddress(address);
  if (!parsed || rest.length > 0 || (bitsText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bitsText))) return null;
  const width = parsed.kind() === 'ipv4' ? 32 : 128;
  const bits = bitsText === undefined ? width : Number(bitsText);
  if (bits > width) return null;
  if (!(parsed instanceof ipaddr.IPv6) || !parsed.isIPv4MappedAddress()) return [parsed, bits];
  // A range around the mapped addresses could match no caller: mapped callers are seen as IPv4.
  return bits < mappedBits ? null : [parsed.toIPv4Address(), bits - mappedBits];
}

function networkOf([address, bits]: Range): Address {
  const bytes = address
    .toByteArray()
    .map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff);
  return ipaddr.fromByteArray(bytes);
}

/** The stored form of an entry: host bits cleared, IPv6 shortened, a full-length prefix left out; null when it is no entry. */
export function canonicalEntry(text: string): string | null {
  const range = parseRange(text);
  if (!range) return null;
  const network = networkOf(range);
  return range[1] === network.toByteArray().length * 8 ? network.toString() : `${network.toString()}/${range[1]}`;
}

/** Whether an address may use the key. An empty list lets everybody in; an address that cannot be read is on no list. */
export function createAllowlist(entries: readonly string[]): (ip: string) => boolean {
  if (entries.length === 0) return () => true;
  const ranges = entries.map((entry) => {
    const range = parseRange(entry);
    if (!range) throw new Error('an IP allowlist in the database cannot be read');
    return range;
  });
  return (ip) => {
    const parsed = parseAddress(ip.split('%')[0] ?? '');
    if (!parsed) return false;
    const address = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
    return ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  };
}
