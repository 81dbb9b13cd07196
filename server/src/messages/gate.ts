/**
 * What is asked before a send is counted and written: whoever judges it by more than its own form (fraud rules, budgets, the
 * customer's own server). This room knows what to ask and what follows from the answer; the wiring knows whom.
 */
import type { Channel } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';
import type { Application } from '../policy.ts';
import type { Resolved, SendRequest } from './compose.ts';
import type { GateReport } from './decision.ts';
import type { ClosedReason } from './plan.ts';

export interface GateAsk {
  application: Application;
  request: Pick<SendRequest, 'kind' | 'purpose' | 'signals' | 'caller' | 'idempotencyKey'>;
  templateId: string;
  to: string;
  /** The phone number that steps may go to. */
  phone: string | null;
  country: string | null;
  callingCode: string | null;
  /** The channels that are left, in order, and what a hand-over by each will cost, in micros. */
  channels: readonly { channel: Channel; micros: number }[];
}

export interface GateAnswer {
  /** Why the send is refused; null where it is not. */
  refusal: ApiError | null;
  /** Channels that are not used for it. */
  closed: ReadonlyMap<Channel, ClosedReason>;
  /** Null where nobody was asked. */
  report: GateReport | null;
}

export type Gate = (ask: GateAsk) => Promise<GateAnswer>;

/** 5015 in the words of the contract: it never tells the rule. */
export const rejected = (): ApiError => new ApiError(5015, 'rejected');
/** The caller may ask its user for a proof and send again with `captcha_passed`. */
export const challenged = (): ApiError => new ApiError(5015, 'rejected', { reason: 'challenge_required' });

export function gateAsk(
  application: Application,
  templateId: string,
  request: SendRequest,
  { target, addresses: { phone }, country }: Resolved,
  channels: GateAsk['channels'],
): GateAsk {
  const callingCode = phone?.callingCode ?? null;
  return {
    application,
    request,
    templateId,
    to: target,
    phone: phone?.address ?? null,
    country,
    callingCode,
    channels,
  };
}
