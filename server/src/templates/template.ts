/**
 * What follows from a template's body: its own texts, whether it carries a code, of which kind it is, and the form in which
 * sends use it. Pure.
 */
import type { Channel } from '../channels/index.ts';
import { channelNames } from '../channels/index.ts';
import type { ResendRule } from '../policy.ts';
import { webOtpHost } from './autofill.ts';
import { type EmailText, type smsSubTypes, strategyOf, type TemplateBody } from './body.ts';
import type { Language } from './language.ts';
import { mentionsCode } from './variables.ts';

export interface CodeConfig {
  /** Bits: 1 digits, 2 lower case, 4 upper case. */
  type: number;
  length: number;
  ttlMinutes: number;
}

export type SubType = (typeof smsSubTypes)[number];

/** The newest approved revision of a template, as sends see it. */
export interface SendTemplate {
  templateId: string;
  revision: number;
  strategy: readonly Channel[];
  /** Null for a template whose texts carry no code. */
  codeConfig: CodeConfig | null;
  subType: SubType;
  resend: Partial<ResendRule>;
  fallbackWaitSeconds: Partial<Record<Channel, number>>;
  brandName: string | null;
  body: TemplateBody;
}

/** A text the customer wrote; `language` is null where one text serves all. */
export type OwnText =
  | { channel: 'sms'; language: null; text: string }
  | { channel: 'email'; language: Language; text: string; email: EmailText };

/** The customer's own texts on the channels in use. */
export function ownTexts(body: TemplateBody): OwnText[] {
  const texts: OwnText[] = [];
  for (const channel of strategyOf(body)) {
    const content = ownSmsText(body);
    if (channel === 'sms' && content !== undefined) texts.push({ channel, language: null, text: content });
    if (channel === 'email')
      for (const email of body.email_config?.template_custom_configs ?? [])
        texts.push({ channel, language: email.language, text: email.template_content, email });
  }
  return texts;
}

export function ownSmsText(body: TemplateBody): string | undefined {
  return body.sms_config?.template_type === 2 ? body.sms_config.template_custom_config?.custom_content : undefined;
}

/** Whether a channel in use shows the built-in text, which always has the code. */
const usesBuiltIn = (body: TemplateBody): boolean => {
  const own = new Set(ownTexts(body).map((text) => text.channel as Channel));
  return strategyOf(body).some((channel) => !own.has(channel));
};

/** The code may stand in an e-mail's subject instead of its content. */
export const textHasCode = (own: OwnText): boolean =>
  mentionsCode(own.text) || (own.channel === 'email' && mentionsCode(own.email.pre_subject));

/** Whether any text of the template shows a code; only then is it of verification-code type. */
export const carriesCode = (body: TemplateBody): boolean => usesBuiltIn(body) || ownTexts(body).some(textHasCode);

/** What an SMS text of the customer says it is; else authentication where a code is configured or shown. */
export function subTypeOf(body: TemplateBody): SubType {
  const sms = strategyOf(body).includes('sms') && ownSmsText(body) !== undefined ? body.sms_config : undefined;
  const declared = sms?.template_custom_config?.custom_sub_type;
  return declared ?? (body.verify_code_config || carriesCode(body) ? 'authentication' : 'utility');
}

/** A `verify_code_config` of a template that shows no code means nothing. */
export function codeConfigOf(body: TemplateBody): CodeConfig | null {
  const config = body.verify_code_config;
  if (!config || !carriesCode(body)) return null;
  return { type: config.verify_code_type, length: config.verify_code_len, ttlMinutes: config.verify_code_ttl };
}

function fallbackWaitsOf(body: TemplateBody): Partial<Record<Channel, number>> {
  const wait = body.fallback_wait_seconds ?? {};
  return typeof wait === 'number' ? Object.fromEntries(channelNames.map((channel) => [channel, wait])) : wait;
}

export function toSendTemplate(revision: number, body: TemplateBody): SendTemplate {
  return {
    templateId: body.template_id,
    revision,
    strategy: strategyOf(body),
    codeConfig: codeConfigOf(body),
    subType: subTypeOf(body),
    resend: body.resend ?? {},
    fallbackWaitSeconds: fallbackWaitsOf(body),
    brandName: body.brand_name ?? null,
    body,
  };
}

/** As stored: `web_otp_origin` becomes its lower-case host. */
export function normalise(body: TemplateBody): TemplateBody {
  const origin = body.sms_config?.web_otp_origin;
  const host = origin === undefined ? null : webOtpHost(origin);
  return body.sms_config && host !== null
    ? { ...body, sms_config: { ...body.sms_config, web_otp_origin: host } }
    : body;
}

/** The code a preview shows: the first characters of `1234567890`, or of `abcdefghij` in the right case (contract §11.4). */
export function sampleCode(config: Pick<CodeConfig, 'type' | 'length'>): string {
  if (config.type === 1) return '1234567890'.slice(0, config.length);
  const letters = 'abcdefghij'.slice(0, config.length);
  return (config.type & 2) === 2 ? letters : letters.toUpperCase();
}
