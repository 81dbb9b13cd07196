/**
 * What Vonage's answers mean, as data: statuses of POST /sms/json, err-codes of delivery receipts, and ends of calls. One account
 * may say otherwise in its `code_map`. Sources: Vonage's SMS troubleshooting page, its page of delivery receipt error codes and
 * the Voice webhook reference.
 */
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Log } from '../../platform/log.ts';
import {
  type Reason,
  type Refused,
  reasons,
  refusedForGood,
  refusedForNow,
  type Undelivered,
  undelivered,
} from '../outcome.ts';

interface Meaning {
  reason: Reason;
  /** The same request may work later; of no weight in a receipt. */
  temporary: boolean;
  /** One sentence for the operator, in front of which the code stands. */
  what: string;
  /** Where the code of the reason would say something else to the customer. */
  errorCode?: ErrorCode;
}

type Table = Readonly<Record<string, Meaning>>;

const passing = (reason: Reason, what: string, errorCode?: ErrorCode): Meaning => ({
  reason,
  temporary: true,
  what,
  ...(errorCode !== undefined && { errorCode }),
});
const lasting = (reason: Reason, what: string, errorCode?: ErrorCode): Meaning => ({
  ...passing(reason, what, errorCode),
  temporary: false,
});

/** By `status` of a message in the answer to a hand-over. */
const smsStatuses: Table = {
  '1': passing('throttled', 'more messages a second than the account may send: lower the rate or ask Vonage for more'),
  '2': lasting('config', 'a parameter is missing: check that the sender in the settings is not blank'),
  '3': lasting('config', 'a parameter is invalid: check the sender and the template text'),
  '4': lasting('credentials', 'wrong key or secret: check api_key and api_secret'),
  '5': passing('upstream_error', 'internal error at Vonage'),
  '6': lasting('number_invalid', 'the number cannot be processed, for example an unknown prefix'),
  '7': lasting('opted_out', 'the number is barred at Vonage'),
  '8': lasting('credentials', 'the Vonage account is barred: contact Vonage'),
  '9': lasting('funds', 'no credit left: top up the Vonage account'),
  '10': passing('throttled', 'too many connections of the account at once: lower the concurrency of the provider'),
  '11': lasting('credentials', 'the account is not enabled for the SMS API over HTTP: contact Vonage'),
  '12': lasting('config', 'the text is too long: shorten the template'),
  '14': lasting(
    'credentials',
    'Vonage demands signed requests or refused a signature: allow api_secret for the account',
  ),
  '15': lasting('sender_invalid', 'the sender is not allowed for this destination: register it or set another'),
  '22': lasting('config', 'invalid network code'),
  '23': lasting('config', 'the callback address is refused: check the public address of the platform'),
  '29': lasting('config', 'a trial account sends to listed numbers only: top up, or add the number in the dashboard'),
  '32': lasting('credentials', 'secret and signature came together: check what changes requests on the way'),
  '33': lasting('number_invalid', 'the number is deactivated'),
};

const general: Meaning = lasting('upstream_error', 'no cause given', 5001);

/** By `err-code` of a delivery receipt. */
const receiptErrors: Table = {
  '1': lasting('upstream_error', 'not delivered for an unknown cause', 5001),
  '2': passing('unreachable', 'the handset is off or out of reach', 5018),
  '3': lasting('number_invalid', 'the number is no longer in use'),
  '4': lasting('opted_out', 'the subscriber has messages barred'),
  '5': passing('unreachable', 'the number is being ported'),
  '6': lasting('carrier_filtered', "blocked by the carrier's spam filter"),
  '7': passing('unreachable', 'the handset was busy'),
  '8': passing('unreachable', 'error of the network'),
  // "Illegal number" by name, but Vonage describes a subscriber who refused messages of this service.
  '9': lasting('opted_out', 'the subscriber refused messages of this service'),
  '10': lasting('content_rejected', 'the message is malformed for this network'),
  '11': lasting('unreachable', 'Vonage has no route to the number'),
  '12': lasting('unreachable', 'no route to the number'),
  '13': lasting('carrier_filtered', 'barred for the age of the subscriber'),
  '14': lasting('carrier_filtered', 'the carrier blocks messages to this number'),
  '15': lasting('unreachable', "the subscriber's prepaid credit is used up", 5018),
  '99': lasting('upstream_error', 'general error of the route', 5001),
};

/** By `status` of a delivery receipt, where its err-code tells nothing. */
const receiptStatuses: Table = {
  expired: passing('expired', 'not delivered within its time'),
  rejected: lasting('carrier_filtered', 'refused by the carrier'),
  failed: general,
  undelivered: general,
};

/** By `status` of a call event that ends the effort without the code being told. */
const callEnds: Table = {
  busy: passing('unreachable', 'the line was busy'),
  unanswered: passing('unreachable', 'nobody answered'),
  timeout: passing('unreachable', 'nobody answered within ringing_seconds'),
  machine: passing('unreachable', 'an answering machine took the call'),
  completed: passing('unreachable', 'the call was answered, but no key was pressed'),
  cancelled: passing('expired', 'the call was cancelled before it was answered'),
  rejected: passing('unreachable', 'the call was rejected'),
  failed: lasting('upstream_error', 'the call could not be connected', 5001),
};

/** By HTTP status, or by the last part of the `type` of a problem document, which tells more. */
const httpRefusals: Table = {
  '401': lasting('credentials', 'not authorised: check the credentials in the settings, and the clock of this machine'),
  '402': lasting('funds', 'no credit left: top up the Vonage account'),
  '403': lasting('credentials', 'forbidden: check in the dashboard that account and application may do this'),
  '429': passing('throttled', 'more requests a second than the account may make: lower the concurrency'),
  'low-balance': lasting('funds', 'no credit left: top up the Vonage account'),
  'out-of-credit': lasting('funds', 'no credit left: top up the Vonage account'),
  'account-suspended': lasting('credentials', 'the Vonage account is suspended: contact Vonage'),
  unprovisioned: lasting('credentials', 'the account is not enabled for this product: contact Vonage'),
  throttled: passing('throttled', 'more requests a second than the account may make: lower the concurrency'),
};

const tables = {
  status: smsStatuses,
  'err-code': receiptErrors,
  receipt: receiptStatuses,
  call: callEnds,
  http: httpRefusals,
} as const;

export type Kind = keyof typeof tables;

const entry = z.strictObject({
  reason: z.enum(reasons).meta({ title: 'Reason', description: 'What the code means in our words.' }),
  temporary: z.boolean().meta({ title: 'Temporary', description: 'The same request may work later.' }),
});

/** Keys name the field of Vonage the code stands in, since the same small numbers mean different things: `status:7`, `err-code:7`. */
export const codeMapOf = (...kinds: readonly Kind[]) =>
  z
    .record(z.string().regex(new RegExp(`^(${kinds.join('|')}):[a-z0-9-]{1,40}$`)), entry)
    .optional()
    .meta({
      title: 'Code map',
      description: `Other meanings for codes of this account, by ${kinds.map((kind) => `${kind}:…`).join(' or ')}.`,
    });

export type CodeMap = Readonly<Record<string, z.infer<typeof entry>>>;

/** Null for a code that neither the account's map nor ours knows. */
export function meaningOf(kind: Kind, code: string, codeMap: CodeMap = {}): Meaning | null {
  const table: Table = tables[kind];
  const shipped = Object.hasOwn(table, code) ? table[code] : undefined;
  const name = `${kind}:${code}`;
  const mapped = Object.hasOwn(codeMap, name) ? codeMap[name] : undefined;
  if (!mapped) return shipped ?? null;
  return { ...mapped, what: shipped?.what ?? `${mapped.reason} by the code map of this provider` };
}

export function refusedBy(name: string, meaning: Meaning, retryAfterMs?: number): Refused {
  const refuse = meaning.temporary ? refusedForNow : refusedForGood;
  return refuse(meaning.reason, `${name}: ${meaning.what}`, {
    ...(meaning.errorCode !== undefined && { errorCode: meaning.errorCode }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

export const undeliveredBy = (name: string, { reason, what, errorCode }: Meaning): Undelivered =>
  undelivered(reason, `${name}: ${what}`, errorCode);

/** Makes a code nobody has described visible to the operator. It came from outside, so only what looks like a code is repeated. */
export function countUnmapped(log: Log, kind: Kind, code: string): void {
  log.warn({ upstreamCode: `${kind}:${/^[\w-]{1,40}$/.test(code) ? code : 'no code'}` }, 'unmapped code');
}

/** An answer nobody has described yet: temporary and to be tried elsewhere, so that one new code stops nothing. */
export const unmapped = (name: string): Refused =>
  refusedForNow('upstream_error', `${name} is not known to us: look it up at Vonage and add it to code_map`);
