/** Sending a message once more with an agent's key: its terms hold for the addresses of any message, whoever sent it first. */
import type { Channel, StepState } from '../delivery/index.ts';
import type { Queryable } from '../platform/db.ts';
import { type Application, type ApprovalAsk, awaitsApproval, type Caller } from '../policy.ts';
import { type AskedBy, requireApproved } from './approval.ts';
import { isExempt, requireDestinations } from './compose.ts';
import type { MessagesContext } from './context.ts';
import type { Addresses } from './plan.ts';
import { parseEmail, parsePhone } from './recipient.ts';
import type { MessageRecord } from './store.ts';

/** Whose key asks, and with what. */
export interface ResentBy extends AskedBy {
  caller: Pick<Caller, 'keyId' | 'agent' | 'limits'>;
  operation: 'resendOtp' | 'nextChannel';
}

/** Throws what a first send of that key would be refused with. */
export async function requireAgentMayResend(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  message: MessageRecord,
  by: ResentBy,
): Promise<void> {
  const { agent } = by.caller;
  if (!agent || isExempt(application, message.recipient)) return;
  requireDestinations(application, agent, addressesOf(message));
  if (!awaitsApproval(agent, application)) return;
  const channels = await channelsOf(context, tx, application, message);
  requireApproved(application, by, () => ({
    operation: by.operation,
    recipient: message.recipient,
    templateId: message.template_id,
    channels,
    currency: context.currency,
  }));
}

function addressesOf({ recipient, other_recipient: other }: MessageRecord): Addresses {
  const all = other === null ? [recipient] : [recipient, other];
  const phone = all.find((to) => to.startsWith('+'));
  const email = all.find((to) => to.includes('@'));
  return {
    phone: phone === undefined ? null : parsePhone(phone),
    email: email === undefined ? null : parseEmail(email, 'to'),
  };
}

/** As they are shown to who decides. */
export const channelsOf = async (...of: Parameters<typeof pricedSteps>): Promise<ApprovalAsk['channels']> =>
  (await pricedSteps(...of)).map(({ channel, micros }) => ({ channel, micros }));

/** The steps of its chain, from the one numbered `first`, that had an address and a text, and what a hand-over by each would cost now. */
export async function pricedSteps(
  context: MessagesContext,
  on: Queryable,
  application: Application,
  message: MessageRecord,
  first = 1,
): Promise<{ channel: Channel; state: StepState; micros: number }[]> {
  const { phone, email } = addressesOf(message);
  const view = await context.delivery.find(application.id, message.id, on);
  const clear = await context.delivery.openContent(application.id, message.id, on);
  return (view?.steps ?? []).flatMap(({ step, channel, state }, i) => {
    const to = (channel === 'email' ? email : phone)?.address;
    const content = clear?.contents[i];
    if (step < first || state === 'skipped' || to === undefined || !content) return [];
    const { lines } = context.serving(application, channel, to);
    return [
      {
        channel,
        state,
        micros: context.estimate({ channel, to, ...(lines && { lines }) }, content),
      },
    ];
  });
}
