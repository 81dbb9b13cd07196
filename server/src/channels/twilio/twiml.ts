/**
 * The documents Twilio speaks. The first asks for a key and holds no code; the second holds it, each character apart. Everything in
 * them is escaped. SSML only goes to voices known to take it: the basic ones read tags aloud or end the call.
 */
import { escapeXml, listenKey, passagesOf, type SpeechScript } from '../speech.ts';
import { english, wordsFor } from '../spoken-words.ts';

/** Locale → Twilio voice, from the settings. */
export type Voices = Readonly<Record<string, string>>;

/** Twilio's name of a language and a voice that speaks it; the account's own default voice may know English only. */
const usual: Readonly<Record<string, { language: string; voice: string }>> = {
  'en-US': { language: 'en-US', voice: 'Polly.Joanna' },
  'es-ES': { language: 'es-ES', voice: 'Polly.Lucia' },
  'zh-CN': { language: 'cmn-CN', voice: 'Polly.Zhiyu' },
  'zh-HK': { language: 'yue-HK', voice: 'Google.yue-HK-Standard-A' },
  'zh-TW': { language: 'cmn-TW', voice: 'Google.cmn-TW-Standard-A' },
  'ja-JP': { language: 'ja-JP', voice: 'Polly.Mizuki' },
  'th-TH': { language: 'th-TH', voice: 'Google.th-TH-Standard-A' },
};

const document = (...verbs: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs.join('')}</Response>`;

const hangUp = '<Hangup/>';
const pause = '<Pause length="1"/>';

/** Ends the call without a word: a machine listens, or somebody asks again for what is given out once. */
export const silence = document(hangUp);

/** Asks twice for the key, then waits `waitSeconds` for it; without one the call ends. */
export function askDocument(script: SpeechScript, action: string, voices: Voices, waitSeconds = 5): string {
  const prompt = say(script.prompt, script.promptLocale, voices);
  const gather = `<Gather input="dtmf" numDigits="${listenKey.length}" finishOnKey="" timeout="${waitSeconds}" method="POST"`;
  return document(`${gather} action="${escapeXml(action)}">${prompt}${pause}${prompt}</Gather>`, hangUp);
}

export function tellDocument(script: SpeechScript, voices: Voices): string {
  const passages = passagesOf(script).map(({ text, spells }) =>
    say(text, script.locale, voices, spells ? script.rate : undefined),
  );
  return document(passages.join(pause), hangUp);
}

/** The code has expired or is used: say so in the person's language. */
export function goneDocument(language: string, voices: Voices): string {
  const { locale, words } = wordsFor(language);
  const known = words ? { locale, words } : english;
  return document(say(`${known.words.gone} ${known.words.goodbye}`, known.locale, voices), hangUp);
}

function say(text: string, locale: string, voices: Voices, rate?: string): string {
  const voice = voices[locale] ?? usual[locale]?.voice;
  const language = usual[locale]?.language ?? locale;
  const spoken = escapeXml(text);
  const slowed = rate !== undefined && takesSsml(voice) ? `<prosody rate="${rate}">${spoken}</prosody>` : spoken;
  const speaker = voice === undefined ? '' : ` voice="${escapeXml(voice)}"`;
  return `<Say language="${escapeXml(language)}"${speaker}>${slowed}</Say>`;
}

const takesSsml = (voice: string | undefined): boolean =>
  voice !== undefined && /^(Polly|Google)\./.test(voice) && !/Generative|Chirp/i.test(voice);
