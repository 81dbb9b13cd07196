/** What lint reports: the codes of contract §9, and which of them refuse a save. */
import type { Channel } from '../channels/index.ts';
import type { Language } from './language.ts';

export const lintErrors = [
  'missing_code',
  'not_compliant',
  'web_otp_host',
  'android_hash',
  'autofill_without_code',
  'voice_mixed_case',
  'dlt_mismatch',
] as const;
export const lintWarnings = [
  'unknown_variable',
  'over_one_part',
  'ucs2_forced',
  'android_over_140_bytes',
  'autofill_conflict',
  'url_in_text',
  'link_shortener',
  'bracket_characters',
  'test_word',
  'ambiguous_letters',
  'dlt_one_language',
] as const;
export type LintCode = (typeof lintErrors)[number] | (typeof lintWarnings)[number];

/** A type and not an interface, so that it fits the open schema of the answers. */
export type Finding = {
  code: LintCode;
  level: 'error' | 'warning';
  /** Null where the finding is about no single channel. */
  channel: Channel | null;
  /** Null where one text serves all languages. */
  language: Language | null;
  message: string;
};

export interface LintContext {
  /** Stands in for an absent brand name. */
  applicationName: string;
  /** Values a preview gives; their variables are known. */
  params?: Readonly<Record<string, string>>;
}

const isError = (code: LintCode): boolean => lintErrors.some((error) => error === code);

/** One finding; the level follows from the code. */
export function finding(code: LintCode, channel: Channel | null, language: Language | null, message: string): Finding {
  return { code, level: isError(code) ? 'error' : 'warning', channel, language, message };
}
