// `doctor`: looks at an installation from outside, in the order in which things depend on each other, and says what to do about each fault.

import { OTPClient } from '../../client.ts';
import { EngagelabError } from '../../errors.ts';
import { type Call, type Command, exitCodes, oneOf } from '../command.ts';
import { addressOf, findCredential, findOperatorToken, openOperator } from '../connection.ts';
import { plain } from '../terminal.ts';
import { balance, credential, mcp, roundTrip, templates } from './account-checks.ts';
import { type Check, type Facts, type Finding, fail, skip } from './check.ts';
import { callbacks, operator, providers, routes, secrets } from './operator-checks.ts';
import { clock, description, pages, ready, server, transport } from './server-checks.ts';

const checks: readonly Check[] = [
  ...[server, transport, clock, ready, description, pages],
  ...[credential, mcp, templates, roundTrip, balance],
  ...[operator, secrets, providers, routes, callbacks],
];

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check an installation end to end and say what to repair.',
  words: [],
  options: {
    'no-send': { type: 'boolean', sentence: 'Leave out the round trip, which sends one code on the virtual network.' },
    to: {
      type: 'string',
      value: 'RECIPIENT',
      sentence: 'Also ask whether the routes reach this number or address; nothing is sent to it.',
    },
  },
  notes: [
    'A key that may reach real people sends nothing here. With an operator token (login --operator, ENGAGELAB_OPERATOR_TOKEN) providers, routes and',
    'callbacks are looked at too. Exit code 1 if a check fails; a warning does not.',
  ],
  examples: ['engagelab-otp doctor', 'engagelab-otp doctor --base-url https://otp.example.com --json'],
  async run(call) {
    const facts = factsOf(call);
    const findings: Finding[] = [];
    for (const check of checks) {
      for (const finding of await lookAt(check, facts)) {
        findings.push(finding);
        if (!call.terminal.json && finding.status !== 'skip') call.terminal.out(line(call, finding));
      }
    }
    if (!call.terminal.json) call.terminal.out(skipped(call, findings));
    const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
    const counts = { ok: count('ok'), warn: count('warn'), fail: count('fail'), skip: count('skip') };
    return {
      json: { base_url: facts.address, healthy: counts.fail === 0, counts, checks: findings },
      text: `${counts.ok} ok, ${counts.warn} to look at, ${counts.fail} failed, ${counts.skip} not looked at`,
      exit: counts.fail === 0 ? exitCodes.done : exitCodes.refused,
    };
  },
};

function factsOf(call: Call): Facts {
  const address = addressOf(call);
  const pair = findCredential(call);
  const token = findOperatorToken(call);
  return {
    address,
    env: call.terminal.env,
    credential: pair,
    client: pair && new OTPClient(pair.devKey, pair.devSecret, { baseUrl: address }),
    operator: token ? openOperator(call, token) : undefined,
    to: oneOf(call.options, 'to'),
    sends: call.options['no-send'] !== true,
    reachable: true,
    accepted: true,
  };
}

async function lookAt(check: Check, facts: Facts): Promise<Finding[]> {
  const blocked = check.blocked?.(facts);
  if (blocked !== undefined) return [skip(check.name, blocked)];
  try {
    return await check.look(facts);
  } catch (error) {
    // A check that meets what it does not expect tells it, and the others go on.
    const code = error instanceof EngagelabError && error.code !== 0 ? `${error.code} ` : '';
    const found = `could not be looked at: ${code}${plain(error instanceof Error ? error.message : '')}`;
    return [fail(check.name, found, "See the checks above, and the server's log.")];
  }
}

const marks = {
  ok: ['green', 'ok  '],
  warn: ['yellow', 'warn'],
  fail: ['red', 'FAIL'],
  skip: ['dim', 'skip'],
} as const;

/** One line for each reason, with all that it kept from being looked at. */
function skipped({ terminal }: Call, findings: readonly Finding[]): string {
  const skips = findings.filter(({ status }) => status === 'skip');
  const lines = [...new Set(skips.map(({ found }) => found))].map((reason) => {
    const names = skips.filter(({ found }) => found === reason).map(({ check }) => check);
    return `${terminal.paint('dim', plain(`skip  ${names.join(', ')}: ${reason}`))}\n`;
  });
  return lines.join('');
}

function line({ terminal }: Call, { check, status, found, remedy }: Finding): string {
  const [colour, mark] = marks[status];
  const told = `${terminal.paint(colour, mark)}  ${check.padEnd(16)}  ${plain(found)}\n`;
  return remedy === undefined ? told : `${told}      ${''.padEnd(16)}  -> ${plain(remedy)}\n`;
}
