/**
 * What a send asks of balance and budgets; the room that answers is put into the accepting statement by the wiring.
 */
import type { Channel, Content } from '../delivery/index.ts';
import type { Reason } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application, Caller } from '../policy.ts';
import type { Resolved } from './compose.ts';

export interface SpendAsk {
  organizationId: string;
  applicationId: string;
  messageId: string;
  /** Of the phone number: ISO 3166 and without plus; null where there is none. */
  country: string | null;
  callingCode: string | null;
  estimateMicros: number;
  /** A budget that the caller's key carries itself; `chainMicros`: what may go out without anybody asking, which it counts. */
  keyBudget: (KeyBudget & { chainMicros: number }) | null;
}

export interface KeyBudget {
  keyId: string;
  capMicros: number;
}

/** What one hand-over of a step will cost as far as is known beforehand, in micros. */
export type Estimate = (step: { channel: Channel; to: string; lines?: readonly string[] }, content: Content) => number;

/** What is against sending a message once more that was accepted; null for nothing. */
export type SpendsAgain = (
  on: Queryable,
  ask: Pick<SpendAsk, 'organizationId' | 'applicationId' | 'country' | 'callingCode'>,
) => Promise<{ reason: Reason; retryAfter: number | null } | null>;

/** Charges a key's budget with sending a message once more; null where that fits, else the transaction must be undone. */
export type ChargeKey = (
  on: Queryable,
  ask: Pick<SpendAsk, 'applicationId' | 'messageId' | 'estimateMicros'> &
    NonNullable<SpendAsk['keyBudget']> & { addedMicros: number },
) => Promise<{ retryAfter: number } | null>;

export const sumOf = (micros: readonly number[]): number => micros.reduce((sum, one) => sum + one, 0);

/** An agent spends no more per day than its terms say. */
export const keyBudgetOf = (caller: Pick<Caller, 'keyId' | 'agent'> | null | undefined): KeyBudget | null =>
  caller?.agent ? { keyId: caller.keyId, capMicros: caller.agent.spendPerDayMicros } : null;

/**
 * Null where nothing can cost: test recipients, the virtual network, a message that nothing is sent for. The estimate is that of the
 * first usable step; for the key's own budget that of all of them: who asked for the first has asked for the fallbacks.
 */
export function spendAsk(
  application: Application,
  { chain, exempt, addresses: { phone } }: Pick<Resolved, 'chain' | 'exempt' | 'addresses'>,
  contents: readonly (Content | null)[],
  message: { messageId: string; keyBudget: KeyBudget | null; estimate: Estimate },
): SpendAsk | null {
  if (exempt || application.network === 'virtual') return null;
  const { estimate, keyBudget } = message;
  const usable = chain.flatMap((step, i) => {
    const content = contents[i];
    return step.skip === null && step.to !== null && content ? [{ step: { ...step, to: step.to }, content }] : [];
  });
  const [first] = usable;
  if (!first) return null;
  const estimateOf = ({ step, content }: typeof first): number => estimate(step, content);
  return {
    organizationId: application.organizationId,
    applicationId: application.id,
    messageId: message.messageId,
    country: phone?.country ?? null,
    callingCode: phone?.callingCode ?? null,
    estimateMicros: estimateOf(first),
    keyBudget: keyBudget && { ...keyBudget, chainMicros: sumOf(usable.map(estimateOf)) },
  };
}
