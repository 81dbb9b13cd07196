/**
 * The seven language names of the contract (§4) and which text serves a language that has none of its own:
 * the asked one, then `default`, then `en`.
 */
import { z } from 'zod';

export const languages = ['default', 'zh_CN', 'zh_HK', 'en', 'ja', 'th', 'es'] as const;
export type Language = (typeof languages)[number];
export const languageSchema = z.enum(languages);

/** The language whose text is shown for `asked`, out of those that exist; null when neither it, `default` nor `en` exists. */
export function pickLanguage(asked: Language, available: ReadonlySet<Language>): Language | null {
  return ([asked, 'default', 'en'] as const).find((language) => available.has(language)) ?? null;
}

export const languageOf = (text: string): Language => languages.find((language) => language === text) ?? 'default';
