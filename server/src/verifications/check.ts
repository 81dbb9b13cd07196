/**
 * Checking a code, the story: is it an id of ours, then one statement decides, counts and consumes. Simultaneous checks are
 * gathered into one statement; those that touch the same target take turns, so each sees the one before it.
 */
import { ApiError, type Reason, refuse } from '../errors.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import { type CheckItem, type CheckPorts, type CheckRow, checkCodes, type Finding } from './check-store.ts';
import { hashCode } from './code.ts';
import { createExpiry } from './expire.ts';

export type { CheckPorts } from './check-store.ts';

export interface CheckRequest {
  applicationId: string;
  messageId: string;
  code: string;
  purpose: string | null;
  /** The limits it meets, as CheckPorts.limits reads them. */
  rates?: readonly unknown[];
}

export interface CheckResult {
  verified: boolean;
  /** After a wrong code: what is left of the code's and the target's budget, the smaller one. */
  attemptsRemaining: number;
  target: string;
  purpose: string | null;
}

export interface VerificationsOptions {
  db: Db;
  keyring: Keyring;
  log: Log;
  watch?: CheckWatch;
  ports: CheckPorts & {
    /** Emits verified_timeout and ends what is planned, for messages whose codes have run out. */
    expireDeliveries(tx: Queryable, expired: readonly { applicationId: string; messageIds: string[] }[]): Promise<void>;
    /** Whether a message without verification exists: then its code was not made by us. */
    isMessage(on: Queryable, applicationId: string, messageId: string): Promise<boolean>;
  };
}

/** Told what happens here; must not throw. */
export interface CheckWatch {
  /** What a check found: right, wrong, or why it was refused. */
  checked(finding: Finding | 'unknown_message'): void;
  /** So many codes ran out. */
  expired(codes: number): void;
}

export interface Verifications {
  /** Throws ApiError 4001, 3003 or 3004; a wrong code is a result. `tx` puts the check into the caller's transaction. */
  check(request: CheckRequest, tx?: Queryable): Promise<CheckResult>;
  /** Ends codes whose time is over; resolves with how many. The loop of start() does it every second. */
  expireDue(): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

const refusals: Partial<Record<Finding, Reason>> = {
  purpose_mismatch: 'purpose_mismatch',
  verified: 'already_verified',
  exhausted: 'too_many_attempts',
  target_locked: 'too_many_attempts',
  expired: 'expired',
  cancelled: 'cancelled',
  superseded: 'superseded',
};

export function createVerifications({ db, keyring, log, watch, ports }: VerificationsOptions): Verifications {
  const runAll = async (on: Queryable, items: readonly CheckItem[]): Promise<(CheckRow | null)[]> => {
    const results: (CheckRow | null)[] = items.map(() => null);
    for (const row of await checkCodes(on, items, ports)) results[Number(row.ord) - 1] = row;
    return results;
  };
  const add = db.batch<CheckItem, CheckRow | null>({ run: runAll });

  async function check(request: CheckRequest, tx?: Queryable): Promise<CheckResult> {
    for (let verificationId: string | null = null; ; ) {
      const item = itemOf(request, verificationId, keyring);
      const row: CheckRow | null = tx ? ((await runAll(tx, [item]))[0] ?? null) : await add(item);
      if (row?.finding === 'again') continue;
      if (row?.finding === 'moved') {
        verificationId = row.verification_id;
        continue;
      }
      watch?.checked(row?.finding ?? 'unknown_message');
      if (row === null) throw await missing(request, tx);
      if (row.finding === 'rate_limited') throw ports.limitRefusal(row.note, row.retry_after ?? 1);
      return resultOf(row);
    }
  }

  async function missing({ applicationId, messageId }: CheckRequest, tx?: Queryable): Promise<ApiError> {
    const exists = await ports.isMessage(tx ?? db, applicationId, messageId);
    return exists ? refuse('not_platform_code') : new ApiError(4001, 'message not found');
  }

  return { check, ...createExpiry({ db, log, watch, expireDeliveries: ports.expireDeliveries }) };
}

function itemOf(request: CheckRequest, verificationId: string | null, keyring: Keyring): CheckItem {
  const id = verificationId ?? request.messageId;
  return {
    applicationId: request.applicationId,
    messageId: request.messageId,
    verificationId,
    exactHash: hashCode(keyring, id, request.code, true),
    foldedHash: hashCode(keyring, id, request.code, false),
    purpose: request.purpose,
    rates: request.rates ?? [],
  };
}

function resultOf(row: CheckRow): CheckResult {
  const reason = refusals[row.finding];
  if (reason) throw refuse(reason);
  return {
    verified: row.finding === 'right',
    attemptsRemaining: row.attempts_remaining,
    target: row.target,
    purpose: row.purpose,
  };
}
