/**
 * Sessions of operators: the operator token exchanged for one that lives twelve hours and can be ended, accepted wherever the operator
 * token is. Only a keyed hash of it is stored.
 */
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { createTokenCheck } from './authenticate.ts';
import { hashSessionToken, makeSessionToken, parseSessionToken } from './credential.ts';
import type { Memory } from './memory.ts';
import { deleteSession, insertSession, noteLogin } from './session-store.ts';
import type { WrongTokens } from './wrong-tokens.ts';

export interface SessionPorts {
  db: Db;
  keyring: Keyring;
  memory: Memory;
  wrongTokens: WrongTokens;
  /** Applications that want to know who logs in. */
  loginListeners(): Promise<readonly string[]>;
}

export interface OpenedSession {
  token: string;
  email: string | null;
  expiresAt: Date;
}

export interface Sessions {
  /** 401/2001 for a wrong token, 429/3004 after too many of them. */
  login(request: { token: string; email?: string | undefined }, ip: string): Promise<OpenedSession>;
  /** Ends the session of this Authorization header; 404 for what is none. */
  logout(authorization: string | undefined, ip: string): Promise<void>;
}

const challenge = { 'WWW-Authenticate': 'Bearer realm="operator"' };

export function createSessions(ports: SessionPorts): Sessions {
  const { db, keyring, memory, wrongTokens, loginListeners } = ports;
  const isOperatorToken = createTokenCheck(ports);
  return {
    async login({ token, email = null }, ip) {
      const isRight = await isOperatorToken(token);
      if (!isRight) wrongTokens.count(ip);
      const event = { email, ip, listeners: await loginListeners() };
      if (!isRight) {
        await noteLogin(db, { ...event, action: 'login_failed', failReason: 'wrong token' });
        throw new ApiError(2001, undefined, { headers: challenge });
      }
      const made = makeSessionToken();
      const session = await insertSession(db, hashSessionToken(keyring, made), { ...event, action: 'login_success' });
      return { token: made, ...session };
    },
    async logout(authorization, ip) {
      const token = parseSessionToken(authorization);
      const event = { action: 'logout', ip, listeners: await loginListeners() } as const;
      const ended =
        token !== null &&
        (await memory.afterWrite('operator', () => deleteSession(db, hashSessionToken(keyring, token), event)));
      if (!ended) throw new ApiError(4001, 'session not found', { status: 404 });
    },
  };
}
