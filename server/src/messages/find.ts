/** One message with its whole story (contract §11.1), and lists of messages (§11.3). */
import type { Channel, MessageState } from '../delivery/index.ts';
import { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import { countWrongCodes } from '../limits/index.ts';
import { isId, messageIdOf } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import { findVerification, type VerificationState, type VerificationView } from '../verifications/index.ts';
import { retentionMs, timeOf } from '../wire.ts';
import { type AttemptStory, attemptStories } from './attempts.ts';
import type { MessagesContext } from './context.ts';
import { type DecisionView, decisionView } from './decision.ts';
import { type Explanation, explain } from './explain.ts';
import { searchedAddress } from './recipient.ts';
import { findMessage, listMessages, type MessageKind, type MessageSummary } from './store.ts';
import { type TimelineEntry, timelineEntry } from './story.ts';

export interface MessageStory {
  message_id: string;
  kind: MessageKind;
  to: string;
  template_id: string;
  language: string;
  country: string | null;
  purpose: string | null;
  state: MessageState;
  send_channel: Channel;
  created_at: string;
  expires_at: string | null;
  cost: { amount: number; currency: string };
  custom_args: Record<string, string>;
  verification: {
    state: VerificationState;
    attempts: number;
    attempts_remaining: number;
    verified_at: string | null;
  } | null;
  steps: { step: number; channel: Channel; state: string; error_code?: number }[];
  attempts: AttemptStory[];
  explanation: Explanation;
  decision: DecisionView;
  timeline: TimelineEntry[];
}

const microsPerUnit = 1_000_000;
const costOf = (micros: number | string, currency: string): { amount: number; currency: string } => ({
  amount: Number(micros) / microsPerUnit,
  currency,
});

/** Throws 4001 when the application has no such message. */
export async function tellStory(
  context: MessagesContext,
  application: Application,
  messageId: string,
): Promise<MessageStory> {
  const message = await findMessage(context.db, application.id, messageId);
  const delivery = message && (await context.delivery.find(application.id, messageId));
  if (!message || !delivery) throw new ApiError(4001, 'message not found');
  const verification = message.kind === 'otp' ? await findVerification(context.db, application.id, messageId) : null;
  const events = await listEvents(context.db, application.id, messageId);
  return {
    message_id: messageId,
    kind: message.kind,
    to: message.recipient,
    template_id: message.template_id,
    language: message.language,
    country: message.country,
    purpose: message.purpose,
    state: delivery.state,
    send_channel: delivery.channel,
    created_at: message.created_at.toISOString(),
    expires_at: message.expires_at?.toISOString() ?? null,
    cost: costOf(delivery.costMicros, context.currency),
    custom_args: message.custom_args ?? {},
    verification: verification && (await verificationOf(context, application, verification)),
    steps: delivery.steps.map(({ step, channel, state, errorCode }) => ({
      step,
      channel,
      state,
      ...(errorCode !== undefined && { error_code: errorCode }),
    })),
    attempts: attemptStories(
      await context.delivery.attempts({ applicationId: application.id, messageId }),
      events,
      context.currency,
    ),
    decision: decisionView(message.decision),
    explanation: explain(delivery, verification?.state ?? null, events),
    timeline: events.map(timelineEntry),
  };
}

/** `attempts_remaining` is the smaller rest of the code's and the target's budget, as a wrong check would tell (contract §6). */
async function verificationOf(context: MessagesContext, application: Application, view: VerificationView) {
  const { targetBudget: budget, target } = view;
  const targetRest =
    budget && view.attemptsRemaining > 0
      ? budget.attempts - (await countWrongCodes(context.db, application.id, target, budget.windowSeconds))
      : view.attemptsRemaining;
  return {
    state: view.state,
    attempts: view.attempts,
    attempts_remaining: Math.max(0, Math.min(view.attemptsRemaining, targetRest)),
    verified_at: view.verifiedAt?.toISOString() ?? null,
  };
}

export interface ListQuery {
  to?: string | undefined;
  template?: string | undefined;
  status?: string | undefined;
  channel?: string | undefined;
  country?: string | undefined;
  from?: string | undefined;
  until?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

const dayMs = 86_400_000;

const firstIdAt = (ms: number): string => {
  const id = messageIdOf(Math.max(ms, 1_288_834_974_657), 0, 0);
  return ms < 1_288_834_974_657 || isId(id) ? id : '9223372036854775807';
};

/** Newest first; `next_cursor` continues below the last one. */
export async function findMessages(
  context: MessagesContext,
  application: Application,
  query: ListQuery,
): Promise<{ messages: ReturnType<typeof summaryOf>[]; next_cursor: string | null }> {
  const now = context.now();
  // Exactly what single ids still answer to, see isRetained.
  const retainedFrom = now - retentionMs(application) + 1;
  const from = Math.max(timeOf(query.from, 'from', now - dayMs), retainedFrom);
  // Ids of this moment lie above its first id; a minute's room keeps them in.
  const until = query.cursor ?? firstIdAt(timeOf(query.until, 'until', now + 60_000));
  const rows = await listMessages(
    context.db,
    application.id,
    {
      recipient: query.to === undefined ? undefined : searchedAddress(query.to, 'to'),
      templateId: query.template,
      state: query.status,
      channel: query.channel,
      country: query.country,
      fromId: firstIdAt(from),
      belowId: until,
      limit: query.limit + 1,
    },
    context.delivery.states(),
  );
  const page = rows.slice(0, query.limit);
  const messages = page.map((row) => summaryOf(row, context.currency));
  return { messages, next_cursor: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null };
}

const summaryOf = (row: MessageSummary, currency: string) => ({
  message_id: row.id,
  kind: row.kind,
  to: row.recipient,
  template_id: row.template_id,
  state: row.state,
  verification_state: row.verification_state,
  send_channel: row.channel,
  country: row.country,
  created_at: row.created_at.toISOString(),
  cost: costOf(row.cost_micros, currency),
});
