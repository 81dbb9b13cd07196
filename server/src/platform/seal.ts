/**
 * Keyed hashes and sealed blobs under keys derived from the master key, which is never in the database.
 * Purposes have keys of their own, so a hash of one kind proves nothing about another.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { randomPortion } from './random.ts';

const version = 1;

export interface Keyring {
  /** HMAC-SHA-256 under the key of this purpose. */
  hash(purpose: string, text: string): Buffer;
  /** AES-256-GCM: version byte, 12-byte nonce, ciphertext, 16-byte tag. `context` is authenticated, not stored. */
  seal(purpose: string, clear: string, context: string): Buffer;
  /** The clear text; throws when key, context or bytes are not those of `seal`. */
  open(purpose: string, sealed: Buffer, context: string): string;
}

export function createKeyring(masterKey: Buffer): Keyring {
  // A KeyObject is prepared once; a Buffer would be imported again for each hash (17 µs against 4.5 µs).
  const keys = new Map<string, KeyObject>();
  const keyOf = (purpose: string): KeyObject => {
    let key = keys.get(purpose);
    if (!key) {
      key = createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', `otp-platform/${purpose}`, 32)));
      keys.set(purpose, key);
    }
    return key;
  };
  return {
    hash: (purpose, text) => hmac(keyOf(`hash/${purpose}`), text),
    seal(purpose, clear, context) {
      const nonce = randomPortion(12);
      const cipher = createCipheriv('aes-256-gcm', keyOf(`seal/${purpose}`), nonce);
      cipher.setAAD(Buffer.from(context));
      return Buffer.concat([
        Buffer.of(version),
        nonce,
        cipher.update(clear, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    open(purpose, sealed, context) {
      if (sealed[0] !== version || sealed.length < 29) throw new Error('sealed value of an unknown form');
      const decipher = createDecipheriv('aes-256-gcm', keyOf(`seal/${purpose}`), sealed.subarray(1, 13));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-16));
      return decipher.update(sealed.subarray(13, -16), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

/** HMAC-SHA-256 of UTF-8 text. */
export function hmac(key: Buffer | KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Equality in constant time; false for different lengths. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
