/**
 * What an operator says about an HTTP gateway. The fields stand here, what concerns several of them together in settings-rules.ts.
 * Secrets have fields of their own and are named by placeholders elsewhere, so that everything else may be shown.
 */
import { z } from 'zod';
import { answerRule, idPlace } from './answer-settings.ts';
import { headerName } from './place.ts';
import type { HttpChannel } from './placeholders.ts';
import { settingsFaults } from './settings-rules.ts';
import { inboundSchema, receiptsSchema, webhookAnswerSchema, webhookAuthSchema } from './webhook-settings.ts';

const printable = z.string().regex(/^[!-~]{1,1000}$/, 'must be printable ASCII without blanks');
const headerValue = z
  .string()
  .max(1000)
  .regex(/^[!-~]([ -~]*[!-~])?$/, 'must be printable ASCII without blanks at the ends');
const password = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');

const authSchema = z.strictObject({
  type: z.enum(['none', 'basic', 'bearer']).meta({ title: 'Type', description: 'Of the Authorization header.' }),
  username: password
    .refine((name) => !name.includes(':'), 'must not contain a colon')
    .optional()
    .meta({ title: 'User name', description: 'For basic.' }),
  password: password.optional().meta({ title: 'Password', description: 'For basic.', secret: true }),
  token: printable.optional().meta({ title: 'Token', description: 'For bearer.', secret: true }),
});

const bodySchema = z.strictObject({
  type: z.enum(['json', 'form', 'text', 'xml']).meta({
    title: 'Type',
    description:
      'Says how values are escaped: json inside strings, form percent-encoded, xml as entities, text as they are.',
  }),
  template: z.string().min(1).max(20_000).meta({
    title: 'Template',
    description: 'The body with placeholders: {"to":"{{to}}","text":"{{text}}"} or to={{to}}&text={{text}}.',
  }),
});

const fields = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH']).default('POST').meta({
    title: 'Method',
    description: 'GET has no body; everything then stands in the address.',
  }),
  url: z.string().max(2000).meta({
    title: 'Address',
    description: 'Where messages are handed over; path and query may hold placeholders.',
  }),
  headers: z.record(headerName, headerValue).default({}).meta({
    title: 'Headers',
    description: 'Name → value. A secret goes into api_key or api_secret and is written {{api_key}} here.',
  }),
  auth: authSchema
    .default({ type: 'none' })
    .meta({ title: 'Authorization', description: 'Basic or bearer, if the gateway wants it.' }),
  api_key: printable.optional().meta({ title: 'API key', description: 'Wherever {{api_key}} stands.', secret: true }),
  api_secret: printable
    .optional()
    .meta({ title: 'API secret', description: 'Wherever {{api_secret}} stands.', secret: true }),
  body: bodySchema.optional().meta({ title: 'Body', description: 'Of the request.' }),
  sender: z
    .string()
    .max(100)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must not contain control characters')
    .optional()
    .meta({ title: 'Sender', description: '{{sender}} where the route names none.' }),
  languages: z.record(z.string().max(20), printable.max(50)).default({}).meta({
    title: 'Languages',
    description: "Our language → the gateway's {{language}}; absent: BCP 47, zh_CN is zh-CN.",
  }),
  id: idPlace.meta({ title: 'Id', description: "Where the gateway's id of the message stands in its answer." }),
  answers: z.array(answerRule).max(200).default([]).meta({
    title: 'Answers',
    description: 'Rules in order, the first that applies decides. Without one the HTTP status does.',
  }),
  idempotent: z.boolean().default(false).meta({
    title: 'Drops repeats',
    description: 'The gateway drops a request with a {{reference}} it knows: a lost answer is asked for once more.',
  }),
  receipts: receiptsSchema.optional().meta({ title: 'Receipts', description: 'What the gateway posts to …/status.' }),
  inbound: inboundSchema.optional().meta({
    title: 'Messages of people',
    description: 'What the gateway posts to …/inbound.',
  }),
  webhook_auth: webhookAuthSchema.prefault({ type: 'none' }).meta({
    title: 'Origin of webhooks',
    description: 'How a webhook proves that it comes from the gateway.',
  }),
  webhook_answer: webhookAnswerSchema.prefault({}).meta({
    title: 'Answer to webhooks',
    description: 'What the gateway reads when its webhook was taken.',
  }),
});
export type HttpSettings = z.infer<typeof fields>;

export const settingsOf = (channel: HttpChannel): z.ZodType<HttpSettings> =>
  fields.superRefine((settings, context) => {
    for (const { path, message } of settingsFaults(settings, channel))
      context.addIssue({ code: 'custom', path, message });
  });
