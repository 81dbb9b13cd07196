/**
 * How a hand-over is found again: each mail names it in its return path, its envelope id and its Message-ID, under a keyed hash,
 * since anyone can forge a bounce. Return path and envelope id are unique per hand-over; the Message-ID stays the same when a
 * reference is handed over again, so that mailboxes that know it show one mail.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

type Sign = (text: string) => string;

export interface Handle {
  reference: string;
  upstreamId: string;
}

export interface Marks {
  upstreamId: string;
  /** Local part of the return path: `b+` and the token; at most 64 characters for a reference of 40. */
  returnPath: string;
  envelopeId: string;
  /** Without angle brackets and domain. */
  messageId: string;
}

/** 80 bits of the hash and 30 of chance: with `b+` and a reference of 40 exactly what a local part may hold. */
const macLength = 16;
const nonceLength = 6;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const tokenPattern = /^([a-z2-7]{16})([a-z2-7]{6})([0-9-]{1,40})$/;
const messageIdPattern = /^<?([0-9-]{1,40})\.([a-z2-7]{16})@/;

export function markHandOver(sign: Sign, reference: string): Marks {
  const nonce = base32(randomBytes(5), nonceLength);
  const token = macOf(sign, `bounce ${nonce}${reference}`) + nonce + reference;
  return {
    upstreamId: upstreamIdOf(reference, nonce),
    returnPath: `b+${token}`,
    envelopeId: token,
    messageId: `${reference}.${macOf(sign, `message ${reference}`)}`,
  };
}

/** The hand-over a return path token or an envelope id names; null for what we never issued. Case may have been lost on the way. */
export function readToken(sign: Sign, text: string): Handle | null {
  const [, mac, nonce, reference] = tokenPattern.exec(text.trim().toLowerCase()) ?? [];
  if (mac === undefined || nonce === undefined || reference === undefined) return null;
  if (!equal(mac, macOf(sign, `bounce ${nonce}${reference}`))) return null;
  return { reference, upstreamId: upstreamIdOf(reference, nonce) };
}

/** The same of a Message-ID, which knows the reference but not which of its hand-overs. */
export function readMessageId(sign: Sign, text: string): Handle | null {
  const [, reference, mac] = messageIdPattern.exec(text.trim().toLowerCase()) ?? [];
  if (reference === undefined || mac === undefined) return null;
  return equal(mac, macOf(sign, `message ${reference}`)) ? { reference, upstreamId: reference } : null;
}

const upstreamIdOf = (reference: string, nonce: string): string => `${reference}.${nonce}`;

const macOf = (sign: Sign, text: string): string => base32(Buffer.from(sign(text), 'base64url'), macLength);

const equal = (given: string, expected: string): boolean => timingSafeEqual(Buffer.from(given), Buffer.from(expected));

/** RFC 4648, lower case: survives mail systems that fold the case of a local part. */
function base32(bytes: Buffer, length: number): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length }, (_, at) => alphabet[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)]).join('');
}
