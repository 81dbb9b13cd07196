/**
 * The three actions on one living message (contract §11.2): resend, next channel, cancel. Each is one transaction over the
 * rooms it touches, locks in the order target, verification, delivery; the delivery is woken after the commit.
 */
import type { Channel, DeliveryView } from '../delivery/index.ts';
import { ApiError, refuse } from '../errors.ts';
import { appendEvents } from '../events/index.ts';
import { findListed, findOptOuts, type GrantRow, grantAgain, refusalOf, release } from '../limits/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application, ResendRule } from '../policy.ts';
import type { RateSubject } from '../rates/index.ts';
import { scriptFor } from '../sandbox/index.ts';
import type { SendTemplate } from '../templates/index.ts';
import {
  cancelVerification,
  findVerification,
  hashCode,
  mixesCase,
  renewVerification,
  type VerificationView,
} from '../verifications/index.ts';
import { type ResentBy, requireAgentMayResend } from './agent-resend.ts';
import { isExempt, keptCodes, ruleOf } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { groupsOf, parsePhone } from './recipient.ts';
import { type Again, openAgain, render } from './render.ts';
import { chargeAgain, requireMoney } from './spend-again.ts';
import { findMessage, type Granted, type MessageRecord, moveExpiry } from './store.ts';

export interface Acted {
  messageId: string;
  channel: Channel;
  expiresAt: Date | null;
}

type Ended = Exclude<VerificationView['state'], 'pending'>;
const endedReasons = {
  verified: 'already_verified',
  exhausted: 'too_many_attempts',
  expired: 'expired',
  cancelled: 'cancelled',
  superseded: 'superseded',
} as const satisfies Record<Ended, string>;

interface Living {
  message: MessageRecord;
  verification: VerificationView | null;
}

/** The message and its verification, refused with the 3003 of §6 when it has ended. */
async function requireLiving(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  messageId: string,
): Promise<Living> {
  const message = await findMessage(tx, application.id, messageId);
  if (!message) throw new ApiError(4001, 'message not found');
  const verification = message.kind === 'otp' ? await findVerification(tx, application.id, messageId) : null;
  if (verification && verification.state !== 'pending') throw refuse(endedReasons[verification.state]);
  if (!verification) await requireOpen(context, tx, application, messageId);
  return { message, verification };
}

/** For messages without a verification, whose end only the delivery knows. */
async function requireOpen(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  messageId: string,
): Promise<void> {
  refuseEnded(context, await context.delivery.find(application.id, messageId, tx));
}

function refuseEnded(context: MessagesContext, view: DeliveryView | null): void {
  if (view?.ended) throw refuse(endedReasons[view.ended]);
  if (view && view.deadlineAtMs <= context.now()) throw refuse('expired');
}

/** Sends again from the start of the chain, or by the named channel of it, with the code that the resend policy says. */
export async function resend(
  context: MessagesContext,
  application: Application,
  messageId: string,
  channel: Channel | null,
  by: ResentBy,
): Promise<Acted & { attempt: number }> {
  const { template, rule } = await ruleOfMessage(context, application, messageId);
  const acted = await context.db.transaction(async (tx) => {
    const living = await requireLiving(context, tx, application, messageId);
    await requireAgentMayResend(context, tx, application, living.message, by);
    const again = template && keptCodes(rule) !== null ? againOf(context, application, living) : null;
    const granted = grantedBy(context, application, living, by.caller);
    await requireGrant(context, tx, granted({ ...rule, mode: 'reuse' }, again));
    await requireMoney(context, tx, application, living.message);
    const renewed = template && again ? await renew(context, tx, application, { template, living, rule, again }) : null;
    const ids = { applicationId: application.id, messageId };
    const from = await usableChannel(context, tx, application, living.message, channel);
    const restarted = await context.delivery.restart(tx, { ids, channel: from ?? undefined, ...renewed?.delivery });
    await chargeAgain(context, tx, application, living.message, { by, channel: restarted.channel });
    return { messageId, ...restarted, expiresAt: renewed?.expiresAt ?? living.message.expires_at };
  });
  context.delivery.wake({ applicationId: application.id, messageId });
  return acted;
}

/**
 * Read before the transaction, which holds the only connection of an embedded database. A message outlives its template:
 * without one, its own texts are sent again.
 */
async function ruleOfMessage(
  context: MessagesContext,
  application: Application,
  messageId: string,
): Promise<{ template: SendTemplate | null; rule: ResendRule }> {
  const message = await findMessage(context.db, application.id, messageId);
  if (!message) throw new ApiError(4001, 'message not found');
  const found = await context.templates.findForSend(application.id, message.template_id);
  const template = found.kind === 'ok' ? found.template : null;
  return { template, rule: template ? ruleOf(application, template) : application.policy.resend_policy };
}

/** What a new code is made and rendered from; null where the message was sent under a policy that keeps its code. */
function againOf(context: MessagesContext, application: Application, { message, verification }: Living): Again | null {
  if (!verification || !message.sealed_params) return null;
  return openAgain(context, application.id, message.id, message.sealed_params);
}

/** What a resend asks: the rules of the target, and the limits as far as the message itself tells what they count. */
const grantedBy =
  (context: MessagesContext, application: Application, living: Living, sentBy: ResentBy['caller']) =>
  (rule: ResendRule, again: Again | null): Granted => {
    const grant = grantOf(application, living, rule, again);
    const subject = isExempt(application, living.message.recipient) ? null : subjectOf(living.message, grant, sentBy);
    const { asks: rates, targetLimits } = context.rates.ofSend(application, subject);
    return { grant: { ...grant, targetLimits }, rates };
  };

function subjectOf(
  { recipient, other_recipient: other, template_id: templateId }: MessageRecord,
  { counted }: GrantRow,
  { keyId, agent, limits: keyLimits }: ResentBy['caller'],
): RateSubject {
  const number = [recipient, other].find((to) => to?.startsWith('+'));
  const target = counted ? recipient : null;
  const unknown = { ip: null, deviceId: null, sessionId: null };
  return {
    keyId,
    agent,
    keyLimits,
    recipients: other === null ? [recipient] : [recipient, other],
    ...unknown,
    target,
    templateId,
    ...groupsOf(number ? parsePhone(number) : null),
  };
}

async function requireGrant({ shares }: MessagesContext, tx: Queryable, granted: Granted): Promise<void> {
  const row = await grantAgain(tx, granted, shares);
  const refusal = refusalOf(row);
  if (refusal) throw refusal;
  if (row.verdict === 'changed')
    throw new ApiError(1000, 'internal error', {
      status: 503,
      retryAfter: 1,
      cause: new Error('the target changed at the same moment'),
    });
}

/** The lock ends with the code: a new one gets a whole life, the same one keeps its expiry. */
function grantOf(
  application: Application,
  { message, verification }: Living,
  rule: ResendRule,
  again: Again | null,
): GrantRow {
  const hasCode = message.expires_at !== null;
  const newest = verification?.messageIds.at(-1) ?? message.id;
  return {
    applicationId: application.id,
    target: message.recipient,
    templateId: message.template_id,
    messageId: newest,
    verificationId: verification?.id ?? message.id,
    counted: hasCode && !isExempt(application, message.recipient),
    rule,
    targetAttempts: application.policy.target_attempts,
    targetWindowSeconds: application.policy.target_window_seconds,
    ttlMs: again ? again.ttlSeconds * 1000 : 0,
    expiresAt: again ? null : (verification?.expiresAt ?? message.expires_at),
    holdsLock: true,
    expectedMessageId: null,
    // Which of them is used is known later, see usableChannel.
    addresses: [],
  };
}

/** Whose address the steps of a channel go to. */
const addressOf = (message: MessageRecord, channel: Channel): string | null =>
  [message.recipient, message.other_recipient].find((to) => to?.includes('@') === (channel === 'email')) ?? null;

/** The addresses of the message that lists or their people keep us from since, and what is answered for each: 5013, 3003, 5019. */
async function excludedOf(
  tx: Queryable,
  application: Application,
  { recipient, other_recipient: other, country }: MessageRecord,
): Promise<Map<string, ApiError>> {
  const excluded = new Map<string, ApiError>();
  if (isExempt(application, recipient)) return excluded;
  const addresses = other === null ? [recipient] : [recipient, other];
  for (const address of await findOptOuts(tx, application.id, addresses))
    excluded.set(address, new ApiError(5019, 'Unsubscribed'));
  for (const { address, type } of await findListed(tx, { applicationId: application.id, addresses, country }))
    excluded.set(
      address,
      type === 'country' ? refuse('country_not_enabled', country ?? '') : new ApiError(5013, 'Blacklisted'),
    );
  return excluded;
}

/** The channel to send again by: the one asked for, else the first that goes to an address not excluded, null for any. */
async function usableChannel(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  message: MessageRecord,
  asked: Channel | null,
): Promise<Channel | null> {
  const excluded = await excludedOf(tx, application, message);
  if (excluded.size === 0) return asked;
  const view = await context.delivery.find(application.id, message.id, tx);
  const usable = (view?.steps ?? []).filter(({ state }) => state !== 'skipped').map((step) => step.channel);
  const refusalFor = (channel: Channel): ApiError | undefined => excluded.get(addressOf(message, channel) ?? '');
  if (asked !== null && (!refusalFor(asked) || !usable.includes(asked))) return asked;
  const first = usable.find((channel) => !refusalFor(channel));
  if (asked === null && first) return first;
  const refusals = asked === null ? usable.flatMap((channel) => refusalFor(channel) ?? []) : [refusalFor(asked)];
  throw refusals.find((refusal) => refusal?.code === 5013) ?? refusals[0] ?? new ApiError(5019, 'Unsubscribed');
}

interface Renewal {
  template: SendTemplate;
  living: Living;
  rule: ResendRule;
  again: Again;
}

/** rotate and rotate_with_grace: a new code with a life of its own under the same message. */
async function renew(
  context: MessagesContext,
  tx: Queryable,
  application: Application,
  { template, living, rule, again }: Renewal,
) {
  const { message, verification } = living;
  if (!verification) throw new Error('only a platform code is renewed');
  const ttlMs = again.ttlSeconds * 1000;
  const code = scriptFor(application, message.recipient)?.code ?? context.drawCode(verification.codeType, again.length);
  const codeHash = hashCode(context.keyring, verification.id, code, mixesCase(verification.codeType));
  const expiresAt = await renewVerification(tx, application.id, verification.id, {
    codeHash,
    keepCodes: keptCodes(rule) ?? 0,
    ttlMs,
  });
  if (!expiresAt) throw await endedRefusal(tx, application, message.id);
  await moveExpiry(tx, application.id, message.id, expiresAt);
  const { params } = again;
  const view = await context.delivery.find(application.id, message.id, tx);
  const contents = (view?.steps ?? []).map(({ channel, state }) =>
    state === 'skipped'
      ? null
      : render(context, application, channel, { template, language: message.language, params, code, ttlMs }),
  );
  return { expiresAt, delivery: { content: { code, contents }, deadlineMs: ttlMs } };
}

/** Starts the next usable step at once; counts toward the sends of the target. */
export async function nextChannel(
  context: MessagesContext,
  application: Application,
  messageId: string,
  by: ResentBy,
): Promise<Acted> {
  const { rule } = await ruleOfMessage(context, application, messageId);
  const acted = await context.db.transaction(async (tx) => {
    const living = await requireLiving(context, tx, application, messageId);
    await requireAgentMayResend(context, tx, application, living.message, by);
    const granted = grantedBy(context, application, living, by.caller);
    await requireGrant(context, tx, granted({ ...rule, mode: 'reuse', resend_after: 0 }, null));
    await requireMoney(context, tx, application, living.message);
    const moved = await context.delivery.nextChannel(tx, { applicationId: application.id, messageId });
    const excluded = await excludedOf(tx, application, living.message);
    const refusal = excluded.get(addressOf(living.message, moved.channel) ?? '');
    if (refusal) throw refusal;
    await chargeAgain(context, tx, application, living.message, { by, channel: moved.channel });
    return { messageId, ...moved, expiresAt: living.message.expires_at };
  });
  context.delivery.wake({ applicationId: application.id, messageId });
  return acted;
}

/** Ends the code and what is still planned; repeatable. Verified and expired messages refuse. */
export async function cancel(context: MessagesContext, application: Application, messageId: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    const message = await findMessage(tx, application.id, messageId);
    if (!message) throw new ApiError(4001, 'message not found');
    const ids = { applicationId: application.id, messageId };
    const { verification_id: verificationId, recipient: target, template_id: templateId } = message;
    await release(tx, [{ ...ids, target, templateId, ...(verificationId !== null && { verificationId }) }]);
    if (verificationId === null) {
      const view = await context.delivery.find(application.id, messageId, tx);
      // Judged by one reading: a second one could see another request's cancel and refuse what is repeatable.
      if (view?.ended === 'cancelled') return;
      refuseEnded(context, view);
    }
    const messages =
      verificationId === null ? [messageId] : await cancelCode(tx, application, verificationId, messageId);
    if (messages === null) return;
    for (const id of messages)
      await context.delivery.end(tx, { applicationId: application.id, messageId: id, reason: 'cancelled' });
    await appendEvents(tx, [{ ...ids, cause: 'cancelled' }]);
  });
}

/** The messages of the verification ended now; null when it had been cancelled before. */
async function cancelCode(
  tx: Queryable,
  application: Application,
  verificationId: string,
  messageId: string,
): Promise<string[] | null> {
  const messages = await cancelVerification(tx, application.id, verificationId);
  if (messages) return messages;
  const verification = await findVerification(tx, application.id, messageId);
  if (verification?.state === 'cancelled') return null;
  throw await endedRefusal(tx, application, messageId);
}

/** Of a code that was alive a moment ago. */
async function endedRefusal(tx: Queryable, application: Application, messageId: string): Promise<ApiError> {
  const verification = await findVerification(tx, application.id, messageId);
  return refuse(verification && verification.state !== 'pending' ? endedReasons[verification.state] : 'expired');
}
