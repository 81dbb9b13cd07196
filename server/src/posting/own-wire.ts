/** How an application's own callbacks look on the wire: what is told to programs, so neither addresses nor secrets of endpoints. */
import { z } from 'zod';
import type { Endpoint } from '../callbacks/index.ts';
import { isId } from '../platform/ids.ts';
import type { AttemptRow, DeliveryRow } from './log-store.ts';
import { attemptSchema, deliverySchema, eventId, messageId, time, toAttempt, toDelivery } from './log-wire.ts';
import { maxReplays, ownStates, type ReplayAsk } from './own.ts';

const endpointId = z.string().refine(isId, 'must be an id of a callback endpoint');
const deliveryId = z
  .string()
  .max(72)
  .refine((text) => partsOf(text) !== null, 'must be a delivery_id of this list')
  .meta({ examples: ['2072832692843433984:2072832692843446272:evt_2072832692843466759'] });

export const ownQuery = z.object({
  endpoint_id: endpointId.optional().describe('Default: all of the application.'),
  message_id: messageId.optional(),
  state: z.enum(ownStates).optional().describe('accepted: tries that were answered with 2xx.'),
  since: time.optional().describe('Events, and tries, from then on.'),
  limit: z.coerce.number().int().min(1).max(50).default(20).describe('Of each of the two lists.'),
  cursor: z.string().max(120).optional(),
});

const handles = { delivery_id: z.string().describe('For a replay.'), endpoint_id: z.string() };

export const ownSchema = z.object({
  endpoints: z
    .array(
      z.object({
        endpoint_id: z.string(),
        origin: z.string().describe('Scheme and host of its address; the rest may be a secret.'),
        enabled: z.boolean(),
        disabled_because: z
          .enum(['gone', 'failing'])
          .nullable()
          .describe(
            'gone: it answered 410. failing: for five days. Null where it is enabled, or the operator disabled it.',
          ),
        failing_since: z.string().nullable(),
      }),
    )
    .describe('Where callbacks of the application go.'),
  deliveries: z.array(deliverySchema.extend(handles)).describe('Events that wait, are tried again or were given up.'),
  attempts: z.array(attemptSchema.extend(handles)).describe('Every try, newest first.'),
  next_cursor: z.string().nullable(),
});

export const replayBody = z
  .object({
    delivery_id: deliveryId.optional().describe('One event at one endpoint, as the list names it.'),
    endpoint_id: endpointId.optional().describe('With `since`.'),
    since: time.optional().describe(`What failed at the endpoint since then, at most ${maxReplays} events.`),
    dry_run: z.boolean().default(false).describe('true: only counts.'),
  })
  .superRefine((body, context) => {
    const one = body.delivery_id !== undefined;
    const many = body.endpoint_id !== undefined && body.since !== undefined;
    const half = (body.endpoint_id !== undefined) !== (body.since !== undefined);
    if (one === many || half)
      context.addIssue({ code: 'custom', path: ['delivery_id'], message: 'give it, or endpoint_id and since' });
  });

export const replayAnswer = z.object({
  dry_run: z.boolean().describe('Whether it was only counted.'),
  events: z
    .int()
    .describe('How many are posted again, or would be: not an event that waits in a batch, which is posted with it.'),
});

/** Endpoint, message and event: with the message, what was never tried is found too. */
const idOf = ({ endpointId: endpoint, messageId: message, eventId: event }: DeliveryRow | AttemptRow): string =>
  `${endpoint}:${message}:evt_${event}`;

/** Ids that were given out before have no message. */
function partsOf(deliveryId: string): { endpointId: string; messageId: string | null; eventId: string } | null {
  const parts = deliveryId.split(':');
  const [endpoint = '', event = ''] = [parts[0], parts.at(-1)];
  const message = parts.length === 3 ? parts[1] : null;
  const known = isId(endpoint) && eventId.safeParse(event).success && (parts.length === 2 || parts.length === 3);
  if (!known || (message !== null && !messageId.safeParse(message).success)) return null;
  return { endpointId: endpoint, messageId: message ?? null, eventId: event.slice(4) };
}

/** Of a valid body. */
export function replayAskOf({
  delivery_id,
  endpoint_id,
  since,
  dry_run: dryRun,
}: z.infer<typeof replayBody>): ReplayAsk {
  const parts = delivery_id === undefined ? null : partsOf(delivery_id);
  return parts ? { ...parts, dryRun } : { endpointId: endpoint_id ?? '', since: new Date(since ?? ''), dryRun };
}

export const toOwnEndpoint = (endpoint: Endpoint) => ({
  endpoint_id: endpoint.id,
  origin: new URL(endpoint.url).origin,
  enabled: endpoint.enabled,
  disabled_because: endpoint.disabledBecause,
  failing_since: endpoint.failingSince?.toISOString() ?? null,
});

const handlesOf = (row: DeliveryRow | AttemptRow) => ({ delivery_id: idOf(row), endpoint_id: row.endpointId });
export const toOwnDelivery = (row: DeliveryRow) => ({ ...handlesOf(row), ...toDelivery(row) });
export const toOwnAttempt = (row: AttemptRow) => ({ ...handlesOf(row), ...toAttempt(row) });
