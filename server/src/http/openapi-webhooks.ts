/**
 * The callbacks a server posts, as the section `webhooks` of the API description. What they carry is told by whoever makes them;
 * headers and answers are the same for all (contract §10.2, §10.3).
 */
import type { z } from 'zod';
import type { Json, SchemaBook } from './openapi-schemas.ts';

/** One kind of callback. */
export interface Webhook {
  /** Its name in the description, camelCase. */
  id: string;
  summary: string;
  description: string;
  /** Of the body. */
  body: z.ZodType;
  examples: readonly { name: string; value: unknown }[];
}

const header = (name: string, required: boolean, description: string, example: string): Json => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
  example,
});

export const webhookParameters: Record<string, Json> = {
  WebhookId: header(
    'webhook-id',
    true,
    'Id of the callback, the same over all tries: remember it to see repetitions.',
    'evt_2072832692843466759',
  ),
  WebhookTimestamp: header('webhook-timestamp', true, 'Unix seconds of this try.', '1783036800'),
  WebhookSignature: header(
    'webhook-signature',
    true,
    'Standard Webhooks: `v1,` and the base64 HMAC-SHA-256 over `id.timestamp.body` with the base64-decoded signing secret. Two, separated by a space, while the secret is being rotated.',
    'v1,QM0xgBc4HGDXnUakpFfp5Vqkun3fQQ4623ixJKSuLP8=',
  ),
  CallbackId: header(
    'X-CALLBACK-ID',
    false,
    'With a username: lower-case hex HMAC-SHA-256 over timestamp + nonce + username. It signs no body.',
    'timestamp=1701234567;nonce=abc123;username=sandbox_demo;signature=cda5aac94f3e54ccd0654db64fb4d6c5216332eef346ab9ecb36dff071e62714',
  ),
};

const responses = {
  '2XX': { description: 'Accepted. The body is ignored, but its first 2 kB are kept for the log.' },
  '410': { description: 'Switches the endpoint off: nothing is posted to it any more.' },
  '429': {
    description: 'Tried again, not before `Retry-After` (seconds or a date, at most an hour). So is 503.',
    headers: { 'Retry-After': { description: 'Seconds, or an HTTP date.', schema: { type: 'string' } } },
  },
  default: {
    description:
      'Tried again by the schedule of the endpoint. So are redirects, which are not followed, and no answer in time.',
  },
};

export function describeWebhooks(webhooks: readonly Webhook[], book: SchemaBook): Json {
  return Object.fromEntries(webhooks.map((webhook) => [webhook.id, { post: describe(webhook, book) }]));
}

function describe({ id, summary, description, body, examples }: Webhook, book: SchemaBook): Json {
  return {
    operationId: id,
    tags: ['Callbacks'],
    summary,
    description,
    security: [],
    parameters: Object.keys(webhookParameters).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: book.describe(body),
          examples: Object.fromEntries(examples.map(({ name, value }) => [name, { summary: name, value }])),
        },
      },
    },
    responses,
  };
}
