/** The words templates may hold, and what each stands for in one hand-over. */
import type { Channel, OutgoingMessage } from '../contract.ts';
import type { Values } from './template.ts';

const credentials = ['api_key', 'api_secret'] as const;
const facts = ['to', 'to_digits', 'reference', 'message_id', 'language', 'expires_in', 'status_url'] as const;
const registered = ['dlt_entity_id', 'dlt_template_id'] as const;
const texts = ['text', 'code', 'sender'] as const;
export type HttpChannel = Extract<Channel, 'sms' | 'voice'>;

export const placeholdersOf = (channel: HttpChannel): readonly string[] => [
  ...texts,
  ...(channel === 'voice' ? ['spoken'] : []),
  ...facts,
  ...registered,
  ...credentials,
];
/** Free texts have no place in a header: their letters would not survive it. */
export const headerPlaceholders: readonly string[] = [...facts, ...registered, ...credentials];

export interface Known {
  sender?: string | undefined;
  api_key?: string | undefined;
  api_secret?: string | undefined;
  languages: Readonly<Record<string, string>>;
}

/** `statusUrl` gets the reference. What a message does not have is empty. */
export function valuesOf(message: OutgoingMessage, known: Known, statusUrl: string, nowMs: number): Values {
  const { content, to, reference, messageId, expiresAtMs } = message;
  return new Map([
    ['to', to],
    ['to_digits', to.replace(/\D/g, '')],
    ['text', content.text],
    ['code', message.code ?? ''],
    ['spoken', spell(message.code ?? '')],
    ['sender', message.sender ?? known.sender ?? ''],
    ['language', languageTag(content.language, known.languages)],
    ['reference', reference],
    ['message_id', messageId],
    ['expires_in', String(Math.max(1, Math.floor((expiresAtMs - nowMs) / 1000)))],
    ['status_url', statusUrl],
    ['dlt_entity_id', content.dlt?.entityId ?? ''],
    ['dlt_template_id', content.dlt?.templateId ?? ''],
    ['api_key', known.api_key ?? ''],
    ['api_secret', known.api_secret ?? ''],
  ]);
}

/** `4, 8, 2, 9, 1, 3`: voices pause at a comma. Blanks and hyphens of a caller's own code are not spoken. */
const spell = (code: string): string => [...(code.replace(/[\s-]/g, '') || code)].join(', ');

/** As the operator maps it, else the tag of BCP 47. */
function languageTag(language: string, languages: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(languages, language)) return languages[language] ?? '';
  return language === 'default' ? 'en' : language.replaceAll('_', '-');
}

/** Two fillings that try whether a template stays whole: with everything a value can hold, and with everything empty that can be. */
export const samples: readonly Values[] = [sampleOf('a"b\\c\n\u2028é'), sampleOf('')];

function sampleOf(text: string): Values {
  const always = { to_digits: '6591234567', message_id: '2072832692843466759', expires_in: '300' };
  const names = [...placeholdersOf('voice'), ...credentials];
  return new Map([...names.map((name): [string, string] => [name, text]), ...Object.entries(always)]);
}
