// API keys of an application, for the operator. A new secret is printed once, by the command that made it, and kept nowhere.

import type { Transport } from '../transport.ts';
import { segment } from '../transport.ts';
import { type Call, type Command, Halt, manyOf, oneOf } from './command.ts';
import { findCredential, openOperator } from './connection.ts';
import { applicationsOf } from './operator.ts';
import { table } from './terminal.ts';

interface Key {
  id: string;
  dev_key: string;
  dev_secret?: string;
  kind: string;
  description: string;
  permissions: string[];
  expires_at: string | null;
  enabled: boolean;
  last_used_at: string | null;
}

const application = {
  application: {
    type: 'string',
    short: 'a',
    value: 'ID',
    sentence: 'The application; may be left out where there is only one.',
  },
} as const;
const key = { name: 'KEY_ID', sentence: 'as keys list shows it' };

export const listKeys: Command = {
  name: 'keys list',
  summary: 'List the API keys of an application (operator).',
  words: [],
  options: application,
  examples: ['engagelab-otp keys list'],
  async run(call) {
    const operator = openOperator(call);
    const path = `${await pathOf(call, operator)}/api-keys`;
    const keys: Key[] = [];
    for (let cursor: string | undefined | null; cursor !== null; ) {
      const page: { api_keys: Key[]; next_cursor: string | null } = await operator.request({
        method: 'GET',
        path,
        query: { limit: 100, cursor },
      });
      keys.push(...page.api_keys);
      cursor = page.next_cursor;
    }
    const rows = keys.map((one) => [
      one.id,
      one.dev_key,
      one.kind,
      stateOf(one),
      one.permissions.join(','),
      one.description,
    ]);
    return { json: { api_keys: keys }, text: rows.length > 0 ? table(rows) : 'no keys' };
  },
};

export const createKey: Command = {
  name: 'keys create',
  summary: 'Make an API key and print its secret, once (operator).',
  words: [],
  options: {
    ...application,
    kind: {
      type: 'string',
      value: 'KIND',
      sentence: 'server (default), or agent: for programs that decide by themselves.',
    },
    description: { type: 'string', short: 'd', value: 'TEXT', sentence: 'Who uses it.' },
    permission: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      sentence: 'send, verify, templates, read, callbacks:read or callbacks:write; default all of its kind.',
    },
    'expires-at': {
      type: 'string',
      value: 'TIME',
      sentence: 'Such as 2027-07-03T00:00:00Z; default never, for an agent in 90 days.',
    },
  },
  examples: ['engagelab-otp keys create --description "Login service" --permission send --permission verify'],
  async run(call) {
    const operator = openOperator(call);
    const permissions = manyOf(call.options, 'permission');
    const body = {
      kind: oneOf(call.options, 'kind'),
      description: oneOf(call.options, 'description'),
      permissions: permissions.length > 0 ? permissions : undefined,
      expires_at: oneOf(call.options, 'expires-at'),
    };
    const made: Key = await operator.request({
      method: 'POST',
      path: `${await pathOf(call, operator)}/api-keys`,
      body,
    });
    return { json: made, text: secretOnce(made) };
  },
};

export const rotateKey: Command = {
  name: 'keys rotate',
  summary: 'Give an API key a new secret and print it, once; the old one is refused from then on (operator).',
  words: [key],
  options: { yes: { type: 'boolean', short: 'y', sentence: 'Do not ask.' } },
  notes: ['For an overlap make a second key instead and revoke the first later.'],
  examples: ['engagelab-otp keys rotate 2072832692843446274 --yes'],
  async run(call) {
    const operator = openOperator(call);
    requireYes(call, 'The old secret is refused at once');
    // Before: what is wrong with the own credential must not cost the new secret.
    const used = findCredential(call)?.devKey;
    const rotated: Key = await operator.request({ method: 'POST', path: `${pathOfKey(call)}/rotate-secret` });
    const own = used === rotated.dev_key ? '\nThis is the key that you use here: engagelab-otp login' : '';
    return { json: rotated, text: secretOnce(rotated) + own };
  },
};

export const revokeKey: Command = {
  name: 'keys revoke',
  summary: 'Delete an API key for good (operator).',
  words: [key],
  options: { yes: { type: 'boolean', short: 'y', sentence: 'Do not ask.' } },
  examples: ['engagelab-otp keys revoke 2072832692843446274 --yes'],
  async run(call) {
    const operator = openOperator(call);
    requireYes(call, 'Whatever uses this key is refused at once, and it does not come back');
    const deleted: object = await operator.request({ method: 'DELETE', path: pathOfKey(call) });
    return { json: deleted, text: `revoked ${call.words[0]}` };
  },
};

/** A script says so beforehand, and a person types it: nothing is asked in between that a pipe could answer by accident. */
function requireYes({ options }: Call, effect: string): void {
  if (options['yes'] !== true) throw new Halt(`${effect}.`, 'To do it, repeat the command with --yes.');
}

const pathOfKey = (call: Call): string => `/admin/v1/api-keys/${segment(call.words[0] ?? '')}`;

async function pathOf(call: Call, operator: Transport): Promise<string> {
  const given = oneOf(call.options, 'application');
  if (given) return `/admin/v1/applications/${segment(given)}`;
  const found = (await applicationsOf(operator)).filter(({ sandbox }) => sandbox !== 'public');
  const [only] = found;
  if (only && found.length === 1) return `/admin/v1/applications/${only.id}`;
  const list = found.slice(0, 20).map(({ id, name }) => `${id} (${name})`);
  throw new Halt(
    'which application?',
    list.length > 0
      ? `Name one with --application: ${list.join(', ')}`
      : 'There is none yet: make one with POST /admin/v1/organizations/{id}/applications.',
  );
}

function stateOf({ enabled, expires_at }: Key): string {
  if (!enabled) return 'disabled';
  if (expires_at !== null && Date.parse(expires_at) < Date.now()) return 'expired';
  return expires_at === null ? 'enabled' : `until ${expires_at}`;
}

const secretOnce = ({ id, dev_key, dev_secret }: Key): string =>
  table([
    ['key_id', id],
    ['dev_key', dev_key],
    ['dev_secret', dev_secret ?? ''],
  ]).concat('\nThe secret is shown only here; keep it now.');
