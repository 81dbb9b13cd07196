/** Money for sending a message once more. Test recipients and the virtual network cost nothing. */
import type { Channel } from '../delivery/index.ts';
import { refuse } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import { channelsOf, type ResentBy } from './agent-resend.ts';
import { isExempt } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { parsePhone } from './recipient.ts';
import { keyBudgetOf } from './spend-ask.ts';
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
 * 3003 where the step that starts now would pass the budget of the caller's own key. Last in the transaction: what hand-overs cost is
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
  const steps = await channelsOf(context, tx, application, message);
  const estimateMicros = steps.find((step) => step.channel === channel)?.micros ?? 0;
  const ids = { applicationId: application.id, messageId: message.id };
  const against = await context.chargeKey(tx, { ...ids, ...budget, estimateMicros });
  if (against) throw refuse('budget_exhausted', '', against);
}
