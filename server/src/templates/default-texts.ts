/**
 * The built-in texts (contract §9): code first, then the two sentences a template may switch on, and the e-mail subject.
 * Used by whatsapp, sms and voice of template type 1 and by e-mail without own content.
 */
import type { Language } from './language.ts';

/** Languages with a text of their own; `default` is `en`. */
export const writtenLanguages = ['en', 'es', 'zh_CN', 'zh_HK', 'ja', 'th'] as const;
export type WrittenLanguage = (typeof writtenLanguages)[number];

export interface DefaultText {
  body: string;
  expire: string;
  security: string;
  subject: string;
  /** Between sentences. */
  joint: ' ' | '';
}

export const defaultTexts: Readonly<Record<WrittenLanguage, DefaultText>> = {
  en: {
    body: '{{code}} is your {{brand_name}} verification code.',
    expire: 'It expires in {{ttl}} min.',
    security: 'Do not share it with anyone.',
    subject: '{{brand_name}}: verification code',
    joint: ' ',
  },
  es: {
    body: '{{code}} es tu clave de {{brand_name}}.',
    expire: 'Caduca en {{ttl}} min.',
    security: 'No la compartas con nadie.',
    subject: '{{brand_name}}: código de verificación',
    joint: ' ',
  },
  zh_CN: {
    body: '{{code}} 是您的 {{brand_name}} 验证码。',
    expire: '{{ttl}} 分钟内有效。',
    security: '请勿告诉任何人。',
    subject: '{{brand_name}}：验证码',
    joint: '',
  },
  zh_HK: {
    body: '{{code}} 是您的 {{brand_name}} 驗證碼。',
    expire: '{{ttl}} 分鐘內有效。',
    security: '請勿告訴任何人。',
    subject: '{{brand_name}}：驗證碼',
    joint: '',
  },
  ja: {
    body: '{{code}} は {{brand_name}} の認証コードです。',
    expire: '有効期限は{{ttl}}分です。',
    security: '他の人に教えないでください。',
    subject: '{{brand_name}}：認証コード',
    joint: '',
  },
  th: {
    body: '{{code}} คือรหัสยืนยันของ {{brand_name}}',
    expire: 'ใช้ได้ภายใน {{ttl}} นาที',
    security: 'ห้ามบอกผู้อื่น',
    subject: '{{brand_name}}: รหัสยืนยัน',
    joint: ' ',
  },
};

export interface Toggles {
  contain_security: boolean;
  contain_expire: boolean;
}

export function writtenLanguage(language: Language): WrittenLanguage {
  return language === 'default' ? 'en' : language;
}

/** The text with its variables still in it: body, expiry sentence, security tip. */
export function defaultText(language: Language, toggles: Toggles): string {
  const text = defaultTexts[writtenLanguage(language)];
  const sentences = [text.body];
  if (toggles.contain_expire) sentences.push(text.expire);
  if (toggles.contain_security) sentences.push(text.security);
  return sentences.join(text.joint);
}
