/**
 * The wire body of a template (contract §8.1): the one description behind validation, storage, OpenAPI and docs. A wrong type or
 * range is refused here (3002); what concerns several fields together is in rules.ts (3003). Stored as it is parsed here.
 */
import { z } from 'zod';
import { type Channel, channelNames } from '../channels/index.ts';
import { resendRuleSchema } from '../policy.ts';
import { variableMark } from './dlt.ts';
import { languageSchema } from './language.ts';

// Neither a phone nor a jsonb column takes control characters or lone surrogates.
const unprintable = /[\p{Cc}\p{Cs}]/u;
const isLine = (text: string): boolean => !unprintable.test(text);
const isLines = (text: string): boolean => isLine(text.replace(/[\t\n\r]/g, ''));
const printable = 'must not contain control characters';
const line = (min: number, max: number) => z.string().min(min).max(max).refine(isLine, printable);
const lines = (min: number, max: number) => z.string().min(min).max(max).refine(isLines, printable);

// A part of a path that is "." or ".." is resolved by clients, so nobody could ask for such a template.
const templateIdSchema = line(1, 128)
  .regex(/^[^/?#]*$/, 'must not contain "/", "?" or "#"')
  .refine((text) => text !== '.' && text !== '..', 'must not be "." or ".."');
export const isTemplateId = (text: string): boolean => templateIdSchema.safeParse(text).success;

/** Free text of a person, such as a review remark. */
export const remarkSchema = lines(0, 500);

/** Values for a template's custom variables, as sends and previews take them (contract §4). */
export const paramsSchema = z
  .record(z.string().regex(/^[A-Za-z0-9_]{1,64}$/, 'must be 1 to 64 letters, digits or underscores'), lines(0, 1024))
  .refine((params) => Object.keys(params).length <= 50, 'at most 50 entries');

const channel = `(?:${channelNames.join('|')})`;
const strategy = z
  .string()
  .max(64)
  .regex(
    new RegExp(`^(?:${channel}(?:\\|${channel})*)?$`),
    'must be whatsapp, sms, email or voice, or several of them joined with "|"',
  );

const codeConfig = z.object({
  verify_code_type: z.int().min(1).max(7).describe('Bits: 1 digits, 2 lower case, 4 upper case.'),
  verify_code_len: z.int().min(4).max(10),
  verify_code_ttl: z.int().min(1).max(10).describe('Minutes; with whatsapp in the chain only 1, 5 or 10.'),
});
const toggles = z.object({ contain_security: z.boolean().default(false), contain_expire: z.boolean().default(false) });

const dltId = z.string().regex(/^\d{1,30}$/, 'must be 1 to 30 digits');
const maxDltVariables = 30;
const dlt = z.object({
  entity_id: dltId.describe('Principal entity id.'),
  template_id: dltId.describe('Id of the registered text.'),
  text: lines(1, 1530)
    .refine(
      (text) => text.split(variableMark).length <= maxDltVariables + 1,
      `must not have more than ${maxDltVariables} {#var#}`,
    )
    .describe('The registered text, {#var#} where a value stands. The SMS must match it to the letter.'),
});

export const smsSubTypes = ['authentication', 'utility', 'marketing'] as const;
const smsConfig = z.object({
  template_type: z.literal([1, 2]).describe('1 built-in text, 2 own text.'),
  template_default_config: z.exactOptional(toggles),
  template_custom_config: z.exactOptional(
    z.object({
      custom_sub_type: z.enum(smsSubTypes),
      custom_content: lines(1, 1530),
      custom_country_codes: z.exactOptional(line(0, 1024).describe('Comma list, a hint for the reviewer.')),
    }),
  ),
  web_otp_origin: z.exactOptional(
    line(1, 300).describe('https://host or host: appends the line a browser fills in from.'),
  ),
  android_app_hash: z.exactOptional(
    line(1, 64).describe('Eleven characters of base64: appends the line Android fills in from.'),
  ),
  from_id: z.exactOptional(line(1, 32).describe('Sender asked for.')),
  dlt: z.exactOptional(dlt.describe('India: what is registered with the operators.')),
});
const builtInConfig = z.object({ template_type: z.literal(1), template_default_config: toggles });

const mailbox = line(3, 254).regex(
  /^[^\s@<>"(),:;]{1,64}@[^\s@<>"(),:;]+\.[^\s@<>"(),:;]+$/,
  'must be an e-mail address',
);
const emailText = z.object({
  language: languageSchema,
  pre_from_name: z.exactOptional(line(0, 128)),
  pre_from_mail: mailbox,
  pre_subject: line(1, 255),
  template_content: lines(1, 65_536).describe('Text or HTML.'),
  pre_param_map: z.exactOptional(paramsSchema.describe('Default values of variables.')),
});
const emailConfig = z.object({
  template_name: line(1, 128),
  template_custom_configs: z
    .array(emailText)
    .max(50)
    .default([])
    .describe('Empty: built-in text and the application’s sender.'),
});

const wait = z.int().min(5).max(600);
const resendShape = resendRuleSchema.shape;
const resend = z.object({
  mode: z.exactOptional(resendShape.mode.unwrap()),
  n: z.exactOptional(resendShape.n.unwrap()),
  resend_after: z.exactOptional(resendShape.resend_after.unwrap()),
  max_sends: z.exactOptional(resendShape.max_sends.unwrap()),
  window_seconds: z.exactOptional(resendShape.window_seconds.unwrap()),
});

const fields = {
  template_id: templateIdSchema,
  description: z.exactOptional(line(0, 255).describe('Shown as the name.')),
  send_channel_strategy: strategy.describe('One channel, or a chain joined with "|" that is tried in that order.'),
  brand_name: z.exactOptional(line(2, 10).describe('Fills {{brand_name}}; absent: the name of the application.')),
  verify_code_config: z.exactOptional(codeConfig.describe('Required if a text contains {{code}}.')),
  whatsapp_config: z.exactOptional(builtInConfig),
  sms_config: z.exactOptional(smsConfig),
  voice_config: z.exactOptional(builtInConfig),
  email_config: z.exactOptional(emailConfig),
  pwa_config: z.exactOptional(
    z.object({ pwa_platform: z.exactOptional(line(0, 128)), pwa_code: z.exactOptional(line(0, 512)) }),
  ),
  fallback_wait_seconds: z.exactOptional(
    z.union([wait, z.partialRecord(z.enum(channelNames), wait)]).describe('For all channels, or per channel.'),
  ),
  resend: z.exactOptional(resend),
};
/** Also the shapes that answers show again. */
export const templateFields = fields;

/** As stored; what the platform seeds itself keeps the texts of channels outside the strategy. */
export const storedBodySchema = z.object(fields);
export type TemplateBody = z.infer<typeof storedBodySchema>;
export type EmailText = z.infer<typeof emailText>;

/** Configs of channels outside the strategy are accepted, whatever they hold, and ignored (contract §8.1). */
function dropUnusedConfigs(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const used = (body as Record<string, unknown>)['send_channel_strategy'];
  if (typeof used !== 'string' || !strategy.safeParse(used).success) return body;
  const unused = channelNames.filter((name) => !used.split('|').includes(name)).map((name) => `${name}_config`);
  return Object.fromEntries(Object.entries(body).filter(([name]) => !unused.includes(name)));
}

export const templateBodySchema = z.preprocess(dropUnusedConfigs, storedBodySchema);

/** Body of an update: the id may be left out. */
export const templateUpdateSchema = z.preprocess(
  dropUnusedConfigs,
  z.object({
    ...fields,
    template_id: z.exactOptional(templateIdSchema),
    withdraw: z.exactOptional(z.boolean().describe('Stop sending with the approved revision at once.')),
  }),
);
export type TemplateUpdate = z.infer<typeof templateUpdateSchema>;

/** The channels in the order they are tried. */
export function strategyOf(body: Pick<TemplateBody, 'send_channel_strategy'>): Channel[] {
  const names = body.send_channel_strategy.split('|');
  return names.flatMap((name) => channelNames.filter((known) => known === name));
}
