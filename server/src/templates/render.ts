/**
 * The one renderer: sends, custom messages, previews and lint all get their texts here (contract §9). Pure.
 * What must stay true: a value is never expanded again, a preset wins over the caller, the origin line is the last one.
 */
import type { Channel, Content } from '../channels/index.ts';
import { appendAutofill } from './autofill.ts';
import type { EmailText } from './body.ts';
import { defaultText, defaultTexts, type Toggles, writtenLanguage } from './default-texts.ts';
import { htmlToText, looksLikeHtml } from './html.ts';
import { languageOf, pickLanguage } from './language.ts';
import { segment } from './segments.ts';
import { ownSmsText, type SendTemplate } from './template.ts';
import { escapeHtml, fillVariables, tooLong, type Values, valuesOf } from './variables.ts';

export interface RenderInput {
  /** One of the seven; anything else counts as `default`. */
  language: string;
  params: Readonly<Record<string, string>>;
  /** Null for a text without a code; `{{code}}` then stays literal. */
  code: string | null;
  /** The code's life; `{{ttl}}` shows whole minutes, rounded down, at least 1. Null leaves `{{ttl}}` literal. */
  ttlSeconds: number | null;
  /** Stands in for an absent brand name. */
  applicationName: string;
}

export type Renderable = Pick<SendTemplate, 'body' | 'brandName'>;

/**
 * One channel's text in the asked language, or the one that stands in for it. A channel outside the template's strategy, or one
 * without a config, gets the built-in text: a sandbox script may replace the chain.
 */
export function renderContent(template: Renderable, channel: Channel, input: RenderInput): Content {
  switch (channel) {
    case 'sms':
      return renderSms(template, input);
    case 'email':
      return renderEmail(template, input);
    case 'whatsapp':
      return renderWhatsApp(template, input);
    case 'voice':
      return renderVoice(template, input);
  }
}

/** 1,530 as they are written (contract §8.1), with room for values and the lines of autofill: an SMS is paid for by the part. */
const maxSms = 2_000;
/** A line of RFC 5322. */
const maxHeader = 998;

/** What may be sent of it. Throws 5014 where the values made it too long. */
export function renderSendable(template: Renderable, channel: Channel, input: RenderInput): Content {
  const content = renderContent(template, channel, input);
  if (channel === 'sms' && content.text.length > maxSms) throw tooLong(maxSms);
  if ([content.subject, content.fromName].some((header = '') => header.length > maxHeader)) throw tooLong(maxHeader);
  return content;
}

function valuesFor(template: Renderable, input: RenderInput, defaults?: Readonly<Record<string, string>>): Values {
  const { code, ttlSeconds } = input;
  const presets = {
    code,
    brand_name: template.brandName ?? input.applicationName,
    ttl: ttlSeconds === null ? null : String(minutesOf(ttlSeconds)),
    // No pattern for it is configured anywhere, and without one it is empty (contract §8.1).
    pwa_url: '',
  };
  return valuesOf(presets, input.params, defaults);
}

/** Whole minutes, rounded down, at least 1. */
const minutesOf = (seconds: number): number => Math.max(1, Math.floor(seconds / 60));

const allOn: Toggles = { contain_expire: true, contain_security: true };

function togglesOf(template: Renderable, channel: 'whatsapp' | 'sms' | 'voice'): Toggles {
  return template.body[`${channel}_config`]?.template_default_config ?? allOn;
}

function renderBuiltIn(asked: string, toggles: Toggles, values: Values): Content {
  const language = languageOf(asked);
  return { text: fillVariables(defaultText(language, toggles), values), language: writtenLanguage(language) };
}

/** WhatsApp has texts of its own for codes; what they say is chosen by the same switches. */
function renderWhatsApp(template: Renderable, input: RenderInput): Content {
  const toggles = togglesOf(template, 'whatsapp');
  const { code, ttlSeconds } = input;
  const expires = toggles.contain_expire && code !== null && ttlSeconds !== null;
  return {
    ...renderBuiltIn(input.language, toggles, valuesFor(template, input)),
    whatsapp: { security: toggles.contain_security, expireMinutes: expires ? minutesOf(ttlSeconds) : null },
  };
}

function renderSms(template: Renderable, input: RenderInput): Content {
  const values = valuesFor(template, input);
  const own = ownSmsText(template.body);
  const content: Content =
    own === undefined
      ? renderBuiltIn(input.language, togglesOf(template, 'sms'), values)
      : { text: fillVariables(own, values), language: 'default' };
  const config = template.body.sms_config;
  const text =
    input.code === null
      ? content.text
      : appendAutofill(content.text, input.code, { host: config?.web_otp_origin, hash: config?.android_app_hash });
  const from = input.params['from_id'] || config?.from_id;
  const dlt = config?.dlt && { entityId: config.dlt.entity_id, templateId: config.dlt.template_id };
  return {
    ...content,
    text,
    segments: segment(text).segments,
    ...(from !== undefined && { from }),
    ...(dlt && { dlt }),
  };
}

/** `482913` → `4, 8, 2, 9, 1, 3`; spaces and hyphens of a caller's own code are not spoken. */
function spokenCode(code: string): string {
  const spoken = code.replace(/[ -]/g, '');
  return [...(spoken === '' ? code : spoken)].join(', ');
}

function renderVoice(template: Renderable, input: RenderInput): Content {
  const code = input.code === null ? null : spokenCode(input.code);
  const values = valuesFor(template, { ...input, code });
  const content = renderBuiltIn(input.language, togglesOf(template, 'voice'), values);
  const { joint } = defaultTexts[writtenLanguage(languageOf(input.language))];
  return { ...content, text: `${content.text}${joint}${content.text}` };
}

function renderEmail(template: Renderable, input: RenderInput): Content {
  const own = pickEmailText(template.body.email_config?.template_custom_configs ?? [], input.language);
  if (own) return renderOwnEmail(template, own, input);
  const values = valuesFor(template, input);
  const { subject } = defaultTexts[writtenLanguage(languageOf(input.language))];
  return { ...renderBuiltIn(input.language, allOn, values), subject: oneLine(fillVariables(subject, values)) };
}

/** Where neither the asked language nor `default` nor `en` was written, the first text is better than none. */
function pickEmailText(texts: readonly EmailText[], asked: string): EmailText | undefined {
  const language = pickLanguage(languageOf(asked), new Set(texts.map((text) => text.language)));
  return texts.find((text) => text.language === language) ?? texts[0];
}

function renderOwnEmail(template: Renderable, own: EmailText, input: RenderInput): Content {
  const values = valuesFor(template, input, own.pre_param_map);
  const content = own.template_content;
  const isHtml = looksLikeHtml(content);
  const fromName = oneLine(fillVariables(own.pre_from_name ?? '', values));
  return {
    text: fillVariables(isHtml ? htmlToText(content) : content, values),
    language: own.language,
    subject: oneLine(fillVariables(own.pre_subject, values)),
    ...(isHtml && { html: fillVariables(content, values, escapeHtml) }),
    from: own.pre_from_mail,
    ...(fromName !== '' && { fromName }),
  };
}

/** A value with a line end in it must not become a header of its own. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
