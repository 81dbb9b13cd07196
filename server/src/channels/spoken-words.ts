/**
 * Our own words in a call, per language, and which voice a language name asks for: the seven names of the contract (§4) and any
 * BCP-47 tag. Rates are below the voices' own pace, lowest where voices run numbers together.
 */

export interface SpokenWords {
  /** Asks for the key `listenKey`. */
  prompt: string;
  again: string;
  /** In place of a code that has expired or is used. */
  gone: string;
  goodbye: string;
  /** SSML prosody rate of a code. */
  rate: string;
}

const words = {
  en: {
    prompt: 'Press 1 to hear your code.',
    again: 'Once again:',
    gone: 'This code is no longer valid.',
    goodbye: 'Goodbye.',
    rate: '90%',
  },
  es: {
    prompt: 'Pulse 1 para escuchar su código.',
    again: 'Otra vez:',
    gone: 'Este código ya no es válido.',
    goodbye: 'Adiós.',
    rate: '80%',
  },
  zhHans: {
    prompt: '请按 1 收听您的验证码。',
    again: '再说一遍：',
    gone: '此验证码已失效。',
    goodbye: '再见。',
    rate: '80%',
  },
  zhHant: {
    prompt: '請按 1 收聽您的驗證碼。',
    again: '再說一遍：',
    gone: '此驗證碼已失效。',
    goodbye: '再見。',
    rate: '80%',
  },
  ja: {
    prompt: '認証コードをお聞きになるには、1 を押してください。',
    again: 'もう一度お伝えします。',
    gone: 'この認証コードは無効になりました。',
    goodbye: '失礼いたします。',
    rate: '85%',
  },
  th: {
    prompt: 'กด 1 เพื่อฟังรหัสของคุณ',
    again: 'ขอทวนอีกครั้ง',
    gone: 'รหัสนี้ใช้ไม่ได้แล้ว',
    goodbye: 'สวัสดี',
    rate: '85%',
  },
} as const satisfies Record<string, SpokenWords>;

/** Language alone → the region its voices are listed under. */
const usualTags: Readonly<Record<string, string>> = {
  default: 'en-US',
  en: 'en-US',
  es: 'es-ES',
  ja: 'ja-JP',
  th: 'th-TH',
  zh: 'zh-CN',
  'zh-Hans': 'zh-CN',
  'zh-Hant': 'zh-TW',
  cmn: 'zh-CN',
  yue: 'zh-HK',
  'yue-HK': 'zh-HK',
  'yue-Hant-HK': 'zh-HK',
};

/** Stands in where a language has no words here, and where a name is no language at all. */
export const english: { locale: string; words: SpokenWords } = { locale: 'en-US', words: words.en };

/** Voice and words for a language name: one of ours or a BCP-47 tag. Without `words` for languages there are none in. */
export function wordsFor(language: string): { locale: string; words: SpokenWords | undefined } {
  const tag = canonical(language.replaceAll('_', '-'));
  const locale = usualTags[tag] ?? tag;
  return { locale, words: wordsOf(new Intl.Locale(locale)) };
}

function canonical(tag: string): string {
  if (tag in usualTags) return tag;
  try {
    return new Intl.Locale(tag).baseName;
  } catch {
    return english.locale;
  }
}

function wordsOf(locale: Intl.Locale): SpokenWords | undefined {
  const { language, script } = locale.maximize();
  if (language === 'zh' || language === 'yue') return script === 'Hans' ? words.zhHans : words.zhHant;
  return language in words ? words[language as 'en' | 'es' | 'ja' | 'th'] : undefined;
}
