/** How rules and alerts look on the wire: schemas with their bounds, and rows turned into them. */
import { z } from 'zod';
import { plainText } from '../wire.ts';
import type { ToldAlert } from './alert-store.ts';
import type { Message } from './outbox-store.ts';
import { kinds, type Rule } from './rule.ts';
import type { GivenRule } from './save-rule.ts';

const shownSecret = 'set';
const most = 1e12;

const kind = z.enum(kinds);
const applicationId = z.string().min(1).max(64);

const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+\.[^\s@<>,;:"]+$/, 'must be an e-mail address')
  // Apart: not every reader of the published pattern knows \p{C}.
  .refine((text) => !/\p{C}/u.test(text), 'must be an e-mail address');

const botToken = z
  .string()
  .max(200)
  .regex(/^([0-9]{1,20}:[A-Za-z0-9_-]{10,150}|set)$/, 'must be the token BotFather gave')
  .meta({ description: 'Stored sealed and never returned; left out, or sent as "set", the stored one stays.' });

const notify = z
  .object({
    callback: z
      .boolean()
      .optional()
      .meta({ description: 'Tell the endpoints of the application that chose the event; not for provider_circuit.' }),
    email: z
      .object({
        provider_id: plainText(1, 40).meta({ description: 'A provider that sends e-mail, whatever routes say.' }),
        addresses: z.array(address).min(1).max(5),
      })
      .nullable()
      .optional(),
    telegram: z
      .object({
        bot_token: botToken.optional(),
        chat_id: z
          .string()
          .max(40)
          .regex(/^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,32})$/, 'must be the number of a chat, or the @name of a channel'),
      })
      .nullable()
      .optional(),
  })
  .meta({ description: 'Ways to tell; null takes one away.' });

const terms = {
  threshold: z.number().min(0).max(most).nullable().optional().meta({
    description:
      'balance: currency, told below it. verification_rate, delivery_rate: percent of the last 60 minutes, told below it. callback_failure: minutes of failure, default 30. spend_velocity: currency in the last 60 minutes, told above it.',
  }),
  clear_threshold: z.number().min(0).max(most).nullable().optional().meta({
    description:
      'The alert ends only when the value is back here. Default: the threshold for balance, 5 percent points more for rates, 80 % of the threshold for spend.',
  }),
  factor: z.number().min(1.1).max(1_000).nullable().optional().meta({
    description: 'spend_velocity: told above so many times the average hour of the seven days before.',
  }),
  min_samples: z.int().min(1).max(1_000_000).nullable().optional().meta({
    description:
      'Fewer ended codes or sent messages in the window say nothing. Default 50 for rates, 1 for spend_velocity.',
  }),
  quiet_minutes: z.int().min(0).max(10_080).optional().meta({
    description:
      'An alert begins at most once in this time, for each provider or endpoint. Default 60, and at least that for rates; 0 for balance.',
  }),
  enabled: z.boolean().optional(),
};

export const ruleBody = z.object({
  kind,
  application_id: applicationId.nullable().optional().meta({ description: 'Not for provider_circuit.' }),
  ...terms,
  notify,
});
export const ruleChange = z.object({ ...terms, notify: notify.optional() });

export const ruleParams = z.object({ rule_id: z.string().min(1).max(64) });
const page = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
};
export const ruleQuery = z.object({ ...page, application_id: applicationId.optional() });
export const alertQuery = z.object({
  ...page,
  application_id: applicationId.optional(),
  rule_id: z.string().min(1).max(64).optional(),
  kind: kind.optional(),
  state: z.enum(['raised', 'ended']).optional(),
});

const number = z.number().nullable();
const time = z.iso.datetime();

export const ruleSchema = z.object({
  id: z.string(),
  application_id: z.string().nullable(),
  kind,
  threshold: number,
  clear_threshold: number,
  factor: number,
  min_samples: z.int(),
  quiet_minutes: z.int(),
  enabled: z.boolean(),
  notify: z.object({
    callback: z.boolean(),
    email: z.object({ provider_id: z.string(), addresses: z.array(z.string()) }).nullable(),
    telegram: z.object({ bot_token: z.literal(shownSecret), chat_id: z.string() }).nullable(),
  }),
  raised: z.boolean().meta({ description: 'Whether an alert of this rule goes on.' }),
  value: number.meta({ description: 'Found last; null where nothing could be said.' }),
  judged_at: time.nullable(),
  created_at: time,
  updated_at: time,
});

const messageSchema = z.object({
  about: z.enum(['raised', 'ended']),
  way: z.enum(['email', 'telegram']),
  to: z.string(),
  state: z.enum(['waiting', 'sent', 'given_up']),
  tries: z.int(),
  last_error: z.string().nullable(),
  next_try_at: time.nullable(),
  ended_at: time.nullable(),
});

export const alertSchema = z.object({
  id: z.string(),
  rule_id: z.string(),
  application_id: z.string().nullable(),
  kind,
  subject: z.string().nullable().meta({ description: 'The provider or endpoint it is about.' }),
  state: z.enum(['raised', 'ended']),
  value: z.number(),
  threshold: z.number(),
  text: z.string(),
  raised_at: time,
  ended_at: time.nullable(),
  ended_value: number,
  messages: z.array(messageSchema),
});

export const testSchema = z.object({
  results: z.array(
    z.object({
      way: z.enum(['callback', 'email', 'telegram']),
      to: z.string().nullable(),
      outcome: z
        .enum(['queued', 'accepted', 'refused', 'unknown'])
        .meta({ description: 'queued: for the endpoints that chose the event `alert`.' }),
      detail: z.string().nullable(),
    }),
  ),
});

export function fromBody(body: z.infer<typeof ruleChange>): GivenRule {
  const { threshold, factor, enabled, notify: ways } = body;
  const { email, telegram } = ways ?? {};
  return {
    threshold,
    clearThreshold: body.clear_threshold,
    factor,
    minSamples: body.min_samples,
    quietMinutes: body.quiet_minutes,
    enabled,
    ...(ways && {
      notify: {
        callback: ways.callback,
        email: email && { providerId: email.provider_id, addresses: [...new Set(email.addresses)] },
        telegram: telegram && {
          chatId: telegram.chat_id,
          ...(telegram.bot_token !== shownSecret && { botToken: telegram.bot_token }),
        },
      },
    }),
  };
}

export const toRule = (rule: Rule): z.infer<typeof ruleSchema> => ({
  id: rule.id,
  application_id: rule.applicationId,
  kind: rule.kind,
  threshold: rule.threshold,
  clear_threshold: rule.clearThreshold,
  factor: rule.factor,
  min_samples: rule.minSamples,
  quiet_minutes: rule.quietMinutes,
  enabled: rule.enabled,
  notify: {
    callback: rule.notify.callback,
    email: rule.notify.email && {
      provider_id: rule.notify.email.providerId,
      addresses: [...rule.notify.email.addresses],
    },
    telegram: rule.notify.telegram && { bot_token: shownSecret, chat_id: rule.notify.telegram.chatId },
  },
  raised: rule.raised,
  value: rule.value,
  judged_at: rule.judgedAt?.toISOString() ?? null,
  created_at: rule.createdAt.toISOString(),
  updated_at: rule.updatedAt.toISOString(),
});

const toMessage = (message: Message): z.infer<typeof messageSchema> => ({
  about: message.about,
  way: message.way,
  to: message.recipient,
  state: message.state,
  tries: message.tries,
  last_error: message.lastError,
  next_try_at: message.dueAt?.toISOString() ?? null,
  ended_at: message.endedAt?.toISOString() ?? null,
});

export const toAlert = (alert: ToldAlert): z.infer<typeof alertSchema> => ({
  id: alert.id,
  rule_id: alert.ruleId,
  application_id: alert.applicationId,
  kind: alert.kind,
  subject: alert.subject || null,
  state: alert.endedAt === null ? 'raised' : 'ended',
  value: alert.value,
  threshold: alert.threshold,
  text: alert.text,
  raised_at: alert.raisedAt.toISOString(),
  ended_at: alert.endedAt?.toISOString() ?? null,
  ended_value: alert.endedValue,
  messages: alert.messages.map(toMessage),
});
