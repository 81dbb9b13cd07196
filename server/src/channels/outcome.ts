/**
 * What the world answers, as values. A refusal and a failing receipt name one reason of this list; what follows from it (the error
 * code customers see, whether another provider of the channel may do better, whether the provider is at fault) stands in one table.
 */
import type { ErrorCode } from '../errors.ts';

interface Consequence {
  /** Contract §7.2; an adapter that knows better says so. */
  errorCode: ErrorCode;
  /** Another provider of the same channel may succeed where this one refused for good. */
  elsewhere: boolean;
  /** Counts against the provider's circuit: `account` opens it at once and alerts, since nothing will pass until somebody acts. */
  fault: 'none' | 'provider' | 'account';
}

const recipient = { elsewhere: false, fault: 'none' } as const;
const route = { errorCode: 5016, elsewhere: true, fault: 'none' } as const;

export const reasonTable = {
  number_invalid: { ...recipient, errorCode: 5020 },
  not_on_channel: { ...recipient, errorCode: 5020 },
  unreachable: { ...recipient, errorCode: 5012 },
  opted_out: { ...recipient, errorCode: 5019 },
  expired: { ...recipient, errorCode: 5012 },
  content_rejected: { ...recipient, errorCode: 5014 },
  fraud_blocked: { ...recipient, errorCode: 5015 },
  upstream_error: { ...route, fault: 'provider' },
  carrier_filtered: { ...route, errorCode: 5015 },
  geo_denied: route,
  template_invalid: route,
  sender_invalid: route,
  throttled: route,
  config: { ...route, fault: 'provider' },
  credentials: { ...route, fault: 'account' },
  funds: { ...route, fault: 'account' },
} as const satisfies Record<string, Consequence>;

export type Reason = keyof typeof reasonTable;
export const reasons = Object.keys(reasonTable) as [Reason, ...Reason[]];

export interface Accepted {
  kind: 'accepted';
  upstreamId: string;
  /** Set by the engine from the price of the line. */
  costMicros?: number;
  /** Likewise: the cost is given back when a receipt says that it was not delivered. */
  refundable?: boolean;
}

export interface Refused {
  kind: 'refused';
  /** The same request may work later, or elsewhere. */
  temporary: boolean;
  reason: Reason;
  errorCode: ErrorCode;
  /** One sentence an operator can act on; without code, recipient or secret. */
  detail: string;
  retryAfterMs?: number;
}

/** Nobody knows whether it went out. */
export interface Unknown {
  kind: 'unknown';
  detail: string;
}

export type SendOutcome = Accepted | Refused | Unknown;

export interface Undelivered {
  kind: 'undelivered';
  reason: Reason;
  errorCode: ErrorCode;
  detail: string;
}

/** For answers that know only the error code. */
export const reasonOf = (errorCode: ErrorCode): Reason =>
  reasons.find((reason) => reasonTable[reason].errorCode === errorCode) ?? 'upstream_error';

type Better = Partial<Pick<Refused, 'errorCode' | 'retryAfterMs'>>;

export const refusedForNow = (reason: Reason, detail: string, better: Better = {}): Refused => ({
  kind: 'refused',
  temporary: true,
  reason,
  errorCode: reasonTable[reason].errorCode,
  detail,
  ...better,
});

export const refusedForGood = (reason: Reason, detail: string, better: Better = {}): Refused => ({
  ...refusedForNow(reason, detail, better),
  temporary: false,
});

export const unknown = (detail: string): Unknown => ({ kind: 'unknown', detail });

export const undelivered = (reason: Reason, detail: string, errorCode?: ErrorCode): Undelivered => ({
  kind: 'undelivered',
  reason,
  errorCode: errorCode ?? reasonTable[reason].errorCode,
  detail,
});
