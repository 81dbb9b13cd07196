/** Money for sending a message once more. Test recipients and the virtual network cost nothing. */
import type { Channel } from '../delivery/index.ts';
import { refuse } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import { pricedSteps, type ResentBy } from './agent-resend.ts';
import { isExempt } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { parsePhone } from './recipient.ts';
import { keyBudgetOf, sumOf } from './spend-ask.ts';
import type { MessageRecord } from './store.ts';

const isFree = (application: Application, { recipient }: MessageRecord): boolean =>
  application.network === 'virtual' || isExempt(application, recipient);

/** 3003 where balance or budgets have nothing left for another hand-over. */
export async function requireMoney(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  message: MessageRecord,
): Promise<void> {
  if (isFree(application, message)) return;
  const { recipient, other_recipient: other, country } = message;
  const phone = [recipient, other].find((to) => to?.startsWith('+'));
  const against = await context.spendsAgain(tx, {
    organizationId: application.organizationId,
    applicationId: application.id,
    country,
    callingCode: phone ? parsePhone(phone).callingCode : null,
  });
  if (against) throw refuse(against.reason, '', against.retryAfter === null ? {} : { retryAfter: against.retryAfter });
}

/**
 * 3003 where the step that starts now, those that follow it by themselves and one that is under way would together pass the budget
 * of the caller's own key. Last in the transaction: what hand-overs cost is
 * written in the same order, first the delivery and then the budgets.
 */
export async function chargeAgain(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  message: MessageRecord,
  { by, channel }: { by: ResentBy; channel: Channel },
): Promise<void> {
  const budget = keyBudgetOf(by.caller);
  if (!budget || isFree(application, message)) return;
  const steps = await pricedSteps(context, tx, application, message);
  const start = steps.findIndex((step) => step.channel === channel);
  const micros = steps.map((step) => step.micros);
  const toCome = start < 0 ? [] : micros.slice(start);
  const underWay = micros.filter((_, i) => steps[i]?.state === 'sending');
  const against = await context.chargeKey(tx, {
    ...{ applicationId: application.id, messageId: message.id, ...budget },
    estimateMicros: toCome[0] ?? 0,
    chainMicros: sumOf([...underWay, ...toCome]),
    // The chain would have come to its next channel by itself.
    addedMicros: by.operation === 'nextChannel' ? 0 : sumOf(toCome),
  });
  if (against) throw refuse('budget_exhausted', '', against);
}
