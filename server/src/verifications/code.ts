/**
 * One-time codes, pure: drawing, normalising, hashing. A code is kept only as a keyed HMAC over `<verification id>:<code>`.
 * Alphabet: bits 1 digits, 2 lower case, 4 upper case; as soon as letters take part, 0 1 I O l o are left out (contract §4).
 */
import { randomInt } from 'node:crypto';
import type { Keyring } from '../platform/seal.ts';

const digits = '0123456789';
const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ambiguous = /[01IOlo]/g;

/** The characters a code of this type is drawn from. */
export function alphabetOf(type: number): string {
  const all = (type & 1 ? digits : '') + (type & 2 ? lower : '') + (type & 4 ? upper : '');
  return type === 1 ? all : all.replace(ambiguous, '');
}

/** Uniform over the alphabet: `randomInt` rejects what would favour some characters. No pattern is filtered. */
export function drawCode(type: number, length: number): string {
  const alphabet = alphabetOf(type);
  let code = '';
  for (let i = 0; i < length; i++) code += alphabet[randomInt(alphabet.length)];
  return code;
}

/** Lower and upper case both take part, so case matters in a check. */
export const mixesCase = (type: number): boolean => (type & 6) === 6;

/** How many different codes of this type a guesser can be up against: letters that a check folds into one count once. */
export function codeSpace(type: number, length: number): number {
  const told = new Set([...alphabetOf(type)].map((letter) => normaliseCode(letter, mixesCase(type))));
  return told.size ** length;
}

/** What is hashed: trimmed at both ends (Unicode white space), folded to lower case unless the type mixes case (contract §6). */
export function normaliseCode(code: string, mixed: boolean): string {
  const trimmed = code.trim();
  return mixed ? trimmed : trimmed.toLowerCase();
}

/** The stored form: 32 bytes. */
export function hashCode(keyring: Keyring, verificationId: string, code: string, mixed: boolean): Buffer {
  return keyring.hash('code', `${verificationId}:${normaliseCode(code, mixed)}`);
}
