/**
 * What a caller presents and what we keep of it. Our secrets are 24 or 32 random bytes, so a keyed hash is enough: guessing
 * 2^192 values is hopeless at any speed, and a slow hash (argon2id: 24 ms) would cost each request a thousand times its work.
 * The key of the hash is not in the database: its rows alone cannot even test a guess at a weak preset secret.
 */
import { randomBytes } from 'node:crypto';
import type { Keyring } from '../platform/seal.ts';

export interface KeyPair {
  devKey: string;
  devSecret: string;
}

const devKeyForm = /^[A-Za-z0-9._-]{3,128}$/;
const maxHeaderLength = 1024;
/** Whole groups, padded or not; a lone character at the end stands for nothing and is a fault. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** `Basic base64(dev_key:dev_secret)` or `Bearer dev_key:dev_secret`, split at the first colon; null for anything else. */
export function parseKeyPair(authorization: string | undefined): KeyPair | null {
  if (authorization === undefined || authorization.length > maxHeaderLength) return null;
  const [, scheme = '', rest = ''] = /^(basic|bearer) +(\S+) *$/i.exec(authorization) ?? [];
  const text = scheme.length === 5 ? decodeBase64(rest) : rest;
  const colon = text.indexOf(':');
  if (colon < 0) return null;
  const devKey = text.slice(0, colon);
  return devKeyForm.test(devKey) ? { devKey, devSecret: text.slice(colon + 1) } : null;
}

/** The token of `Bearer …`; null for anything else. */
export function parseBearer(authorization: string | undefined): string | null {
  if (authorization === undefined || authorization.length > maxHeaderLength) return null;
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
}

/** The token of `Bearer os_…`; null for what can be none of ours, so that it costs no look into the database. */
export function parseSessionToken(authorization: string | undefined): string | null {
  const token = parseBearer(authorization);
  return token !== null && /^os_[A-Za-z0-9_-]{43}$/.test(token) ? token : null;
}

function decodeBase64(text: string): string {
  return base64.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
}

/** Bound to the dev_key, so a hash moved to another row opens nothing. */
export const hashKeyPair = (keyring: Keyring, { devKey, devSecret }: KeyPair): Buffer =>
  keyring.hash('api-key', `${devKey}:${devSecret}`);

export const hashToken = (keyring: Keyring, token: string): Buffer => keyring.hash('operator-token', token);

export const hashSessionToken = (keyring: Keyring, token: string): Buffer => keyring.hash('operator-session', token);

/** The prefixes let a secret scanner, and a person, tell what was leaked. */
export const makeDevKey = (): string => `dk_${randomBytes(15).toString('base64url')}`;
export const makeDevSecret = (): string => `sk_${randomBytes(24).toString('base64url')}`;
export const makeOperatorToken = (): string => `op_${randomBytes(32).toString('base64url')}`;
export const makeSessionToken = (): string => `os_${randomBytes(32).toString('base64url')}`;
