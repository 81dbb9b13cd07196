/** What an operator says about the gateway's webhooks: what receipts and messages of people look like, and how they prove their origin. */
import { z } from 'zod';
import { reasons } from '../outcome.ts';
import { headerName, pointer } from './place.ts';

const value = z.string().min(1).max(100);
const values = z.array(value).max(100);
const reasonMap = z.record(value, z.enum(reasons));

const format = z.enum(['json', 'form', 'query']).meta({
  title: 'Format',
  description:
    'json and form are bodies of a POST; query stands in the address. A field of a form or query is /its-name.',
});
const list = pointer.optional().meta({
  title: 'List',
  description: 'Where several come at once: the JSON pointer of the list. A list at the root needs none.',
});

export const receiptsSchema = z
  .strictObject({
    format,
    list,
    id: pointer.optional().meta({ title: 'Id', description: "Where the gateway's id of the message stands." }),
    reference: pointer.optional().meta({
      title: 'Reference',
      description: 'Where our {{reference}} comes back. An address made by {{status_url}} brings it too.',
    }),
    status: pointer.meta({ title: 'Status', description: 'Where the status stands.' }),
    delivered: values.min(1).meta({ title: 'Delivered', description: 'Status values that mean: it arrived.' }),
    undelivered: reasonMap.default({}).meta({
      title: 'Undelivered',
      description: 'Status value that means: it will never arrive → reason.',
    }),
    pending: values.default([]).meta({
      title: 'On its way',
      description: 'Status values without a result. Any other unknown one is logged.',
    }),
    error: pointer
      .optional()
      .meta({ title: 'Error', description: 'Where the cause stands, if apart from the status.' }),
    errors: reasonMap.default({}).meta({
      title: 'Errors',
      description: 'Cause → reason; goes before the reason of the status.',
    }),
  })
  .refine(
    (receipts) =>
      [...receipts.delivered, ...receipts.pending].every((one) => !Object.hasOwn(receipts.undelivered, one)),
    {
      path: ['undelivered'],
      message: 'has a value that delivered or pending has too',
    },
  );
export type ReceiptSettings = z.infer<typeof receiptsSchema>;

export const inboundSchema = z.strictObject({
  format,
  list,
  id: pointer.optional().meta({
    title: 'Id',
    description: "Where the gateway's id of the message stands; without one, equal messages count once.",
  }),
  from: pointer.meta({ title: 'From', description: 'Where the number of the person stands, in international form.' }),
  to: pointer.meta({ title: 'To', description: 'Where the number or short code it was sent to stands.' }),
  text: pointer.meta({ title: 'Text', description: 'Where the text stands.' }),
});
export type InboundSettings = z.infer<typeof inboundSchema>;

const secret = z.string().min(1).max(512);
export const webhookAuthSchema = z
  .strictObject({
    type: z.enum(['none', 'hmac', 'basic', 'header']).meta({
      title: 'How webhooks prove their origin',
      description: 'none leaves it to the unguessable address.',
    }),
    header: headerName
      .optional()
      .meta({ title: 'Header', description: 'With the signature, or with the shared secret.' }),
    secret: secret
      .optional()
      .meta({ title: 'Secret', description: 'Key of the HMAC, password, or value of the header.', secret: true }),
    secret_previous: secret.optional().meta({
      title: 'Previous secret',
      description: 'Accepted too while the secret is being changed.',
      secret: true,
    }),
    username: z.string().min(1).max(200).optional().meta({ title: 'User name', description: 'For basic.' }),
    algorithm: z
      .enum(['sha1', 'sha256', 'sha512'])
      .default('sha256')
      .meta({ title: 'Algorithm', description: 'Of the HMAC.' }),
    encoding: z
      .enum(['hex', 'base64', 'base64url'])
      .default('hex')
      .meta({ title: 'Encoding', description: 'Of the HMAC in the header.' }),
    prefix: z
      .string()
      .max(50)
      .default('')
      .meta({ title: 'Prefix', description: 'In front of the HMAC in the header: "sha256=".' }),
    timestamp_header: headerName.optional().meta({
      title: 'Time header',
      description: 'With the signed time (unix seconds, milliseconds or RFC 3339); older than five minutes is refused.',
    }),
    payload: z.string().min(1).max(200).optional().meta({
      title: 'What is signed',
      description: 'Made of {{timestamp}} and {{body}}; {{timestamp}}.{{body}} where a time is signed, else {{body}}.',
    }),
  })
  .superRefine((auth, context) => {
    for (const [path, message] of authFaults(auth)) context.addIssue({ code: 'custom', path: [path], message });
  });

interface Auth {
  type: 'none' | 'hmac' | 'basic' | 'header';
  header?: string | undefined;
  secret?: string | undefined;
  username?: string | undefined;
  timestamp_header?: string | undefined;
  payload?: string | undefined;
}

function authFaults({
  type,
  header,
  secret: key,
  username,
  timestamp_header: time,
  payload,
}: Auth): [string, string][] {
  const faults: [string, string][] = [];
  if (type !== 'none' && key === undefined) faults.push(['secret', `is needed for ${type}`]);
  if ((type === 'hmac' || type === 'header') && header === undefined) faults.push(['header', `is needed for ${type}`]);
  if (type === 'basic' && username === undefined) faults.push(['username', 'is needed for basic']);
  if (type !== 'hmac' || payload === undefined) return faults;
  if (payload.split('{{body}}').length !== 2)
    faults.push(['payload', 'must hold {{body}} once, else nothing is proved']);
  if (payload.includes('{{timestamp}}') !== (time !== undefined))
    faults.push([
      'payload',
      'holds {{timestamp}} exactly where timestamp_header is given: a time that is not signed proves nothing',
    ]);
  return faults;
}

/** The shape with all defaults in, as the check of a webhook uses it. */
export type WebhookAuth = z.infer<typeof webhookAuthSchema>;

export const webhookAnswerSchema = z.strictObject({
  status: z
    .int()
    .min(200)
    .max(299)
    .default(200)
    .meta({ title: 'Status', description: 'HTTP status of a webhook that was taken.' }),
  type: z
    .string()
    .max(100)
    .regex(/^[\w.+-]+\/[\w.+-]+(; ?charset=[\w-]+)?$/, 'must be a media type')
    .default('text/plain')
    .meta({ title: 'Content type', description: 'Of the body.' }),
  body: z
    .string()
    .max(1000)
    .default('')
    .meta({ title: 'Body', description: 'Some gateways repeat until they read "OK".' }),
});
