// Which server a command talks to, and with what: an option, the environment, the file of `login`, in this order.
// A stored credential is never sent to another server than the one it was stored for.

import { OTPClient } from '../client.ts';
import { readSettings } from '../settings.ts';
import { Transport } from '../transport.ts';
import { type Call, Halt, oneOf } from './command.ts';
import { readStored, type Stored } from './credentials-file.ts';

export const defaultAddress = 'http://127.0.0.1:8080';

export interface Credential {
  devKey: string;
  devSecret: string;
  from: 'environment' | 'file';
}

/** Without a slash at its end. */
export function addressOf(call: Call): string {
  const { env } = call.terminal;
  const given = oneOf(call.options, 'base-url') || env['ENGAGELAB_BASE_URL'];
  return checkAddress(given || readStored(env).base_url || defaultAddress);
}

/** Refuses what is no address of a server; an address with a credential in it is not repeated. */
export function checkAddress(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Halt('the base URL is no address', `Give one such as --base-url ${defaultAddress}`);
  }
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search || url.hash)
    throw new Halt(
      'the base URL must be http or https, without a credential, "?" and "#"',
      `Give one such as --base-url ${defaultAddress}`,
    );
  return url.href.replace(/\/+$/, '');
}

/** What is stored for the server of this call; a file for another server counts as none. */
export function storedFor(call: Call): Stored {
  const stored = readStored(call.terminal.env);
  return checkAddress(stored.base_url ?? defaultAddress) === addressOf(call) ? stored : {};
}

export function findCredential(call: Call): Credential | undefined {
  const { env } = call.terminal;
  const one = env['ENGAGELAB_AGENT_KEY'] ?? '';
  if (one !== '') return { ...splitKey(one), from: 'environment' };
  const { ENGAGELAB_DEV_KEY: devKey, ENGAGELAB_DEV_SECRET: devSecret } = env;
  if (devKey && devSecret) return { devKey, devSecret, from: 'environment' };
  const stored = storedFor(call);
  if (!stored.dev_key || !stored.dev_secret) return undefined;
  return { devKey: stored.dev_key, devSecret: stored.dev_secret, from: 'file' };
}

/** A slip in it must not lead to another key, which may reach real people. */
function splitKey(text: string): { devKey: string; devSecret: string } {
  const [, devKey, devSecret] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (devKey && devSecret) return { devKey, devSecret };
  throw new Halt('ENGAGELAB_AGENT_KEY is not dev_key:dev_secret', 'Correct it, or unset it to use another key pair.');
}

export function findOperatorToken(call: Call): string | undefined {
  return call.terminal.env['ENGAGELAB_OPERATOR_TOKEN'] || storedFor(call).operator_token;
}

/** The client for the server and credential of a call. */
export function openClient(call: Call): OTPClient {
  const credential = findCredential(call);
  if (!credential)
    throw new Halt(
      `no key pair for ${addressOf(call)}`,
      `${howToLogIn(call)}, or set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET.`,
    );
  return new OTPClient(credential.devKey, credential.devSecret, { baseUrl: addressOf(call) });
}

/** Requests of the application's key that the client has no method for; what only reads, and may be repeated. */
export function openTransport(call: Call, { devKey, devSecret }: { devKey: string; devSecret: string }): Transport {
  return new Transport(readSettings(devKey, devSecret, { baseUrl: addressOf(call), maxRetries: 3 }));
}

/** Requests of the operator. */
export function openOperator(call: Call, token = findOperatorToken(call)): Transport {
  if (!token)
    throw new Halt(
      `no operator token for ${addressOf(call)}`,
      `${howToLogIn(call, ' --operator')}, or set ENGAGELAB_OPERATOR_TOKEN.`,
    );
  const settings = readSettings('op', token, { baseUrl: addressOf(call) });
  return new Transport({ ...settings, authorization: `Bearer ${token}` });
}

function howToLogIn(call: Call, more = ''): string {
  const address = addressOf(call);
  return `Run: engagelab-otp login${more}${address === defaultAddress ? '' : ` --base-url ${address}`}`;
}
