/**
 * Proof that a webhook comes from Meta: HMAC-SHA-256 of the raw bytes under the app secret. The bytes count, not what they say: Meta
 * writes non-ASCII characters as \uXXXX, so a body that was parsed and written again has another signature.
 */
import { createHash, createHmac } from 'node:crypto';
import { sameBytes } from '../../platform/seal.ts';

/** @param header X-Hub-Signature-256: `sha256=` and 64 lower-case hex digits */
export function isSignedByMeta(body: Buffer, header: string | undefined, secrets: readonly string[]): boolean {
  const digits = /^sha256=([0-9a-f]{64})$/.exec(header ?? '')?.[1];
  if (digits === undefined) return false;
  const given = Buffer.from(digits, 'hex');
  return secrets.some(
    (secret) => secret !== '' && sameBytes(given, createHmac('sha256', secret).update(body).digest()),
  );
}

/** Equality of two texts in a time that tells neither content nor length. */
export const isSameSecret = (given: string, secret: string): boolean => sameBytes(digest(given), digest(secret));

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
