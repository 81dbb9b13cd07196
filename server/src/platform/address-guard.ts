/**
 * Which network addresses a request of ours may go to (contract §10.1). Only public unicast addresses pass; loopback, private,
 * link-local, shared, multicast, reserved, tunnelled and mapped forms do not, unless the operator listed their range.
 */
import ipaddr from 'ipaddr.js';

export type AddressRange = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address; throws an Error whose message completes "NAME ...". */
export function parseRange(text: string): AddressRange {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch {
    throw new Error('must be a comma list of addresses or CIDR ranges');
  }
}

/** public: anybody's. listed: not public, but in a range the operator allows. forbidden: everything else, also what does not parse. */
export type AddressKind = 'public' | 'listed' | 'forbidden';

export function classifyAddress(text: string, allow: readonly AddressRange[]): AddressKind {
  if (!ipaddr.isValid(text)) return 'forbidden';
  const address = ipaddr.parse(text);
  if (allow.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))) return 'listed';
  return isPublic(address) ? 'public' : 'forbidden';
}

/** Answers every virtual machine of that cloud with its secrets, from an address that looks public. */
const azureWireServer = '168.63.129.16';
const globalUnicastV6 = ipaddr.parseCIDR('2000::/3');

/**
 * Names that lead into the own network by their kind, whatever a resolver says today: of one word (search domains, `instance-data`),
 * localhost (RFC 6761), local (RFC 6762), internal (ICANN 2024; `metadata.google.internal`), home.arpa (RFC 8375). Lower case.
 */
export function isInsideName(hostname: string): boolean {
  const name = hostname.replace(/\.+$/, '');
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || address.toString() === azureWireServer) return false;
  // Ranges nobody has assigned count as unicast in the library.
  return address.kind() === 'ipv4' || address.match(globalUnicastV6);
}
