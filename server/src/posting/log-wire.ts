/** How the queue, the log and replays of an endpoint look on the wire. Ids of events are those of the header `webhook-id`. */
import { z } from 'zod';
import { eventChoice } from '../callbacks/index.ts';
import { isId } from '../platform/ids.ts';
import type { AttemptRow, DeliveryRow } from './log-store.ts';
import { deliveryStates, outcomes } from './log-store.ts';

export const messageId = z.string().refine((text) => text === '0' || isId(text), 'must be a message id');
export const eventId = z
  .string()
  .max(24)
  .refine((text) => text.startsWith('evt_') && isId(text.slice(4)), 'must be an event id, evt_ and digits');
export const time = z.iso.datetime({ offset: true });
const limit = z.coerce.number().int().min(1).max(100).default(20);
const cursor = z.string().max(64).optional();

export const deliveriesQuery = z.object({
  state: z.enum(deliveryStates).optional(),
  message_id: messageId.optional().meta({ description: '0: events of no message.' }),
  limit,
  cursor,
});

export const attemptsQuery = z.object({
  message_id: messageId.optional().meta({ description: '0: events of no message.' }),
  event_id: eventId.optional().meta({ description: 'As in the header webhook-id: `evt_…`.' }),
  outcome: z.enum(outcomes).optional(),
  limit,
  cursor,
});

export const deliverySchema = z.object({
  event_id: z.string(),
  message_id: z.string(),
  event: z.string().nullable().meta({ description: 'Null once the ledger has forgotten it.' }),
  at: z.string().nullable().meta({ description: 'When it happened.' }),
  state: z.enum(deliveryStates),
  tries: z.int(),
  due_at: z.string().nullable().meta({ description: 'Earliest next try; an earlier event of its message goes first.' }),
  given_up_at: z.string().nullable(),
  replayed: z.boolean(),
});
export const deliveriesSchema = z.object({
  deliveries: z.array(deliverySchema),
  next_cursor: z.string().nullable(),
});

export const attemptSchema = z.object({
  event_id: z.string(),
  message_id: z.string(),
  event: z.string(),
  try: z.int(),
  at: z.string(),
  rows: z.int().meta({ description: 'How many rows the request carried.' }),
  outcome: z.enum(outcomes),
  http_status: z.int().nullable(),
  detail: z.string().nullable(),
  response: z.string().nullable().meta({ description: 'The first 2 kB of the answer, without control characters.' }),
  latency_ms: z.int(),
  next_at: z.string().nullable(),
});
export const attemptsSchema = z.object({ attempts: z.array(attemptSchema), next_cursor: z.string().nullable() });

const kinds = ['event_ids', 'message_id', 'from', 'failed_since'] as const;

export const replayBody = z
  .object({
    event_ids: z.array(eventId).min(1).max(100).meta({ description: 'Events of its log, by their ids.' }),
    message_id: messageId.refine((text) => text !== '0', 'must be a message id'),
    from: time.meta({ description: 'With `until` (default: now): what happened in this time.' }),
    until: time,
    events: eventChoice.meta({ description: 'With `from`: these alone, of what the endpoint is told.' }),
    failed_since: time.meta({
      description: 'What was given up since then; and what failed since then and is tried again is tried now.',
    }),
  })
  .partial()
  .superRefine((body, context) => {
    const given = kinds.filter((kind) => body[kind] !== undefined);
    const fault = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (given.length !== 1) fault(given[1] ?? kinds[0], `give one of ${kinds.join(', ')}`);
    else if (given[0] !== 'from')
      for (const field of ['until', 'events'] as const) if (body[field] !== undefined) fault(field, 'belongs to from');
  });
export type ReplayBody = z.infer<typeof replayBody>;

const stateOf = ({ givenUpAt, tries }: DeliveryRow): (typeof deliveryStates)[number] =>
  givenUpAt ? 'given_up' : tries > 0 ? 'retrying' : 'waiting';

export const toDelivery = (row: DeliveryRow): z.infer<typeof deliverySchema> => ({
  event_id: `evt_${row.eventId}`,
  message_id: row.messageId,
  event: row.event,
  at: row.at?.toISOString() ?? null,
  state: stateOf(row),
  tries: row.tries,
  due_at: row.dueAt?.toISOString() ?? null,
  given_up_at: row.givenUpAt?.toISOString() ?? null,
  replayed: row.replayed,
});

export const toAttempt = (row: AttemptRow): z.infer<typeof attemptSchema> => ({
  event_id: `evt_${row.eventId}`,
  message_id: row.messageId,
  event: row.event,
  try: row.try,
  at: row.at.toISOString(),
  rows: row.rows,
  outcome: row.outcome,
  http_status: row.httpStatus,
  detail: row.detail,
  response: row.response,
  latency_ms: row.latencyMs,
  next_at: row.nextAt?.toISOString() ?? null,
});
