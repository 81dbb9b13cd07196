/**
 * Who is calling (contract §2 step 3). Missing, malformed, unknown and wrong cost the same hash and comparison and get the same
 * answer. Everything comes from this process's memory once read: a request costs one HMAC and two map lookups.
 */
import { randomBytes } from 'node:crypto';
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { type Keyring, sameBytes } from '../platform/seal.ts';
import type { Caller } from '../policy.ts';
import {
  hashKeyPair,
  hashSessionToken,
  hashToken,
  parseBearer,
  parseKeyPair,
  parseSessionToken,
} from './credential.ts';
import type { LoginKey } from './login-key.ts';
import type { Memory } from './memory.ts';
import { touchKeys } from './store.ts';
import type { WrongTokens } from './wrong-tokens.ts';

export interface AuthenticateOptions {
  db: Db;
  keyring: Keyring;
  clock: { now(): number };
  log: Log;
  memory: Memory;
  /** The public sandbox pairs by dev_key; empty when they are switched off. */
  publicKeys: ReadonlyMap<string, LoginKey>;
}

const useNotedEveryMs = 60_000;
const basicChallenge = { 'WWW-Authenticate': 'Basic realm="otp"' };
const bearerChallenge = { 'WWW-Authenticate': 'Bearer realm="operator"' };

/** Returns the check of a key credential: a Caller, or ApiError 2001, 2002 or 2004. Permissions are left to the front door. */
export function createKeyCheck(
  options: AuthenticateOptions,
): (authorization: string | undefined, ip: string) => Promise<Caller> {
  const { keyring, clock, memory, publicKeys } = options;
  const decoy = randomBytes(32);
  const noteUse = createUseNotes(options);

  return async (authorization, ip) => {
    const pair = parseKeyPair(authorization);
    const presented = hashKeyPair(keyring, pair ?? { devKey: '', devSecret: '' });
    const cached = pair && (publicKeys.get(pair.devKey) ?? memory.keys.get(pair.devKey));
    const key = cached instanceof Promise ? await cached : cached;
    const right = sameBytes(presented, key?.secretHash ?? decoy);
    if (!key || !right) throw new ApiError(2001, undefined, { headers: basicChallenge });
    const now = clock.now();
    if (!key.enabled || key.expiresAtMs <= now) throw new ApiError(2002, undefined, { headers: basicChallenge });
    if (!key.allows(ip)) throw new ApiError(2004, 'source address not allowed');
    const known = memory.applications.get(key.applicationId);
    const application = known instanceof Promise ? await known : known;
    if (!application) throw new Error('an API key belongs to no application');
    if (now - key.usedAtMs >= useNotedEveryMs) noteUse(key, now);
    const { id: keyId, devKey, permissions, agent, limits } = key;
    return { keyId, devKey, permissions, application, agent, limits };
  };
}

/** last_used_at is written behind the request, at most once a minute per key and process, many keys in one statement. */
function createUseNotes({ db, log }: AuthenticateOptions): (key: LoginKey, now: number) => void {
  const touch = db.batch<string, void>({
    async run(on, ids) {
      await touchKeys(on, ids);
      return ids.map(() => undefined);
    },
  });
  return (key, now) => {
    key.usedAtMs = now;
    touch(key.id).catch((error: unknown) => log.warn({ err: error }, 'last use of an API key not noted'));
  };
}

type TokenOptions = Pick<AuthenticateOptions, 'keyring' | 'memory'>;

/** Returns whether a text is an operator token in force. */
export function createTokenCheck({ keyring, memory }: TokenOptions): (token: string) => Promise<boolean> {
  return async (token) => {
    const presented = hashToken(keyring, token);
    const hashes = (await memory.tokens.get('operator')) ?? [];
    // Not `some`: the time must not tell which of several tokens was met.
    let right = false;
    for (const hash of hashes) right = sameBytes(presented, hash) || right;
    return right;
  };
}

/** Returns the check of the operator's bearer token, or of a session's: nothing, or ApiError 2001, and 3004 after too many wrong ones. */
export function createOperatorCheck(
  options: TokenOptions & Pick<AuthenticateOptions, 'clock'> & { wrongTokens: WrongTokens },
): (authorization: string | undefined, ip: string) => Promise<void> {
  const { keyring, memory, clock, wrongTokens } = options;
  const isOperatorToken = createTokenCheck(options);

  async function isSession(authorization: string | undefined): Promise<boolean> {
    const token = parseSessionToken(authorization);
    if (token === null) return false;
    const session = await memory.sessions.get(hashSessionToken(keyring, token).toString('hex'));
    return session !== null && session.expiresAt.getTime() > clock.now();
  }

  return async (authorization, ip) => {
    const token = parseBearer(authorization);
    if ((await isOperatorToken(token ?? '')) || (await isSession(authorization))) return;
    if (token !== null) wrongTokens.count(ip);
    throw new ApiError(2001, undefined, { headers: bearerChallenge });
  };
}
