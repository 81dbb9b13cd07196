/**
 * Which authentication templates this adapter uses, what they are called and how they look. Wording is Meta's; ours to choose are the
 * security sentence, the expiry footer, the button and how long Meta keeps trying. The last lives on the template and not on the
 * message, so there is one template per class of code life, never longer than the code lives.
 */
import type { OutgoingMessage } from '../contract.ts';

export const buttonKinds = ['copy_code', 'one_tap', 'zero_tap'] as const;
export type ButtonKind = (typeof buttonKinds)[number];

/** Minutes a code can live with WhatsApp in the chain (contract §8.1). */
const lives = [1, 5, 10] as const;
type Life = (typeof lives)[number];

export interface TemplateClass {
  /** "For your security, do not share this code." */
  security: boolean;
  /** "This code expires in N minutes.", N being `minutes`. */
  expiry: boolean;
  /** How long Meta tries to deliver. */
  minutes: Life;
}

export interface AppIdentity {
  package_name: string;
  signature_hash: string;
}

export interface TemplateChoice {
  template_prefix: string;
  button: ButtonKind;
  supported_apps?: readonly AppIdentity[] | undefined;
}

/** Hand-overs begin a little after the code was made. */
const toleranceMs = 30_000;

/**
 * The class of one message: the longest that promises no more than the text and the rest of the code's life allow. So a message that is
 * sent late in that life does not tell of minutes that are gone, and is not delivered long after them.
 */
export function classOf(asked: OutgoingMessage['content']['whatsapp'], remainingMs: number): TemplateClass {
  const expireMinutes = asked?.expireMinutes ?? null;
  const left = Math.min(expireMinutes ?? Infinity, (remainingMs + toleranceMs) / 60_000);
  return {
    security: asked?.security ?? false,
    expiry: expireMinutes !== null,
    minutes: lives.findLast((minutes) => minutes <= left) ?? lives[0],
  };
}

/** Every class `classOf` can answer. */
export const templateClasses: readonly TemplateClass[] = [false, true].flatMap((security) =>
  [false, true].flatMap((expiry) => lives.map((minutes) => ({ security, expiry, minutes }))),
);

/** The one name of a class; lower case, digits and `_` as Meta wants them. */
export function templateName(choice: TemplateChoice, { security, expiry, minutes }: TemplateClass): string {
  const parts = [choice.template_prefix, choice.button, `${minutes}min`, expiry && 'expiry', security && 'security'];
  return parts.filter((part) => part !== false).join('_');
}

/** What creates the template: POST /{waba_id}/message_templates. */
export function templateRequest(choice: TemplateChoice, kind: TemplateClass, language: string): object {
  return {
    name: templateName(choice, kind),
    language,
    category: 'authentication',
    message_send_ttl_seconds: kind.minutes * 60,
    components: [
      { type: 'body', add_security_recommendation: kind.security },
      ...(kind.expiry ? [{ type: 'footer', code_expiration_minutes: kind.minutes }] : []),
      { type: 'buttons', buttons: [otpButton(choice, language)] },
    ],
  };
}

/** Without texts Meta labels the button in the language of the template; zero-tap wants them said. */
function otpButton({ button, supported_apps = [] }: TemplateChoice, language: string): object {
  const base = { type: 'otp', otp_type: button };
  if (button === 'copy_code') return base;
  if (button === 'one_tap') return { ...base, supported_apps };
  const [text, autofill_text] = labels[language] ?? englishLabels;
  return { ...base, text, autofill_text, zero_tap_terms_accepted: true, supported_apps };
}

const englishLabels = ['Copy code', 'Autofill'] as const;

/** Labels for copying and for filling in, at most 25 characters each. */
const labels: Readonly<Record<string, readonly [copy: string, autofill: string]>> = {
  zh_CN: ['复制验证码', '自动填充'],
  zh_HK: ['複製驗證碼', '自動填入'],
  zh_TW: ['複製驗證碼', '自動填入'],
  ja: ['コードをコピー', '自動入力'],
  th: ['คัดลอกรหัส', 'กรอกอัตโนมัติ'],
  es: ['Copiar código', 'Autocompletar'],
};

/** What sends it: the code stands in the body and again in the button, whose stored type is URL whatever its kind. */
export function templateMessage(name: string, language: string, code: string): object {
  const parameters = [{ type: 'text', text: code }];
  return {
    name,
    language: { code: language },
    components: [
      { type: 'body', parameters },
      { type: 'button', sub_type: 'url', index: '0', parameters },
    ],
  };
}
