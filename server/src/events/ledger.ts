/** The words of the ledger (contract §7.3, §11.1) and the shape of an entry. */
import type { ErrorCode } from '../errors.ts';
import type { Column } from '../platform/sql.ts';

export const statuses = [
  'plan',
  'target_valid',
  'target_invalid',
  'sent',
  'sent_failed',
  'delivered',
  'delivered_failed',
  'verified',
  'verified_failed',
  'verified_timeout',
] as const;
export type MessageStatus = (typeof statuses)[number];

export const causes = [
  'accepted',
  'target_checked',
  'step_started',
  'upstream_accepted',
  'upstream_rejected',
  'receipt_positive',
  'receipt_negative',
  'receipt_late',
  'no_receipt',
  'circuit_open',
  'step_skipped',
  'user_request',
  'resent',
  'sender_replaced',
  'verified',
  'wrong_code',
  'attempts_exhausted',
  'expired',
  'cancelled',
  'superseded',
  'fallback_cancelled',
  'attempt_unknown',
  'retry_planned',
  'template_reviewed',
  'template_changed',
  'key_managed',
  'opt_out_managed',
  'list_managed',
  'balance_managed',
  'budget_managed',
  'fraud_rules_changed',
  'fraud_blocked',
  'fraud_unblocked',
  'uplink',
  'provider_managed',
  'route_managed',
  'price_managed',
  'callback_managed',
  'callback_disabled',
  'presend_managed',
  'alert_managed',
  'alert_raised',
  'alert_ended',
  'account_login',
  'history_read',
  'api_called',
] as const;
export type Cause = (typeof causes)[number];

export interface EventDraft {
  applicationId: string;
  /** '0' for events that belong to no message. */
  messageId: string;
  cause: Cause;
  /** A callback status, or the name of a notification or system event. */
  status?: string;
  /** Given exactly when `status` is a MessageStatus. */
  sequence?: number;
  step?: number;
  attempt?: number;
  channel?: string;
  errorCode?: ErrorCode;
  /** Flags and details: fallback_pending, late, current_to, billing, reason. Never a code or a secret. */
  data?: Record<string, unknown>;
}

/** What these name of a person is forgotten with the application's messages, also where they belong to no message. */
export const personalCauses = [
  'opt_out_managed',
  'list_managed',
  'fraud_blocked',
  'fraud_unblocked',
  'uplink',
  'history_read',
  'api_called',
] as const satisfies readonly Cause[];

export interface LedgerEntry extends EventDraft {
  position: string;
  at: Date;
}

/** Columns for `relation(drafts, eventColumns)`. */
export const eventColumns: Record<string, Column<EventDraft>> = {
  application_id: ['bigint', (event) => event.applicationId],
  message_id: ['bigint', (event) => event.messageId],
  cause: ['text', (event) => event.cause],
  status: ['text', (event) => event.status ?? null],
  sequence: ['integer', (event) => event.sequence ?? null],
  step: ['smallint', (event) => event.step ?? null],
  attempt: ['smallint', (event) => event.attempt ?? null],
  channel: ['text', (event) => event.channel ?? null],
  error_code: ['integer', (event) => event.errorCode ?? null],
  data: ['jsonb', (event) => event.data ?? null],
};
