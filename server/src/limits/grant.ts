/**
 * The columns that another room's accepting statement carries for this room, and what comes back. The SQL is in store.ts.
 */

import type { Column } from '../platform/sql.ts';
import type { ResendRule, TargetLimit } from '../policy.ts';
import { listColumns } from './list-store.ts';

/** One send asking for its grant. */
export interface GrantRow {
  applicationId: string;
  /** The normalised address. */
  target: string;
  templateId: string;
  messageId: string;
  /** Id under which the code is checked; the message id where there is nothing to check. */
  verificationId: string;
  /** False: no rule of this room applies and nothing is counted (no code in the text, sandbox recipients). */
  counted: boolean;
  rule: ResendRule;
  targetAttempts: number;
  targetWindowSeconds: number;
  /** Life of the code in milliseconds from now; the lock ends with it. */
  ttlMs: number;
  /** Where the code lives already: when it ends, in place of `ttlMs`. */
  expiresAt: Date | null;
  /** False: its lock is written as ended already, since the message is known to reach nobody; the next send supersedes its code. */
  holdsLock: boolean;
  /** The message whose lock the caller saw alive, '0' for none; another one found gives the verdict `changed`. Null: any. */
  expectedMessageId: string | null;
  /** What the message may go to, two at most: one of them opted out gives the verdict `unsubscribed`. None: nobody is asked. */
  addresses: readonly string[];
  /** Further limits on the target, in sliding windows of a day at most. None: absent. */
  targetLimits?: readonly TargetLimit[];
  /** Of the phone number among them, and where the caller's user is: what else lists are asked about. */
  country?: string | null;
  ip?: string | null;
}

export type Verdict =
  | 'granted'
  | 'changed'
  | 'listed'
  | 'unsubscribed'
  | 'target_locked'
  | 'code_still_valid'
  | 'resend_too_soon'
  | 'target_send_limit'
  | 'rate_limited'
  /** Of the room that keeps balances and budgets. */
  | 'insufficient_balance'
  | 'budget_exhausted';

/** To be merged into the input relation of the accepting statement. */
export const grantColumns: Record<string, Column<{ grant: GrantRow }>> = {
  application_id: ['bigint', ({ grant }) => grant.applicationId],
  target: ['text', ({ grant }) => grant.target],
  template_id: ['text', ({ grant }) => grant.templateId],
  message_id: ['bigint', ({ grant }) => grant.messageId],
  lock_id: ['bigint', ({ grant }) => grant.verificationId],
  counted: ['boolean', ({ grant }) => grant.counted],
  mode: ['text', ({ grant }) => grant.rule.mode],
  resend_after: ['integer', ({ grant }) => grant.rule.resend_after],
  max_sends: ['integer', ({ grant }) => grant.rule.max_sends],
  window_seconds: ['integer', ({ grant }) => grant.rule.window_seconds],
  target_attempts: ['integer', ({ grant }) => grant.targetAttempts],
  target_window_seconds: ['integer', ({ grant }) => grant.targetWindowSeconds],
  ttl_ms: ['bigint', ({ grant }) => grant.ttlMs],
  lives_until: ['timestamptz', ({ grant }) => grant.expiresAt],
  target_limits: ['jsonb', ({ grant }) => (grant.targetLimits?.length ? grant.targetLimits : null)],
  holds_lock: ['boolean', ({ grant }) => grant.holdsLock],
  expected_message_id: ['bigint', ({ grant }) => grant.expectedMessageId],
  first_address: ['text', ({ grant }) => grant.addresses[0] ?? null],
  second_address: ['text', ({ grant }) => grant.addresses[1] ?? null],
  first_keys: ['text', ({ grant }) => listColumns.first_keys[1](grant)],
  second_keys: ['text', ({ grant }) => listColumns.second_keys[1](grant)],
  asked_ip: ['text', ({ grant }) => listColumns.asked_ip[1](grant)],
};
