/**
 * What Twilio's numbers mean for a delivery: answers to a hand-over and the ErrorCode of a receipt, for messages and for calls. Data;
 * an operator overrides single rows in the settings (`code_map`). `about` ends with the remedy where there is one.
 */
import type { ErrorCode } from '../../errors.ts';
import type { Reason } from '../outcome.ts';

export interface Meaning {
  reason: Reason;
  /** The same request may work later. */
  temporary?: boolean;
  /** Where the reason's own code would say too much or too little. */
  errorCode?: ErrorCode;
  about: string;
}

/** A landline is no proof that the number does not exist: a 5020 would take its voice step away too. */
const noMobile = { reason: 'not_on_channel', errorCode: 5012 } as const;

const account = {
  10004: { reason: 'throttled', temporary: true, about: 'too many calls at once; raise the limit at Twilio' },
  20003: { reason: 'credentials', about: 'the credentials are wrong; check account_sid with auth_token or api_key' },
  20005: { reason: 'credentials', about: 'the account is not active; look into the Twilio console' },
  20008: { reason: 'credentials', about: 'these are test credentials; use those of the live account' },
  20403: { reason: 'credentials', about: 'the account or API key may not do this; check its permissions' },
  20404: { reason: 'config', about: 'there is no such resource; check account_sid and api_url' },
  20429: { reason: 'throttled', temporary: true, about: 'too many requests; raise the limit at Twilio' },
  20500: { reason: 'upstream_error', temporary: true, about: 'internal error at Twilio' },
  20503: { reason: 'upstream_error', temporary: true, about: 'Twilio is not available for now' },
} as const satisfies Record<number, Meaning>;

const hand = {
  21211: { reason: 'number_invalid', about: 'the number is not valid' },
  21212: { reason: 'sender_invalid', about: 'the sender is not valid; correct `from` or the route' },
  21408: { reason: 'geo_denied', about: 'this country is not switched on; see Messaging, Settings, Geo permissions' },
  21602: { reason: 'content_rejected', about: 'the text is empty' },
  21603: { reason: 'sender_invalid', about: 'no sender was given; set `from` or `messaging_service_sid`' },
  21604: { reason: 'config', about: 'no recipient was given' },
  21606: { reason: 'sender_invalid', about: 'the sender cannot send messages from this account; choose another' },
  21608: { reason: 'config', about: 'a trial account reaches verified numbers only; upgrade the account' },
  21609: { reason: 'config', about: 'our webhook address is refused; use a public host name without underscore' },
  21610: { reason: 'opted_out', about: 'the recipient has replied STOP to this sender' },
  21611: { reason: 'throttled', temporary: true, about: "the sender's queue is full; use more senders" },
  21612: { reason: 'sender_invalid', about: 'this sender cannot reach this recipient; choose another for the country' },
  21614: { ...noMobile, about: 'not a mobile number' },
  21617: { reason: 'content_rejected', about: 'the text is longer than 1,600 characters' },
  21635: { ...noMobile, about: 'a landline number' },
  21659: { reason: 'sender_invalid', about: 'the sender is no Twilio number or may not be used for this country' },
  21660: { reason: 'sender_invalid', about: 'the sender belongs to another account' },
  21703: { reason: 'sender_invalid', about: 'the messaging service has no sender; add one' },
  21705: { reason: 'config', about: 'there is no such messaging service; correct messaging_service_sid' },
} as const satisfies Record<number, Meaning>;

const receipt = {
  30001: { reason: 'upstream_error', about: "Twilio's queue ran over; use more senders" },
  30002: { reason: 'config', about: 'the account is suspended; look into the Twilio console' },
  30003: { reason: 'unreachable', errorCode: 5018, about: 'the handset is off or out of reach' },
  30004: { reason: 'opted_out', about: 'the recipient or the operator blocks the message' },
  30005: { reason: 'number_invalid', about: 'the number is unknown or no longer in use' },
  30006: { ...noMobile, about: 'a landline, or a carrier out of reach' },
  30007: { reason: 'carrier_filtered', about: 'filtered; register the sender and look at the text' },
  30008: { reason: 'upstream_error', about: 'the carrier gave no cause' },
  30022: { reason: 'throttled', temporary: true, about: 'above the rate of the US campaign' },
  30023: { reason: 'throttled', temporary: true, about: 'above the daily cap of the US campaign' },
  30032: { reason: 'sender_invalid', about: 'the toll-free sender is not verified; verify it' },
  30034: { reason: 'sender_invalid', about: 'the sender is not registered for A2P in the US; register it' },
  30036: { reason: 'expired', about: 'it waited at Twilio until its validity was over; use more senders' },
  30410: { reason: 'upstream_error', about: 'the carrier did not answer in time' },
  30450: { reason: 'fraud_blocked', about: 'stopped by the protection against SMS pumping' },
  63014: { reason: 'opted_out', about: 'the recipient has blocked the sender' },
} as const satisfies Record<number, Meaning>;

const call = {
  21201: { reason: 'config', about: 'no recipient was given' },
  21205: { reason: 'config', about: 'our webhook address is refused; use a public https address' },
  21210: { reason: 'sender_invalid', about: 'the caller id is not verified; use a number of the account' },
  21213: { reason: 'sender_invalid', about: 'no caller id was given; set `from`' },
  21214: { reason: 'number_invalid', about: 'the number cannot be called' },
  21215: { reason: 'geo_denied', about: 'this country is not switched on; see Voice, Settings, Geo permissions' },
  21216: { reason: 'carrier_filtered', about: 'blocked by Twilio (fraud, regulation, or +1 without customer profile)' },
  21217: { reason: 'number_invalid', about: 'the number is not valid' },
  21219: { reason: 'config', about: 'a trial account calls verified numbers only; upgrade the account' },
} as const satisfies Record<number, Meaning>;

export const meanings: typeof account & Readonly<Record<number, Meaning>> = {
  ...account,
  ...hand,
  ...receipt,
  ...call,
};
