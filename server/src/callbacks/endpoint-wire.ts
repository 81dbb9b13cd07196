/** How endpoints look on the wire: schemas with their bounds, and rows turned into them. No secret is ever in an answer but a new one. */
import { z } from 'zod';
import { eventNames } from '../events/index.ts';
import { plainText } from '../wire.ts';
import { choices } from './chosen-events.ts';
import { type Endpoint, formatNames } from './endpoint.ts';
import { scheduleNames } from './schedule.ts';

export const applicationParams = z.object({ application_id: z.string().min(1).max(64) });
export const endpointParams = applicationParams.extend({ endpoint_id: z.string().min(1).max(64) });

export const eventChoice = z.array(z.enum(choices)).min(1).max(64);

const fields = {
  description: plainText(0, 200),
  url: plainText(1, 2048).meta({ description: 'Where events are posted to; probed when it is saved.' }),
  username: z
    .string()
    .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ @ -')
    .nullable()
    .meta({ description: 'Adds X-CALLBACK-ID, signed with `secret`; null takes both away.' }),
  secret: plainText(1, 256).meta({ description: 'Mandatory with a username; kept sealed.' }),
  authorization: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII only')
    .nullable()
    .meta({ description: 'Value of an Authorization header; kept sealed. Null takes it away.' }),
  events: eventChoice.meta({
    description: 'Names of events, or of families for all of their events. Default: every event but api_call.',
  }),
  format: z.enum(formatNames).meta({
    description:
      'vendor (default): `{total, rows}`. standard: one `{type, timestamp, data}` per request, as Standard Webhooks has it.',
  }),
  retry_schedule: z.enum(scheduleNames).meta({ description: 'Default vendor: 24 retries over 18.8 days.' }),
  batch_rows: z.int().min(1).max(100).meta({ description: 'Rows per request; above 1 with the format vendor alone.' }),
  timeout_ms: z.int().min(1000).max(30_000).meta({ description: 'Default 5000, with the format standard 15000.' }),
  concurrency: z.int().min(1).max(200).meta({ description: 'Posts under way at once; default 20.' }),
  rate_per_second: z
    .number()
    .min(0.001)
    .max(100_000)
    .nullable()
    .meta({ description: 'Posts per second; null (default): as fast as it answers.' }),
  enabled: z.boolean().meta({ description: 'While it is not, nothing is queued or posted.' }),
};

const optional = z.object(fields).partial();
export const endpointBody = optional.extend({ url: fields.url });
export type EndpointBody = z.infer<typeof endpointBody>;
export const endpointChange = optional.extend({
  version: z.int().optional().meta({ description: 'Given: the change is refused where the endpoint has another.' }),
});
export type EndpointFields = z.infer<typeof optional>;
export type EndpointUpdate = z.infer<typeof endpointChange>;

export const endpointSchema = z.object({
  id: z.string(),
  application_id: z.string(),
  description: z.string(),
  url: z.string(),
  username: z.string().nullable(),
  has_secret: z.boolean(),
  has_authorization: z.boolean(),
  events: z.array(z.enum(eventNames)),
  format: z.enum(formatNames),
  retry_schedule: z.enum(scheduleNames),
  batch_rows: z.int(),
  timeout_ms: z.int(),
  concurrency: z.int(),
  rate_per_second: z.number().nullable(),
  enabled: z.boolean(),
  disabled_because: z.enum(['gone', 'failing']).nullable().meta({
    description: 'Why the platform switched it off: it answered 410, or failed for five days. Enabling it clears this.',
  }),
  of_sandbox: z.boolean().meta({ description: 'Set by PUT /v1/sandbox/webhook.' }),
  reachable: z.boolean().meta({ description: 'Whether the last probe passed.' }),
  probe_note: z.string(),
  probed_at: z.string(),
  failing_since: z.string().nullable().meta({ description: 'The first failure since the last success.' }),
  version: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
});

/** The only two answers with a secret. */
export const createdSchema = endpointSchema.extend({ signing_secret: z.string() });
export const rotatedSchema = createdSchema.extend({
  former_signs_until: z.string().meta({ description: 'Until then both secrets sign each request.' }),
});

export const testBody = z.object({
  event: z.enum(eventNames).optional().meta({ description: 'Default: delivered, or else the first that it is told.' }),
});
export const testSchema = z.object({
  event: z.enum(eventNames),
  delivered: z.boolean(),
  http_status: z.int().nullable(),
  latency_ms: z.int(),
  detail: z.string().nullable().meta({ description: 'What was wrong, in a few words.' }),
  response: z.string().nullable().meta({ description: 'The first 2 kB of the answer.' }),
});

export const toEndpoint = (endpoint: Endpoint): z.infer<typeof endpointSchema> => ({
  id: endpoint.id,
  application_id: endpoint.applicationId,
  description: endpoint.description,
  url: endpoint.url,
  username: endpoint.username,
  has_secret: endpoint.secrets.secret !== null,
  has_authorization: endpoint.secrets.authorization !== null,
  events: [...endpoint.eventTypes],
  format: endpoint.format,
  retry_schedule: endpoint.retrySchedule,
  batch_rows: endpoint.batchRows,
  timeout_ms: endpoint.timeoutMs,
  concurrency: endpoint.concurrency,
  rate_per_second: endpoint.ratePerSecond,
  enabled: endpoint.enabled,
  disabled_because: endpoint.disabledBecause,
  of_sandbox: endpoint.ofSandbox,
  reachable: endpoint.reachable,
  probe_note: endpoint.probeNote,
  probed_at: endpoint.probedAt.toISOString(),
  failing_since: endpoint.failingSince?.toISOString() ?? null,
  version: endpoint.version,
  created_at: endpoint.createdAt.toISOString(),
  updated_at: endpoint.updatedAt.toISOString(),
});
