/**
 * Running a request at most once under its Idempotency-Key (contract §5.7): claim the key, run, store the answer; an error frees
 * the key. A deed that stores the answer in its own transaction marks the ticket, so no crash can part the two. Answers rest sealed,
 * each for its own key: some hold a secret that is stored nowhere else.
 */
import { randomUUID } from 'node:crypto';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { type Keyring, sameBytes } from '../platform/seal.ts';
import { reusedKey, stillRunning } from './idempotency.ts';
import type { IdempotencyTicket } from './operation.ts';
import {
  type Claim,
  claimKeys,
  deleteExpiredKeys,
  type Finished,
  finishKey,
  finishKeys,
  type HeldKey,
  releaseKeys,
} from './store.ts';

export interface KeyedRequest {
  applicationId: string;
  key: string;
  /** What makes the request itself, see idempotency.ts. */
  identity: string;
}

export type Claimed = { kind: 'fresh'; claim: Claim; ticket: IdempotencyTicket } | { kind: 'replay'; answer: object };

export interface Idempotency {
  /** Throws 422 for another request under the key and 409 while the first is under way. */
  claim(request: KeyedRequest): Promise<Claimed>;
  /** Resolves when the answer is durable. Never rejects: the deed is done, and its caller must be told so. */
  finish(claim: Claim, answer: object): Promise<void>;
  /** Never rejects: the same request takes the key over when its lock lapses. */
  release(claim: Claim): Promise<void>;
  sweep(): Promise<number>;
}

const sweepRows = 5_000;

type KeyPlace = Pick<Claim, 'applicationId' | 'key'>;

/** Sealed for this key of this application: in the row of another it cannot be opened. */
const sealAnswer = (keyring: Keyring, place: KeyPlace, answer: object): string =>
  keyring.seal('idempotency', JSON.stringify(answer), contextOf(place)).toString('base64');

/** An object is an answer of a release that did not seal yet. */
function openAnswer(keyring: Keyring, place: KeyPlace, kept: string | object): object {
  if (typeof kept === 'object') return kept;
  return JSON.parse(keyring.open('idempotency', Buffer.from(kept, 'base64'), contextOf(place)));
}

const contextOf = ({ applicationId, key }: KeyPlace): string => `${applicationId} ${key}`;

export function createIdempotency({ db, keyring, log }: { db: Db; keyring: Keyring; log: Log }): Idempotency {
  const claim = db.batch<Claim, HeldKey>({ run: claimKeys, key: contextOf });
  const finish = db.batch<Finished, void>({
    run: async (on, items) => {
      await finishKeys(on, items);
      return items.map(() => undefined);
    },
  });
  const release = db.batch<Claim, void>({
    run: async (on, items) => {
      await releaseKeys(on, items);
      return items.map(() => undefined);
    },
  });
  return {
    async claim({ applicationId, key, identity }) {
      const mine = { applicationId, key, ticket: randomUUID(), requestHash: keyring.hash('idempotency', identity) };
      const held = await claim(mine);
      if (held.ticket === mine.ticket) {
        const seal = (answer: object): string => sealAnswer(keyring, mine, answer);
        return { kind: 'fresh', claim: mine, ticket: { applicationId, key, seal, stored: false } };
      }
      if (!sameBytes(held.request_hash, mine.requestHash)) throw reusedKey();
      if (held.answer === null) throw stillRunning();
      return { kind: 'replay', answer: openAnswer(keyring, mine, held.answer) };
    },
    async finish(held, answer) {
      try {
        await finish({ claim: held, answer: sealAnswer(keyring, held, answer) });
      } catch (error) {
        log.error({ err: error }, 'an answer was not stored under its idempotency key');
      }
    },
    release: (held) =>
      release(held).catch((error: unknown) => log.warn({ err: error }, 'an idempotency key was not freed')),
    async sweep() {
      let total = 0;
      for (;;) {
        const count = await deleteExpiredKeys(db, sweepRows);
        total += count;
        if (count < sweepRows) return total;
      }
    },
  };
}

/**
 * Stores the answer of a deed inside the deed's transaction and marks the ticket, so that the front door leaves it alone.
 * Throws 409 when another process took the key over and answered first; the deed then rolls back.
 */
export async function storeAnswer(tx: Queryable, ticket: IdempotencyTicket, answer: object): Promise<void> {
  const { applicationId, key } = ticket;
  const stored = await finishKey(tx, { applicationId, key, answer: ticket.seal(answer) });
  if (!stored) throw stillRunning();
  ticket.stored = true;
}
