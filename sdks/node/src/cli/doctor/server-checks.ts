// Checks that need no credential: is it there, is it the platform, does it run as it should.

import { VERSION } from '../../version.ts';
import { type Check, type Facts, type Finding, fail, needsServer, ok, warn } from './check.ts';
import { isLoopback, jsonOf, probe } from './probe.ts';

/** What to do where no connection came about, by what the system says. */
const faults: { readonly [fault: string]: string } = {
  ECONNREFUSED:
    'Nothing listens there: start the server (npm start), or correct the address with --base-url or ENGAGELAB_BASE_URL.',
  ENOTFOUND: 'The host name is not known: correct the address with --base-url or ENGAGELAB_BASE_URL.',
  EAI_AGAIN: 'The host name could not be looked up: check DNS on this machine.',
  TIMEOUT: 'No answer within 10 s: check firewalls and the reverse proxy, and whether the server is overloaded.',
  CERT_HAS_EXPIRED: 'Renew the certificate of the reverse proxy.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Have the certificate signed, or name its authority in NODE_EXTRA_CA_CERTS.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Name the authority of the certificate in NODE_EXTRA_CA_CERTS.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'Have the proxy send the whole chain of certificates, or name its authority in NODE_EXTRA_CA_CERTS.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another name: use the name it was made for, or have one made for this name.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'There is no TLS at this port: use http://, or the port of the reverse proxy.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'There is no TLS at this port: use http://, or the port of the reverse proxy.',
};

export const server: Check = {
  name: 'server',
  async look(facts) {
    const seen = await probe(`${facts.address}/healthz`);
    if ('fault' in seen) {
      facts.reachable = false;
      const remedy = faults[seen.fault] ?? 'Check the address, the network and whether the server runs.';
      return [fail('server', `${facts.address} does not answer (${seen.fault})`, remedy)];
    }
    if (seen.status === 200 && jsonOf(seen)?.['status'] === 'ok') return [ok('server', `${facts.address} answers`)];
    facts.reachable = false;
    const remedy =
      'Another program, or a proxy without a server behind it: correct the address, or what the proxy passes on.';
    return [fail('server', `${facts.address}/healthz answers ${seen.status}, not as the platform does`, remedy)];
  },
};

export const transport: Check = {
  name: 'transport',
  async look({ address }) {
    if (address.startsWith('https:')) return [ok('transport', 'TLS')];
    if (isLoopback(address)) return [ok('transport', 'plain HTTP, inside this machine')];
    const remedy = 'Put TLS in front of the server (docs/self-hosting) and use https://.';
    return [warn('transport', 'plain HTTP over a network: the secret and every code travel in clear', remedy)];
  },
};

const clockWarnMs = 10_000;
const clockFailMs = 300_000;

export const clock: Check = {
  name: 'clock',
  blocked: needsServer,
  async look({ address }) {
    const seen = await probe(`${address}/healthz`);
    const date = 'fault' in seen ? null : seen.header('date');
    if ('fault' in seen || date === null)
      return [warn('clock', 'the server names no time', 'Have the proxy pass on the header Date.')];
    // The header has whole seconds, cut off.
    const skewMs = Date.parse(date) + 500 - seen.at;
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    const found = `the clock of the server is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
    if (Math.abs(skewMs) < clockWarnMs) return [ok('clock', 'the clocks agree')];
    const remedy = 'Synchronise both clocks (NTP): signatures of callbacks older than 5 minutes are refused.';
    return [Math.abs(skewMs) < clockFailMs ? warn('clock', found, remedy) : fail('clock', found, remedy)];
  },
};

export const ready: Check = {
  name: 'ready',
  blocked: needsServer,
  async look({ address }) {
    const seen = await probe(`${address}/readyz`);
    const body = jsonOf(seen);
    if (!('fault' in seen) && seen.status === 200 && body?.['status'] === 'ready')
      return [ok('ready', 'takes requests')];
    const checks = Object.entries((body?.['checks'] ?? {}) as { [name: string]: string }).filter(
      ([, state]) => state !== 'ok',
    );
    const found =
      checks.length > 0 ? checks.map(([name, state]) => `${name} ${state}`).join(', ') : 'no answer of /readyz';
    return [
      fail(
        'ready',
        `takes no requests: ${found}`,
        checks.map(([name]) => remedies[name] ?? otherwise).join(' ') || otherwise,
      ),
    ];
  },
};

const otherwise = "Look into the server's log.";
const remedies: { readonly [name: string]: string } = {
  database:
    'The database does not answer: check that PostgreSQL runs, DATABASE_URL, or the disk of DATA_DIR; the server recovers by itself.',
  server: 'The server is stopping: start it again.',
};

export const description: Check = {
  name: 'version',
  blocked: needsServer,
  async look(facts) {
    const body = jsonOf(await probe(`${facts.address}/openapi.json`));
    const { version } = (body?.['info'] ?? {}) as { version?: string };
    if (!version)
      return [
        fail(
          'version',
          '/openapi.json does not tell the version',
          'Correct what the proxy passes on: every path belongs to the server.',
        ),
      ];
    const [first] = (body?.['servers'] ?? []) as { url: string }[];
    return [versionFinding(version), publicUrlFinding(facts, first?.url ?? '')];
  },
};

function versionFinding(version: string): Finding {
  const line = (text: string): string => text.split('.').slice(0, 2).join('.');
  if (line(version) === line(VERSION)) return ok('version', `server ${version}, this client ${VERSION}`);
  return warn(
    'version',
    `server ${version}, this client ${VERSION}`,
    `Install the client of the server's version: npm install engagelab-otp@${line(version)}`,
  );
}

/** The address that the server puts into links, pages, skills and callbacks. */
function publicUrlFinding({ address }: Facts, told: string): Finding {
  const name = 'public-url';
  if (told.replace(/\/+$/, '') === address) return ok(name, `the server calls itself ${told}`);
  const sameMachine = isLoopback(address) && isLoopback(told);
  if (sameMachine && new URL(address).port === new URL(told).port) return ok(name, `the server calls itself ${told}`);
  const found = `the server calls itself ${told}, you reach it as ${address}`;
  const remedy = `Set PUBLIC_URL=${address} where the server starts, or use ${told}: its docs, skills, links of errors and webhooks of providers name that address.`;
  // From elsewhere an address of the server's own machine leads nowhere; another name may be the outer one of the same server.
  return isLoopback(told) && !isLoopback(address) ? fail(name, found, remedy) : warn(name, found, remedy);
}

const surfaces = [
  { name: 'docs', path: '/llms.txt', is: (body: string): boolean => body.startsWith('# ') },
  {
    name: 'skills',
    path: '/.well-known/agent-skills/index.json',
    is: (body: string): boolean => body.includes('"skills"'),
  },
] as const;

export const pages: Check = {
  name: 'docs',
  blocked: needsServer,
  async look({ address }) {
    const findings = surfaces.map(async ({ name, path, is }) => {
      const seen = await probe(address + path);
      if (!('fault' in seen) && seen.status === 200 && is(seen.body)) return ok(name, `${path} is served`);
      const state = 'fault' in seen ? seen.fault : String(seen.status);
      return fail(
        name,
        `${path} is not served (${state})`,
        'Have the proxy pass on every path, /.well-known among them.',
      );
    });
    return Promise.all(findings);
  },
};
