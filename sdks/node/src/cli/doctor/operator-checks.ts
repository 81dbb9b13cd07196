// Checks with the operator token: what only who runs the installation may see.

import { EngagelabError } from '../../errors.ts';
import { all, applicationsOf, findKey } from '../operator.ts';
import { plain } from '../terminal.ts';
import { type Check, type Facts, type Finding, fail, needsOperator, needsServer, ok, skip, warn } from './check.ts';
import { isLoopback } from './probe.ts';

export const operator: Check = {
  name: 'operator',
  blocked: (facts) =>
    needsServer(facts) ??
    (facts.operator ? undefined : 'no operator token; with one, providers, routes and callbacks are looked at too'),
  async look(facts) {
    if (!facts.operator) return [];
    try {
      facts.applications = await applicationsOf(facts.operator);
    } catch (error) {
      if (!(error instanceof EngagelabError) || error.category !== 'auth') throw error;
      const remedy =
        'Run engagelab-otp login --operator with the token of OPERATOR_TOKEN, or the one of the first start.';
      return [fail('operator', `the operator token is refused: ${error.code} ${plain(error.message)}`, remedy)];
    }
    const found = facts.credential && (await findKey(facts.operator, facts.applications, facts.credential.devKey));
    if (found) facts.key = found;
    const live = facts.applications.filter(({ network }) => network === 'live').length;
    return [ok('operator', `${facts.applications.length} applications, ${live} of them live`), ...keyFinding(facts)];
  },
};

const soonMs = 7 * 86_400_000;

function keyFinding({ key, credential }: Facts): Finding[] {
  if (!key || !credential) return [];
  const text = `kind ${key.kind}, of "${plain(key.application.name)}" (${key.application.network}), may ${key.permissions.join(', ')}`;
  const leftMs = key.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(key.expires_at) - Date.now();
  if (leftMs > soonMs) return [ok('key', text)];
  return [
    warn('key', `${text}; it expires ${key.expires_at}`, 'Prolong it, or make a new one: engagelab-otp keys create'),
  ];
}

interface Health {
  provider: string;
  node: string;
  opened: boolean;
  circuit: string;
  reason: string | null;
}

interface Provider {
  id: string;
  enabled: boolean;
  drained_until: string | null;
}

export const providers: Check = {
  name: 'providers',
  blocked: needsOperator,
  async look({ operator: asked, applications = [] }) {
    if (!asked) return [];
    const list = await all<Provider>(asked, '/admin/v1/providers', 'providers');
    const enabled = list.filter((provider) => provider.enabled);
    if (enabled.length === 0) {
      if (!applications.some(({ network }) => network === 'live'))
        return [skip('providers', 'none, and no application is live')];
      const remedy = 'Create a provider and its routes: /docs/add-a-provider';
      return [fail('providers', 'none is enabled, but an application is live', remedy)];
    }
    const { health } = await asked.request<{ health: Health[] }>({ method: 'GET', path: '/admin/v1/provider-health' });
    const findings = enabled.flatMap((provider) =>
      providerFindings(
        provider,
        health.filter((seen) => seen.provider === provider.id),
      ),
    );
    return findings.length > 0 ? findings : [ok('providers', `${enabled.length} enabled, opened on every node`)];
  },
};

/** What is wrong with one that is enabled, as the nodes see it. */
function providerFindings({ id, drained_until: until }: Provider, health: readonly Health[]): Finding[] {
  const name = 'providers';
  if (health.length === 0)
    return [
      warn(
        name,
        `no node has opened ${id} yet`,
        'Wait half a minute; then see whether a process with the role worker runs.',
      ),
    ];
  const findings = health
    .filter(({ opened, circuit }) => !opened || circuit === 'open')
    .map(({ node, opened, reason }) =>
      fail(
        name,
        `${id} is ${opened ? 'cut off (circuit open)' : 'not opened'} on ${node}: ${plain(reason)}`,
        'Correct its settings or wait for the upstream, then test it: POST /admin/v1/providers/{id}/test',
      ),
    );
  if (until !== null && Date.parse(until) > Date.now())
    findings.push(
      warn(name, `${id} is drained until ${until}`, 'Intended? Else end it: POST /admin/v1/providers/{id}/drain'),
    );
  return findings;
}

interface Route {
  application_id: string | null;
  channel: string;
  enabled: boolean;
  entries: { enabled: boolean }[];
}

export const routes: Check = {
  name: 'routes',
  blocked: (facts) =>
    needsOperator(facts) ??
    (facts.key ? undefined : 'the application of the key is not known') ??
    (facts.key?.application.network === 'live' ? undefined : 'the application is on the virtual network'),
  async look(facts) {
    const { operator: asked, key, templates = [] } = facts;
    if (!asked || !key) return [];
    const usable = templates.filter(({ live_revision }) => live_revision !== null);
    const channels = [...new Set(usable.flatMap(({ send_channel_strategy: chain }) => chain.split('|')))];
    if (channels.length === 0) return [skip('routes', 'no template may send')];
    const list = (await all<Route>(asked, '/admin/v1/routes', 'routes')).filter(
      ({ application_id, enabled, entries }) =>
        enabled && entries.some((entry) => entry.enabled) && [null, key.application.id].includes(application_id),
    );
    return Promise.all(
      channels.map((channel) => {
        const count = list.filter((route) => route.channel === channel).length;
        return count > 0 ? reachFinding(facts, channel, count) : noRoute(channel);
      }),
    );
  },
};

const noRoute = (channel: string): Finding =>
  fail(
    'routes',
    `${channel} is in a chain but has no route`,
    `Make one: POST /admin/v1/routes, or take ${channel} out of the chain.`,
  );

/** Whether the routes of a channel reach the recipient that was named, where one was and it fits the channel. */
async function reachFinding({ operator: asked, key, to }: Facts, channel: string, count: number): Promise<Finding> {
  const fits = to !== undefined && to.includes('@') === (channel === 'email');
  if (!asked || !key || !fits) return ok('routes', `${channel}: ${count} route${count === 1 ? '' : 's'}`);
  const body = { application_id: key.application.id, channel, to };
  const path = '/admin/v1/route-resolution';
  const found: { reason: string | null; entries: { provider: string }[] } = await asked.request({
    method: 'POST',
    path,
    body,
  });
  if (found.reason === null)
    return ok('routes', `${channel} to ${to}: ${found.entries.map(({ provider }) => provider).join(' > ')}`);
  const remedy = `Make a route for this country, or see why its providers are left out: POST ${path}`;
  return fail('routes', `${channel} to ${to}: ${found.reason}`, remedy);
}

interface Endpoint {
  url: string;
  enabled: boolean;
  disabled_because: string | null;
  reachable: boolean;
  probe_note: string;
  failing_since: string | null;
}

export const callbacks: Check = {
  name: 'callbacks',
  blocked: (facts) => needsOperator(facts) ?? (facts.key ? undefined : 'the application of the key is not known'),
  async look({ operator: asked, key }) {
    if (!asked || !key) return [];
    const path = `/admin/v1/applications/${key.application.id}/callback-endpoints`;
    const endpoints = await all<Endpoint>(asked, path, 'callback_endpoints');
    if (endpoints.length === 0) return [skip('callbacks', 'the application has no endpoint')];
    return endpoints.map((endpoint) => endpointFinding(endpoint));
  },
};

function endpointFinding({ url, enabled, disabled_because, reachable, probe_note, failing_since }: Endpoint): Finding {
  const { origin } = new URL(url);
  if (disabled_because !== null)
    return fail(
      'callbacks',
      `${origin} was switched off by the platform (${disabled_because})`,
      'Repair the receiver, then enable the endpoint again; what was missed can be replayed.',
    );
  if (!enabled) return warn('callbacks', `${origin} is switched off`, 'Intended? Else enable it.');
  if (failing_since !== null)
    return fail(
      'callbacks',
      `${origin} fails since ${failing_since}`,
      'The receiver must answer 2xx within its timeout: look at the attempts of the endpoint.',
    );
  if (!reachable)
    return warn(
      'callbacks',
      `${origin} did not answer its probe: ${plain(probe_note)}`,
      'Check that the receiver runs and OUTBOUND_ALLOW lets the server reach it, then probe again.',
    );
  return ok('callbacks', `${origin} answers`);
}

const shortest = 24;

/** Values that documents use, or that somebody types to have something there, alone or one after the other; a made one may begin so. */
const known =
  /^(?:sandbox_secret|secret|password|token|key|change|me|test|example|demo|admin|operator|default|todo|1234567890|1234|[xa0_-])+$|EXAMPLE/i;

/** Short, or out of documents. */
export const isWeak = (secret: string): boolean => secret.length < shortest || known.test(secret);

export const secrets: Check = {
  name: 'secrets',
  async look({ address, credential, env, operator: asked }) {
    const findings: Finding[] = [];
    const severity = isLoopback(address) ? warn : fail;
    const token = env['ENGAGELAB_OPERATOR_TOKEN'];
    if (credential?.devKey === 'sandbox_demo')
      findings.push(ok('secrets', 'the public sandbox pair: known to everybody, and nobody is reached with it'));
    else if (credential && isWeak(credential.devSecret))
      findings.push(
        severity(
          'secrets',
          'the secret of the key is short or a value of the documents',
          'Give the key a made one: engagelab-otp keys rotate KEY_ID --yes',
        ),
      );
    if (asked && token && isWeak(token))
      findings.push(
        severity(
          'secrets',
          'the operator token is short or a value of the documents',
          'Start the server with another OPERATOR_TOKEN, 32 random bytes as hex.',
        ),
      );
    if (findings.length > 0) return findings;
    return credential ? [ok('secrets', 'none is short or a value of the documents')] : [];
  },
};
