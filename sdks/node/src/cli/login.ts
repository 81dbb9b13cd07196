// Keeping a credential on this machine, forgetting it, and telling which one is used.

import { OTPClient } from '../client.ts';
import { type Call, type Command, Halt } from './command.ts';
import {
  addressOf,
  defaultAddress,
  findCredential,
  findOperatorToken,
  openClient,
  openOperator,
  storedFor,
} from './connection.ts';
import { credentialsFile, removeStored, writeStored } from './credentials-file.ts';
import { networkOf } from './network.ts';
import { ask, type Pair, parsePair, readInput } from './secret-input.ts';

export const login: Command = {
  name: 'login',
  summary: 'Check a key pair against the server and keep it for the next commands and the MCP bridge.',
  words: [],
  options: {
    operator: { type: 'boolean', sentence: 'Keep the operator token instead; the key pair stays.' },
  },
  notes: [
    'The pair is taken from ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET where both are set, else asked for without an echo, else read from standard',
    'input: dev_key:dev_secret, two lines, or JSON. A pair that the server refuses is not kept. To try things: sandbox_demo and sandbox_secret.',
  ],
  examples: [
    'engagelab-otp login --base-url https://otp.example.com',
    'engagelab-otp login < pair.txt',
    'engagelab-otp login --operator',
  ],
  async run(call) {
    const address = addressOf(call);
    const before = storedFor(call);
    if (call.options['operator'] === true) {
      const token = await readToken(call);
      await openOperator(call, token).request({ method: 'GET', path: '/admin/v1/organizations', query: { limit: 1 } });
      const file = writeStored(call.terminal.env, { ...before, base_url: address, operator_token: token });
      return {
        json: { base_url: address, operator: true, file },
        text: `Operator token kept for ${address} in ${file}`,
      };
    }
    const pair = await readPair(call);
    // Any key may list templates, so this asks for nothing but a right pair.
    await new OTPClient(pair.dev_key, pair.dev_secret, { baseUrl: address }).templates.list();
    const file = writeStored(call.terminal.env, { ...before, base_url: address, ...pair });
    return {
      json: { base_url: address, dev_key: pair.dev_key, file },
      text: `Logged in to ${address} as ${pair.dev_key}; kept in ${file}\nNext: engagelab-otp doctor`,
    };
  },
};

async function readPair({ terminal }: Call): Promise<Pair> {
  const { env, stdin } = terminal;
  const { ENGAGELAB_AGENT_KEY: one, ENGAGELAB_DEV_KEY: dev_key, ENGAGELAB_DEV_SECRET: dev_secret } = env;
  if (one) return parsePair(one);
  if (dev_key && dev_secret) return { dev_key, dev_secret };
  if (!stdin.isTTY) return parsePair(await readInput(terminal));
  const key = await ask(terminal, 'dev_key', false);
  if (key.includes(':')) return parsePair(key);
  return parsePair(`${key}\n${await ask(terminal, 'dev_secret (not shown)', true)}`);
}

async function readToken({ terminal }: Call): Promise<string> {
  const given = terminal.env['ENGAGELAB_OPERATOR_TOKEN'];
  if (given) return given;
  const typed = terminal.stdin.isTTY
    ? await ask(terminal, 'operator token (not shown)', true)
    : (await readInput(terminal)).trim();
  if (/^[\x21-\x7e]+$/.test(typed)) return typed;
  throw new Halt('no operator token was given', 'Write it to standard input, or set ENGAGELAB_OPERATOR_TOKEN.');
}

export const logout: Command = {
  name: 'logout',
  summary: 'Remove what login has kept on this machine. The key itself stays valid.',
  words: [],
  options: {},
  examples: ['engagelab-otp logout'],
  async run({ terminal }) {
    const removed = removeStored(terminal.env);
    const file = credentialsFile(terminal.env);
    return { json: { removed, file }, text: removed ? `Removed ${file}` : `There was nothing at ${file}` };
  },
};

export const whoami: Command = {
  name: 'whoami',
  summary: 'Tell which server and key the next command uses, and whether it reaches real people.',
  words: [],
  options: {},
  examples: ['engagelab-otp whoami --json'],
  async run(call) {
    const address = addressOf(call);
    const credential = findCredential(call);
    if (!credential)
      throw new Halt(
        `not logged in to ${address}`,
        `Run: engagelab-otp login${address === defaultAddress ? '' : ` --base-url ${address}`}`,
      );
    await openClient(call).templates.list();
    const network = await networkOf(openClient(call));
    const operator = findOperatorToken(call) !== undefined;
    const reach = { virtual: 'the virtual phone network alone', live: 'real people' }[network];
    return {
      json: { base_url: address, dev_key: credential.devKey, from: credential.from, network, operator },
      text: [
        `server    ${address}`,
        `dev_key   ${credential.devKey} (from the ${credential.from})`,
        `reaches   ${reach}`,
        `operator  ${operator ? 'a token is set' : 'no token'}`,
      ].join('\n'),
    };
  },
};
