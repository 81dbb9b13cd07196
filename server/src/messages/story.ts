/**
 * One plain sentence for each entry of the ledger (contract §11.1), for a support agent to read out. Never the code.
 */
import type { Channel } from '../delivery/index.ts';
import { errorTable } from '../errors.ts';
import type { Cause, LedgerEntry } from '../events/index.ts';

const channelTitles: Record<string, string> = {
  whatsapp: 'WhatsApp',
  sms: 'SMS',
  email: 'E-mail',
  voice: 'Voice call',
};
export const titleOf = (channel: string | null | undefined): string => channelTitles[channel ?? ''] ?? 'The channel';
const nextOf = (entry: LedgerEntry): string => (entry.data?.['fallback_pending'] ? '; the next channel follows.' : '.');

function causeOf(entry: LedgerEntry): string {
  return entry.errorCode === undefined
    ? 'without a reason'
    : `${errorTable[entry.errorCode].title} (${entry.errorCode})`;
}

const skipTexts: Record<string, string> = {
  no_address: 'there is no address for it',
  no_route: 'no provider serves it',
  channel_disabled: 'the channel is switched off',
  listed: 'the address is on a block list',
  unsubscribed: 'the person has unsubscribed',
  profile: 'the security profile does not allow it',
  circuit_open: 'its providers are down',
  target_invalid: 'the address cannot exist',
  insufficient_balance: 'the balance does not cover it',
};

const sentences: Record<Cause, (entry: LedgerEntry) => string> = {
  accepted: () => 'Accepted and queued.',
  target_checked: (entry) =>
    entry.errorCode === undefined ? 'The address is well-formed.' : 'The address cannot exist; nothing is sent to it.',
  step_started: (entry) => `${titleOf(entry.channel)} is being handed over.`,
  upstream_accepted: (entry) => `${titleOf(entry.channel)} was taken over for delivery.`,
  upstream_rejected: (entry) => `${titleOf(entry.channel)} was refused: ${causeOf(entry)}${nextOf(entry)}`,
  receipt_positive: (entry) => `${titleOf(entry.channel)} was delivered.`,
  receipt_negative: (entry) =>
    entry.data?.['elsewhere']
      ? `${titleOf(entry.channel)} could not be delivered by one provider: ${causeOf(entry)}; another has accepted it.`
      : `${titleOf(entry.channel)} could not be delivered: ${causeOf(entry)}${nextOf(entry)}`,
  receipt_late: (entry) =>
    entry.status === 'delivered' || entry.errorCode === undefined
      ? `${titleOf(entry.channel)} was delivered after all, late.`
      : `${titleOf(entry.channel)} reported late that it was not delivered: ${causeOf(entry)}.`,
  no_receipt: (entry) => `${titleOf(entry.channel)} reported nothing within its wait.`,
  circuit_open: (entry) => `${titleOf(entry.channel)} was passed over because its providers are down.`,
  step_skipped: (entry) =>
    `${titleOf(entry.channel)} was skipped: ${skipTexts[String(entry.data?.['reason'])] ?? 'it cannot be used'}.`,
  user_request: (entry) => `The next channel was asked for; ${titleOf(entry.channel)} starts.`,
  resent: (entry) => `Sent again on request, from ${titleOf(entry.channel)}.`,
  sender_replaced: (entry) => `The sender of ${titleOf(entry.channel)} was replaced by the one its route allows.`,
  verified: () => 'The right code was entered.',
  wrong_code: (entry) =>
    `A wrong code was entered; ${Number(entry.data?.['attempts_remaining'] ?? 0)} more may be tried.`,
  attempts_exhausted: () => 'The last attempt was wrong; the code is closed.',
  expired: (entry) =>
    entry.status === 'verified_timeout' ? 'The code expired without being verified.' : 'The time for delivery is over.',
  cancelled: () => 'Cancelled on request.',
  superseded: () => 'Replaced by a newer code.',
  fallback_cancelled: () => 'The channels still planned were cancelled.',
  attempt_unknown: (entry) => `${titleOf(entry.channel)} gave no answer; whether it went out is not known.`,
  retry_planned: (entry) =>
    `${titleOf(entry.channel)} is tried again${entry.data?.['other_provider'] ? ' by another provider' : ''}: ${causeOf(entry)}.`,
  template_reviewed: () => 'The template was reviewed.',
  template_changed: () => 'The template was changed.',
  key_managed: () => 'An API key was changed.',
  opt_out_managed: () => 'The list of opt-outs was changed.',
  list_managed: () => 'The allow and block lists were changed.',
  balance_managed: () => 'The balance of an organization was changed.',
  budget_managed: () => 'A budget was changed.',
  fraud_rules_changed: () => 'The fraud rules were changed.',
  fraud_blocked: () => 'A fraud rule closed channels.',
  fraud_unblocked: () => 'What a fraud rule closed was opened again.',
  uplink: () => 'The person wrote back.',
  provider_managed: () => 'A provider was changed.',
  route_managed: () => 'A route was changed.',
  price_managed: () => 'Prices were changed.',
  callback_managed: () => 'A callback endpoint was changed.',
  callback_disabled: () => 'A callback endpoint was switched off because it failed.',
  presend_managed: () => 'The pre-send hook was changed.',
  alert_managed: () => 'An alert rule was changed.',
  alert_raised: () => 'An alert was raised.',
  alert_ended: () => 'An alert ended.',
  account_login: () => 'Somebody logged in or out, or tried to.',
  history_read: () => 'Messages were looked at.',
  api_called: () => 'The API was called.',
};

export const timelineText = (entry: LedgerEntry): string => sentences[entry.cause](entry);

export interface TimelineEntry {
  at: string;
  event: string | null;
  sequence: number | null;
  step: number | null;
  channel: Channel | null;
  cause: Cause;
  error_code?: number;
  fallback_pending?: true;
  late?: true;
  text: string;
}

export function timelineEntry(entry: LedgerEntry): TimelineEntry {
  return {
    at: entry.at.toISOString(),
    event: entry.status ?? null,
    sequence: entry.sequence ?? null,
    step: entry.step ?? null,
    channel: (entry.channel ?? null) as Channel | null,
    cause: entry.cause,
    ...(entry.errorCode !== undefined && { error_code: entry.errorCode }),
    ...(entry.data?.['fallback_pending'] === true && { fallback_pending: true as const }),
    ...(entry.data?.['late'] === true && { late: true as const }),
    text: timelineText(entry),
  };
}
