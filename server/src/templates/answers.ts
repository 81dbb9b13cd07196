/** What the template endpoints answer (contract §8, §11.4): the schemas, and how a stored revision is shown. */
import { z } from 'zod';
import { type Channel, channelNames } from '../channels/index.ts';
import { appendAutofill } from './autofill.ts';
import { strategyOf, type TemplateBody, templateFields } from './body.ts';
import { defaultText, writtenLanguages } from './default-texts.ts';
import { lintErrors, lintWarnings } from './finding.ts';
import { languageSchema } from './language.ts';
import { segment } from './segments.ts';
import type { TemplateRow } from './store.ts';
import { ownSmsText } from './template.ts';

const done = { code: z.literal(0), message: z.literal('success') };
export const doneSchema = z.looseObject(done);
export const success = { code: 0, message: 'success' } as const;

const statusSchema = z.literal([1, 2, 3]).describe('1 pending, 2 approved, 3 rejected.');
const revisionSchema = z.int().min(1);
const findingSchema = z.looseObject({
  code: z.enum([...lintErrors, ...lintWarnings]),
  level: z.enum(['error', 'warning']),
  channel: z.enum(channelNames).nullable(),
  language: languageSchema.nullable(),
  message: z.string(),
});

export const savedSchema = z.looseObject({
  ...done,
  template_id: z.string(),
  revision: revisionSchema,
  status: statusSchema,
  warnings: z.array(findingSchema),
});

const facts = {
  created_time: z.int().describe('Unix seconds.'),
  status: statusSchema.describe('Of the newest revision: 1 pending, 2 approved, 3 rejected.'),
  audit_remark: z.string(),
  revision: revisionSchema.describe('The newest revision.'),
  live_revision: revisionSchema.nullable().describe('The revision sends use; null: none.'),
  updated_time: z.int().describe('Unix seconds.'),
};
const { template_id, description, send_channel_strategy, brand_name, verify_code_config, pwa_config } = templateFields;
const head = { template_id, description, send_channel_strategy, brand_name, verify_code_config };
const builtIn = z.exactOptional(z.looseObject({ template_type: z.literal(1) }));
const parts = z.int().min(1).describe('Estimated billed parts: the most over all languages.');

export const summarySchema = z.looseObject({
  ...head,
  whatsapp_config: builtIn,
  sms_config: z.exactOptional(z.looseObject({ template_type: z.literal([1, 2]), template_parts: parts })),
  voice_config: builtIn,
  email_config: z.exactOptional(z.looseObject({ template_name: z.string() })),
  pwa_config,
  ...facts,
});
export type Summary = z.infer<typeof summarySchema>;

const { whatsapp_config, voice_config, email_config, fallback_wait_seconds, resend } = templateFields;
const smsDetail = z.looseObject({ ...templateFields.sms_config.unwrap().shape, template_parts: parts });
export const detailSchema = z.looseObject({
  ...head,
  whatsapp_config,
  sms_config: z.exactOptional(smsDetail),
  voice_config,
  email_config,
  pwa_config,
  fallback_wait_seconds,
  resend,
  ...facts,
});
export type Detail = z.infer<typeof detailSchema>;

export const previewSchema = z.looseObject({
  template_id: z.string(),
  revision: revisionSchema,
  renderings: z.array(
    z.looseObject({
      channel: z.enum(channelNames),
      language: languageSchema.describe('As asked for.'),
      text_language: languageSchema.describe('Of the text that serves it.'),
      subject: z.exactOptional(z.string()),
      text: z.string(),
      html: z.exactOptional(z.string()),
      encoding: z.enum(['GSM-7', 'UCS-2']).nullable().describe('Null for other channels than sms.'),
      length: z.int().describe('Septets for GSM-7, else UTF-16 units.'),
      segments: z.int().min(1).describe('Billed parts; 1 for other channels than sms.'),
      from: z.exactOptional(z.string()),
    }),
  ),
  warnings: z.array(findingSchema),
});
export type Preview = z.infer<typeof previewSchema>;

export const reviewedSchema = z.looseObject({
  application_id: z.string(),
  template_id: z.string(),
  revision: revisionSchema,
  status: statusSchema,
  live_revision: revisionSchema.nullable(),
});

export const queueSchema = z.looseObject({
  templates: z.array(
    z.looseObject({ application_id: z.string(), template: detailSchema, findings: z.array(findingSchema) }),
  ),
});

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/** Estimated billed SMS parts: the most over all languages, variables at their literal length (contract §9). */
export function templateParts(body: TemplateBody): number {
  const config = body.sms_config;
  const toggles = config?.template_default_config ?? { contain_expire: false, contain_security: false };
  const own = ownSmsText(body);
  const texts = own === undefined ? writtenLanguages.map((language) => defaultText(language, toggles)) : [own];
  const lines = { host: config?.web_otp_origin, hash: config?.android_app_hash };
  return Math.max(...texts.map((text) => segment(appendAutofill(text, '{{code}}', lines)).segments));
}

function factsOf(row: TemplateRow) {
  return {
    created_time: seconds(row.created_at),
    status: row.status,
    audit_remark: row.audit_remark,
    revision: row.revision,
    live_revision: row.live_revision,
    updated_time: seconds(row.updated_at),
  };
}

const pick = <Key extends keyof TemplateBody>(body: TemplateBody, keys: readonly Key[]): Pick<TemplateBody, Key> =>
  Object.fromEntries(keys.flatMap((key) => (body[key] === undefined ? [] : [[key, body[key]]]))) as Pick<
    TemplateBody,
    Key
  >;
const headKeys = ['template_id', 'description', 'send_channel_strategy', 'brand_name', 'verify_code_config'] as const;

/** One line of the list: of each config only what names it. */
export function summaryOf(row: TemplateRow): Summary {
  const { body } = row;
  const uses = (channel: Channel): boolean => strategyOf(body).includes(channel);
  return {
    ...pick(body, headKeys),
    ...(uses('whatsapp') && { whatsapp_config: { template_type: 1 as const } }),
    ...(uses('sms') &&
      body.sms_config && {
        sms_config: { template_type: body.sms_config.template_type, template_parts: templateParts(body) },
      }),
    ...(uses('voice') && { voice_config: { template_type: 1 as const } }),
    ...(uses('email') && body.email_config && { email_config: { template_name: body.email_config.template_name } }),
    ...pick(body, ['pwa_config']),
    ...factsOf(row),
  };
}

/** Everything that was saved on the channels in use, and how it stands. */
export function detailOf(row: TemplateRow): Detail {
  const { body } = row;
  const { template_type, ...sms } = body.sms_config ?? { template_type: 1 as const };
  const uses = (channel: Channel): boolean => strategyOf(body).includes(channel);
  return {
    ...pick(body, headKeys),
    ...(uses('whatsapp') && pick(body, ['whatsapp_config'])),
    ...(uses('sms') && { sms_config: { template_type, template_parts: templateParts(body), ...sms } }),
    ...(uses('voice') && pick(body, ['voice_config'])),
    ...(uses('email') && pick(body, ['email_config'])),
    ...pick(body, ['pwa_config', 'fallback_wait_seconds', 'resend']),
    ...factsOf(row),
  };
}
