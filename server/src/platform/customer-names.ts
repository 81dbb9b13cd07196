/**
 * Looking up the names that customers choose, behind the public sandbox credentials anybody. The system's look-up keeps one of a
 * process's two threads for it for as long as a name server is silent, and cannot be called off: a few dead names would hold up the
 * names of carriers and of the database. So name servers are asked directly, without a thread and for a limited time; only names
 * that nobody outside answers for (of the hosts file, of the network inside) are the system's, and those one at a time.
 */
import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isInsideName } from './address-guard.ts';
import { type Resolve, resolveAll } from './checked-lookup.ts';

/** Below the three seconds of a probe, so that it can tell what was wrong. */
const defaultLimitMs = 2_500;
/** Of the first try; the second takes twice as long. */
const tryMs = 800;

export interface CustomerNameOptions {
  /** These are for tests: name servers, where hosts and search domains are written, the system's look-up, and the time limit. */
  servers?: readonly string[];
  hostsFile?: string;
  resolvFile?: string;
  system?: Resolve;
  limitMs?: number;
}

export function resolveCustomerNames({
  servers,
  hostsFile = '/etc/hosts',
  resolvFile = '/etc/resolv.conf',
  system = resolveAll,
  limitMs = defaultLimitMs,
}: CustomerNameOptions = {}): Resolve {
  const inTurn = oneAtATime(system, limitMs);
  return async (hostname) => {
    if (isInsideName(hostname)) return inTurn(hostname);
    if (isHost(hostname, await read(hostsFile))) return system(hostname);
    const resolver = new Resolver({ timeout: tryMs, tries: 2 });
    if (servers) resolver.setServers(servers);
    const timer = setTimeout(() => resolver.cancel(), limitMs);
    try {
      return await ask(resolver, hostname, async () => searchDomains(await read(resolvFile)));
    } catch (error) {
      // No name server is configured or runs: the system may know another way, and nobody outside can bring this about.
      if (codeOf(error) === 'ECONNREFUSED') return await inTurn(hostname);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** One look-up at a time; who has not had its turn within the limit is not looked up at all. */
function oneAtATime(resolve: Resolve, limitMs: number): Resolve {
  let last: Promise<void> = Promise.resolve();
  return (hostname) => {
    const { promise, resolve: give, reject } = Promise.withResolvers<readonly LookupAddress[]>();
    let isWaiting = true;
    const timer = setTimeout(() => {
      isWaiting = false;
      reject(fault('ETIMEOUT'));
    }, limitMs);
    last = last.then(async () => {
      clearTimeout(timer);
      if (isWaiting) await resolve(hostname).then(give, reject);
    });
    return promise;
  };
}

/** As it stands, then below each search domain: `receiver.shop` is a name of the cluster inside Kubernetes. */
async function ask(
  resolver: Resolver,
  hostname: string,
  domains: () => Promise<readonly string[]>,
): Promise<LookupAddress[]> {
  const found = await addressesOf(resolver, hostname);
  if (found || hostname.endsWith('.')) return found ?? Promise.reject(fault('ENOTFOUND'));
  for (const domain of await domains()) {
    const below = await addressesOf(resolver, `${hostname}.${domain}`);
    if (below) return below;
  }
  throw fault('ENOTFOUND');
}

/** IPv4 first; null for a name without addresses. One family's silence does not take away what the other has. */
async function addressesOf(resolver: Resolver, name: string): Promise<LookupAddress[] | null> {
  const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [
    ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
    ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (found.length > 0) return found;
  for (const { reason } of [four, six].filter((asked) => asked.status === 'rejected')) {
    const code = codeOf(reason);
    if (code === 'ECANCELLED') throw fault('ETIMEOUT');
    if (code !== 'ENOTFOUND' && code !== 'ENODATA') throw reason;
  }
  return null;
}

const fault = (code: string): Error => Object.assign(new Error(code), { code });
const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
const wordsOf = (line: string): string[] =>
  line
    .replace(/[#;].*/, '')
    .trim()
    .split(/\s+/);

function isHost(hostname: string, hosts: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const text = hosts.toLowerCase();
  // Block lists make hosts files of many megabytes.
  return text.includes(name) && text.split('\n').some((line) => wordsOf(line).indexOf(name) > 0);
}

/** The last line that names any counts. */
function searchDomains(resolv: string): string[] {
  const lines = resolv.split('\n').map(wordsOf);
  return lines.findLast(([keyword]) => keyword === 'search' || keyword === 'domain')?.slice(1) ?? [];
}
