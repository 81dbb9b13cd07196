// Checks with the key pair: is it accepted, what does it reach, can it send and check a code. Nothing leaves the virtual network here.

import { EngagelabError } from '../../errors.ts';
import type { Template } from '../../resources/templates.ts';
import { modeOfStored } from '../credentials-file.ts';
import { networkOf } from '../network.ts';
import { plain } from '../terminal.ts';
import { type Check, type Facts, type Finding, fail, needsPair, needsServer, ok, skip, warn } from './check.ts';
import { jsonOf, probe } from './probe.ts';

/** Answers as a handset that always gets this code; only on the virtual network. */
const magic = { to: '+10000000005', right: '123456', wrong: '000000' } as const;

export const credential: Check = {
  name: 'credential',
  blocked: needsServer,
  async look(facts) {
    const { client, credential: pair } = facts;
    const findings = fileFinding(facts);
    if (!client || !pair) {
      const remedy =
        'Run engagelab-otp login, or set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET; to try things: sandbox_demo, sandbox_secret.';
      return [...findings, fail('credential', 'no key pair for this server', remedy)];
    }
    try {
      facts.templates = await client.templates.list();
      facts.network = await networkOf(client);
    } catch (error) {
      facts.accepted = false;
      return [...findings, refusalOf(error, pair.from)];
    }
    const reach = facts.network === 'virtual' ? 'reaches the virtual phone network alone' : 'may reach real people';
    return [...findings, ok('credential', `${pair.devKey} (from the ${pair.from}) is accepted and ${reach}`)];
  },
};

function fileFinding({ env, credential: pair }: Facts): Finding[] {
  const mode = modeOfStored(env);
  if (pair?.from !== 'file' || mode === undefined) return [];
  if ((mode & 0o077) === 0) return [ok('credentials-file', 'for its owner alone')];
  return [
    warn(
      'credentials-file',
      `others on this machine may read it (${mode.toString(8)})`,
      'Run engagelab-otp login again, or chmod 600 the file.',
    ),
  ];
}

/** What to do where the pair was refused, by code. */
const refusals: { readonly [code: number]: string } = {
  2001: 'Key or secret is wrong, or of another server: run engagelab-otp login with the pair that was printed when the key was made, or a new one (engagelab-otp keys create).',
  2002: 'The key is disabled or expired: the operator can enable or prolong it, or make a new one (engagelab-otp keys create).',
  2004: 'The key is not permitted from this address: add it to the allowlist of the key.',
  3004: 'The key or this address asks too often: wait, or have the rate raised.',
};

function refusalOf(error: unknown, from: string): Finding {
  const { code, message } = error instanceof EngagelabError ? error : { code: 0, message: 'no answer' };
  const remedy = refusals[code];
  const told = `${code === 0 ? '' : `${code} `}${plain(message)}`;
  if (remedy) return fail('credential', `the pair from the ${from} is refused: ${told}`, remedy);
  const found = `the pair from the ${from} could not be checked: ${told}`;
  return fail('credential', found, "See the checks above, and the server's log.");
}

export const mcp: Check = {
  name: 'mcp',
  blocked: needsPair,
  async look({ address, credential: pair }) {
    const seen = await probe(`${address}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${pair?.devKey}:${pair?.devSecret}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
    });
    const text = 'fault' in seen ? '' : (seen.body.split('\n').find((line) => line.startsWith('data:')) ?? '').slice(5);
    const body = jsonOf(seen) ?? (text === '' ? undefined : JSON.parse(text));
    const { tools } = (body?.['result'] ?? {}) as { tools?: unknown[] };
    if (tools) return [ok('mcp', `/mcp offers this key ${tools.length} tools`)];
    const state = 'fault' in seen ? seen.fault : seen.status;
    return [
      fail(
        'mcp',
        `/mcp does not list its tools (${state})`,
        'Have the proxy pass on POST /mcp with its headers, Authorization among them.',
      ),
    ];
  },
};

const approved = 2;
const isUsable = ({ status, live_revision }: Template): boolean =>
  live_revision === undefined ? status === approved : live_revision !== null;

export const templates: Check = {
  name: 'templates',
  blocked: needsPair,
  async look({ templates: all = [] }) {
    const usable = all.filter(isUsable).map(({ template_id }) => plain(template_id));
    if (usable.length > 0)
      return [ok('templates', `${usable.length} of ${all.length} may send: ${usable.slice(0, 5).join(', ')}`)];
    if (all.length === 0)
      return [fail('templates', 'the application has none', 'Make one: engagelab-otp templates create -f FILE')];
    return [
      fail(
        'templates',
        `none of ${all.length} may send`,
        'Have one approved by the operator; a rejected one says why in audit_remark: engagelab-otp templates list --json',
      ),
    ];
  },
};

export const roundTrip: Check = {
  name: 'round-trip',
  blocked: (facts) =>
    needsPair(facts) ??
    (facts.sends ? undefined : 'left out by --no-send') ??
    (facts.network === 'virtual' ? undefined : 'the key may reach real people: nothing is sent'),
  async look({ client, templates: all = [] }) {
    const template = all.find(
      (one) => isUsable(one) && one.verify_code_config && /sms|voice|whatsapp/.test(one.send_channel_strategy),
    );
    if (!client || !template) return [skip('round-trip', 'needs a template with a code for phones')];
    let step = 'the send';
    try {
      const { message_id: id } = await client.send(magic.to, template.template_id);
      step = 'the check of a wrong code';
      const wrong = await client.verify(id, magic.wrong);
      step = 'the check of the right code';
      const right = await client.verify(id, magic.right);
      if (!wrong.verified && right.verified)
        return [
          ok(
            'round-trip',
            `sent ${plain(template.template_id)} to ${magic.to}: a wrong code was refused, the right one accepted`,
          ),
        ];
      const found = wrong.verified ? 'a wrong code was accepted' : 'the right code was not accepted';
      return [fail('round-trip', found, 'This must not be: look at the message (engagelab-otp watch) and report it.')];
    } catch (error) {
      return [tripFinding(error, step)];
    }
  },
};

function tripFinding(error: unknown, step: string): Finding {
  if (!(error instanceof EngagelabError)) throw error;
  const { code, message, reason, retryAfter } = error;
  const found = `${step} was refused: ${code} ${plain(message)}`;
  if (code === 3004)
    return warn('round-trip', found, `Somebody else tests with ${magic.to}: run this again in ${retryAfter ?? 60} s.`);
  if (code === 2004) return skip('round-trip', 'the key may not send and verify');
  const remedies: { readonly [name: string]: string } = {
    insufficient_balance: 'Top up the balance of the organization.',
    budget_exhausted: 'Raise the budget of the application, or wait for its next period.',
    no_usable_channel: 'Make a template whose chain has a channel for phones.',
  };
  return fail(
    'round-trip',
    found,
    remedies[reason ?? ''] ??
      'Look at the reason in the refusals of the application (GET /v1/refusals), and the log of the server.',
  );
}

export const balance: Check = {
  name: 'balance',
  blocked: needsPair,
  async look({ client }) {
    try {
      const found = await client?.balance();
      if (!found || found.mode === 'unlimited') return [ok('balance', 'not prepaid: nothing is refused for money')];
      const left = found.balance - found.reserved;
      const text = `${left.toFixed(2)} ${found.currency} left`;
      const remedy = 'Have the operator top it up (POST /admin/v1/organizations/{id}/balance/top-ups).';
      if (left <= 0) return [fail('balance', `${text}: sends are refused`, remedy)];
      return [
        left < found.threshold ? warn('balance', `${text}, below ${found.threshold}`, remedy) : ok('balance', text),
      ];
    } catch (error) {
      if (error instanceof EngagelabError && error.code === 2004) return [skip('balance', 'the key may not read')];
      throw error;
    }
  },
};
