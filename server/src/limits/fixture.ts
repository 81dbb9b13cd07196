/** For the tests of this room: rows that ask for a grant. */
import type { Queryable } from '../platform/db.ts';
import type { ResendRule } from '../policy.ts';
import { type GrantRow, grantAgain, type RefusalRow } from './index.ts';

export const rule: ResendRule = { mode: 'compat', n: 2, resend_after: 30, max_sends: 3, window_seconds: 3600 };
let lastId = 0;

export function asking(target: string, change: Partial<GrantRow> = {}): GrantRow {
  const messageId = String(++lastId);
  return {
    applicationId: '7',
    target,
    templateId: 'login',
    messageId,
    verificationId: messageId,
    counted: true,
    rule,
    targetAttempts: 10,
    targetWindowSeconds: 3600,
    ttlMs: 300_000,
    expiresAt: null,
    holdsLock: true,
    expectedMessageId: null,
    addresses: [],
    ...change,
  };
}

export const grant = (db: Queryable, row: GrantRow): Promise<RefusalRow> => grantAgain(db, { grant: row });
