/** How hooks look on the wire. No secret is ever in an answer but a new one. */
import { z } from 'zod';
import { plainText } from '../wire.ts';
import { decisions, failureModes, type Hook } from './hook.ts';
import type { SavedCounts } from './store.ts';
import type { Tried } from './try-hook.ts';

export const params = z.object({ application_id: z.string().min(1).max(64) });

export const hookBody = z.object({
  url: plainText(1, 2048).describe('Asked by POST before a send is accepted.'),
  timeout_ms: z.int().min(50).max(3000).default(500).describe('For everything, up to the last byte of the answer.'),
  on_failure: z
    .enum(failureModes)
    .default('open')
    .describe('Without a good answer in time: `open` lets the send pass, `closed` refuses it with 5015.'),
  authorization: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII only')
    .nullable()
    .optional()
    .describe('Value of an Authorization header; kept sealed. Left out: as it was. Null takes it away.'),
  enabled: z.boolean().default(true),
});

const count = z.int().min(0);

export const hookSchema = z.object({
  application_id: z.string(),
  url: z.string(),
  timeout_ms: z.int(),
  on_failure: z.enum(failureModes),
  has_authorization: z.boolean(),
  enabled: z.boolean(),
  counts: z
    .object({
      allowed: count,
      denied: count,
      challenged: count,
      failed: count.describe('Without a good answer.'),
      skipped: count.describe('Of these, not even asked: it had failed too often in a row, or too many waited.'),
      last_failure: z.string().nullable(),
      last_failure_at: z.iso.datetime().nullable(),
    })
    .describe('Since the hook was made, over all nodes; some seconds old.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const savedSchema = hookSchema.extend({
  signing_secret: z
    .string()
    .nullable()
    .describe('`whsec_…`, in the answer that made it and never again; null where the hook has one already.'),
});
export const rotatedSchema = hookSchema.extend({
  signing_secret: z.string(),
  former_signs_until: z.iso.datetime().describe('Until then both secrets sign each question.'),
});
export const deletedSchema = z.object({ application_id: z.string(), deleted: z.literal(true) });

export const triedSchema = z.object({
  decision: z.enum(decisions).nullable(),
  reason: z.string().nullable(),
  failed: z.string().nullable().describe('Why the answer is no decision, in a few words.'),
  http_status: z.int().nullable(),
  took_ms: z.int(),
  response: z.string().nullable().describe('The first 2 kB of the answer.'),
});

export const toHook = (hook: Hook, counts: SavedCounts): z.infer<typeof hookSchema> => ({
  application_id: hook.applicationId,
  url: hook.url,
  timeout_ms: hook.timeoutMs,
  on_failure: hook.onFailure,
  has_authorization: (hook.secrets?.authorization ?? null) !== null,
  enabled: hook.enabled,
  counts: {
    allowed: counts.allowed,
    denied: counts.denied,
    challenged: counts.challenged,
    failed: counts.failed,
    skipped: counts.skipped,
    last_failure: counts.lastFailure,
    last_failure_at: counts.lastFailureAt?.toISOString() ?? null,
  },
  created_at: hook.createdAt.toISOString(),
  updated_at: hook.updatedAt.toISOString(),
});

export const toTried = ({ httpStatus, tookMs, ...rest }: Tried): z.infer<typeof triedSchema> => ({
  ...rest,
  http_status: httpStatus,
  took_ms: tookMs,
});
