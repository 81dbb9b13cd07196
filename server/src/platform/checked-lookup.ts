/**
 * The step from a name to the address that is connected to, with the check in between: the socket gets only addresses that were
 * checked, so a name server that changes its mind after the check changes nothing.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export class ForbiddenAddress extends Error {}

/** Answers only if every address of the name passes: a name with one good and one private address is an attack, not a mistake. */
export function checkedLookup(resolve: Resolve, mayBeCalled: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        const bad = !addresses.every(({ address }) => mayBeCalled(address));
        if (!first || bad) callback(new ForbiddenAddress('address not allowed'), '', 0);
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

/**
 * Connections to one name that start together share one look-up: the system's resolver blocks a thread for as long as a name server
 * is silent, and a single dead name must not take them all. Many dead names do; see customer-names.ts.
 */
export function oncePerName(resolve: Resolve): Resolve {
  const running = new Map<string, Promise<readonly LookupAddress[]>>();
  return (hostname) => {
    const found = running.get(hostname) ?? resolve(hostname).finally(() => running.delete(hostname));
    running.set(hostname, found);
    return found;
  };
}

export function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}
