/**
 * A person's word for one deed of a program: given out sealed, bound to what it is about, good for five minutes and once. Between
 * question and answer it is in the hands of the program, which may try anything with it; only that it was used is kept here.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { type Redeemed, useOnce } from './store.ts';

export type { Redeemed } from './store.ts';

export interface Confirmations {
  /** To be given back with the answer. `about` tells who asks and for what, to the letter. */
  issue(about: string): string;
  /** Whatever the answer was, it is used afterwards. invalid: not made here, or about something else. */
  redeem(token: string, about: string): Promise<Redeemed | 'invalid'>;
}

const lifeMs = 5 * 60_000;
const maxLength = 512;
const purpose = 'confirmation';

interface Content {
  nonce: string;
  expiresAtMs: number;
}

export function createConfirmations({
  db,
  keyring,
  clock,
}: {
  db: Db;
  keyring: Pick<Keyring, 'seal' | 'open'>;
  clock: Clock;
}): Confirmations {
  function open(token: string, about: string): Content | null {
    if (token.length > maxLength) return null;
    const sealed = Buffer.from(token, 'base64url');
    // Decoding overlooks what is no base64url.
    if (sealed.toString('base64url') !== token) return null;
    try {
      return JSON.parse(keyring.open(purpose, sealed, about)) as Content;
    } catch {
      return null;
    }
  }
  return {
    issue(about) {
      const content: Content = { nonce: randomBytes(16).toString('base64url'), expiresAtMs: clock.now() + lifeMs };
      return keyring.seal(purpose, JSON.stringify(content), about).toString('base64url');
    },
    async redeem(token, about) {
      const content = open(token, about);
      return content ? useOnce(db, content.nonce, new Date(content.expiresAtMs)) : 'invalid';
    },
  };
}
