/**
 * Which of Meta's template languages a text language becomes. Meta knows a closed list, with `_` before the region and a region only
 * for some languages; what is not on it (new ones come now and then) is named in the setting `language_map`.
 */

/** https://developers.facebook.com/docs/whatsapp/api/messages/message-templates, "Supported Languages". */
export const metaLanguages: ReadonlySet<string> = new Set(
  (
    'af sq ar az bn bg ca zh_CN zh_HK zh_TW hr cs da nl en en_GB en_US et fil fi fr ka de el gu ha he hi hu id ga it ja kn kk rw_RW ' +
    'ko ky_KG lo lv lt mk ms ml mr nb fa pl pt_BR pt_PT pa ro ru sr sk sl es es_AR es_ES es_MX sw sv ta te th tr uk ur uz vi zu'
  ).split(' '),
);

export interface LanguageChoice {
  /** Meta's code; used for `default` and for what has no counterpart. */
  default_language: string;
  /** Ours → Meta's; wins over the rules here. */
  language_map: Readonly<Record<string, string>>;
}

/** Meta's code for one of our languages (`default`, `zh_CN`) or any BCP 47 tag. Never fails: the last resort is the default. */
export function metaLanguage(language: string, { default_language, language_map }: LanguageChoice): string {
  const mapped = Object.hasOwn(language_map, language) ? language_map[language] : undefined;
  if (mapped !== undefined) return mapped;
  const locale = language === 'default' ? null : readLocale(language);
  const found = locale ? candidates(locale).find((code) => metaLanguages.has(code)) : undefined;
  return found ?? default_language;
}

/** Knows old tags too: `iw` becomes he, `tl` becomes fil. */
function readLocale(language: string): Intl.Locale | null {
  try {
    return new Intl.Locale(language.replaceAll('_', '-'));
  } catch {
    return null;
  }
}

function candidates(locale: Intl.Locale): string[] {
  const { language, region } = locale;
  if (language === 'zh' || language === 'yue') return [chinese(locale)];
  if (language === 'no' || language === 'nn') return ['nb'];
  // Only Brazil writes as Brazil does.
  if (language === 'pt') return [region === undefined || region === 'BR' ? 'pt_BR' : 'pt_PT'];
  return [`${language}_${region}`, language, `${language}_${locale.maximize().region}`];
}

function chinese({ language, script, region }: Intl.Locale): string {
  if (language === 'yue' || region === 'HK' || region === 'MO') return script === 'Hans' ? 'zh_CN' : 'zh_HK';
  if (script === 'Hans') return 'zh_CN';
  return script === 'Hant' || region === 'TW' ? 'zh_TW' : 'zh_CN';
}
