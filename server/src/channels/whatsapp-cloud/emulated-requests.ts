/**
 * The emulator's reading of requests, as strict as Meta: every field, type and bound, and the answer a breach of them gets. Written
 * against Meta's documents and not against the adapter. Only tests use it.
 */
import { z } from 'zod';
import { metaLanguages } from './languages.ts';

export interface Refusal {
  status: number;
  code: number;
  message: string;
  details: string;
}

export interface StoredTemplate {
  name: string;
  language: string;
  status: string;
  category: string;
  ttlSeconds: number;
  request: object;
}

export interface TakenMessage {
  to: string;
  reference: string | undefined;
  name: string;
  language: string;
  code: string;
}

const refusal = (code: number, message: string, details: string, status = 400): Refusal => ({
  status,
  code,
  message: `(#${code}) ${message}`,
  details,
});

export const isRefusal = (one: object): one is Refusal => 'details' in one;

const parameters = z.array(z.strictObject({ type: z.literal('text'), text: z.string().min(1) }));

const send = z.strictObject({
  messaging_product: z.literal('whatsapp'),
  recipient_type: z.literal('individual'),
  to: z.string(),
  type: z.literal('template'),
  biz_opaque_callback_data: z.string().max(512).optional(),
  template: z.strictObject({
    name: z.string(),
    language: z.strictObject({ code: z.string() }),
    components: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('body'), parameters }),
        z.strictObject({
          type: z.literal('button'),
          sub_type: z.literal('url'),
          index: z.literal('0'),
          parameters,
        }),
      ]),
    ),
  }),
});

export function readSend(body: unknown, templates: ReadonlyMap<string, StoredTemplate>): Refusal | TakenMessage {
  const read = send.safeParse(body);
  if (!read.success) return refusal(100, 'Invalid parameter', `Unexpected ${read.error.issues[0]?.path.join('.')}`);
  const { to, template, biz_opaque_callback_data: reference } = read.data;
  if (!/^[1-9]\d{6,14}$/.test(to))
    return refusal(131009, 'Parameter value is not valid', `Recipient ${to} is no number`);
  const { name, language, components } = template;
  const stored = templates.get(`${name} ${language.code}`);
  const fault = faultOf(stored, name, language.code);
  if (fault) return fault;
  const [first, second, ...others] = components;
  const inBody = first?.type === 'body' ? first.parameters : [];
  const inButton = second?.type === 'button' ? second.parameters : [];
  if (inBody.length !== 1 || inButton.length !== 1 || others.length > 0)
    return refusal(
      132000,
      'Number of parameters does not match',
      'body: number of localizable_params (0) does not match 1',
    );
  const code = inBody[0]?.text ?? '';
  if (code !== inButton[0]?.text || code.length > 15)
    return refusal(131009, 'Parameter value is not valid', `components: the value ${code} is not valid here`);
  return { to, reference, name, language: language.code, code };
}

function faultOf(stored: StoredTemplate | undefined, name: string, language: string): Refusal | undefined {
  if (stored?.status === 'PAUSED') return refusal(132015, 'Template is paused', `${name} is paused`);
  if (stored?.status === 'DISABLED') return refusal(132016, 'Template is disabled', `${name} is disabled`);
  if (stored?.status === 'APPROVED') return undefined;
  return refusal(132001, 'Template name does not exist in the translation', `template (${name}) in ${language}`, 404);
}

const label = z.string().min(1).max(25);
const apps = z
  .array(
    z.strictObject({
      package_name: z.string().regex(/^[A-Za-z]\w*(\.\w+)+$/),
      signature_hash: z.string().length(11),
    }),
  )
  .min(1)
  .max(5);

const otpButton = z.discriminatedUnion('otp_type', [
  z.strictObject({ type: z.literal('otp'), otp_type: z.literal('copy_code'), text: label.optional() }),
  z.strictObject({
    type: z.literal('otp'),
    otp_type: z.literal('one_tap'),
    text: label.optional(),
    autofill_text: label.optional(),
    supported_apps: apps,
  }),
  z.strictObject({
    type: z.literal('otp'),
    otp_type: z.literal('zero_tap'),
    text: label,
    autofill_text: label,
    zero_tap_terms_accepted: z.literal(true),
    supported_apps: apps,
  }),
]);

const component = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('body'), add_security_recommendation: z.boolean().optional() }),
  z.strictObject({ type: z.literal('footer'), code_expiration_minutes: z.int().min(1).max(90) }),
  z.strictObject({ type: z.literal('buttons'), buttons: z.array(otpButton).length(1) }),
]);

const creation = z.strictObject({
  name: z.string().regex(/^[a-z0-9_]{1,512}$/),
  language: z.string().refine((code) => metaLanguages.has(code)),
  category: z.string().regex(/^authentication$/i),
  message_send_ttl_seconds: z.int().min(30).max(900).default(600),
  components: z
    .array(component)
    .refine((all) => /^body (footer )?buttons$/.test(all.map(({ type }) => type).join(' '))),
});

export function readCreation(body: unknown, templates: ReadonlyMap<string, StoredTemplate>): Refusal | StoredTemplate {
  const read = creation.safeParse(body);
  if (!read.success) return refusal(100, 'Invalid parameter', `Unexpected ${read.error.issues[0]?.path.join('.')}`);
  const { name, language, message_send_ttl_seconds: ttlSeconds } = read.data;
  if (templates.has(`${name} ${language}`))
    return refusal(100, 'Invalid parameter', 'Content in this language already exists');
  return { name, language, status: 'PENDING', category: 'AUTHENTICATION', ttlSeconds, request: body as object };
}
