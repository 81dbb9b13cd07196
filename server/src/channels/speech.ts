/**
 * What a call says, in no vendor's markup: the prompt for the key press, the text, and the code one character at a time and more
 * than once. Voice adapters turn a script into TwiML, NCCO or SSML. The rendered text may hold the code as it is or spelled already,
 * and may hold itself twice; a script says each sentence once and the code `repeat` times.
 */
import type { OutgoingMessage } from './contract.ts';
import { english, wordsFor } from './spoken-words.ts';

/** The key a person presses before anything is told: a voicemail box presses none. */
export const listenKey = '1';

export interface SpeechScript {
  /** BCP-47 tag of the voice for everything but the prompt. */
  locale: string;
  /** "Press 1 to hear your code", in `promptLocale`: English where we have no words in the asked language. */
  prompt: string;
  promptLocale: string;
  /** The text in front of the code; all of it when it holds no code. May be empty. */
  lead: string;
  /** Characters of the code in order, letters in upper case; empty without a code. */
  digits: readonly string[];
  /** The text behind the code. May be empty. */
  tail: string;
  /** How often the code is told in all; without a code, the text. */
  repeat: 2 | 3;
  /** Said in front of each repetition; empty in a language we have no words for. */
  again: string;
  goodbye?: string;
  /** SSML prosody rate of the code, in percent of the voice's own. */
  rate: string;
}

/** Passages with a pause after each. Those that spell the code are to be spoken at the script's rate. */
export interface Passage {
  text: string;
  spells: boolean;
}

const longCode = 6;

export function speechScript({ content, code }: Pick<OutgoingMessage, 'content' | 'code'>): SpeechScript {
  const { locale, words } = wordsFor(content.language);
  const digits = code === null ? [] : charactersOf(code);
  const text = unfold(content.text.trim());
  const [lead, tail] = split(text, digits);
  return {
    locale,
    prompt: (words ?? english.words).prompt,
    promptLocale: words ? locale : english.locale,
    lead,
    digits: digits.map((character) => character.toUpperCase()),
    tail,
    repeat: digits.length > 0 && digits.length <= longCode ? 3 : 2,
    again: words?.again ?? '',
    ...(words && { goodbye: words.goodbye }),
    rate: words?.rate ?? '90%',
  };
}

/** `4, 8, 2, 9, 1, 3`: voices pause at a comma, so that nobody hears "four hundred eighty-two thousand". */
export const spelled = (digits: readonly string[]): string => digits.join(', ');

/** What to say after the key was pressed, in order. */
export function passagesOf(script: SpeechScript): Passage[] {
  const { lead, digits, tail, repeat, again, goodbye } = script;
  const code = spelled(digits);
  const first: Passage = {
    text: join(lead, /^\p{P}/u.test(tail) ? code + tail : join(code, tail)),
    spells: digits.length > 0,
  };
  const repeated = digits.length > 0 ? code : lead;
  const more: Passage[] = Array.from({ length: repeat - 1 }, () => ({ ...first, text: join(again, repeated) }));
  const last: Passage[] = goodbye === undefined ? [] : [{ text: goodbye, spells: false }];
  return [first, ...more, ...last].filter(({ text }) => text !== '');
}

const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');

/** Spaces and hyphens of a caller's own code are not spoken, unless it has nothing else. */
function charactersOf(code: string): string[] {
  const spoken = code.replace(/[\s-]/g, '');
  return [...(spoken === '' ? code : spoken)];
}

/** A text that is the same sentences twice, as rendered for voice, once. */
function unfold(text: string): string {
  const half = Math.floor(text.length / 2);
  const first = text.slice(0, half);
  const joined = text.length % 2 === 0 ? '' : text[half];
  return half > 0 && joined?.trim() === '' && text.endsWith(first) ? first.trim() : text;
}

/** In front of the first place the code stands at, and behind it; the whole text in front when the code is nowhere in it. */
function split(text: string, digits: readonly string[]): [lead: string, tail: string] {
  const pattern = patternOf(digits);
  const [found] = pattern ? text.matchAll(pattern) : [];
  if (!pattern || !found) return [text, ''];
  const behind = text.slice(found.index + found[0].length);
  const code = spelled(digits).toUpperCase();
  return [text.slice(0, found.index).trim(), behind.replace(pattern, () => code).trim()];
}

/** The code as it is or with blanks, hyphens or commas between its characters, but not inside a longer number or word. */
function patternOf(digits: readonly string[]): RegExp | null {
  if (!digits.some((character) => /[0-9A-Za-z]/.test(character))) return null;
  const characters = digits.map((character) => character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('[\\s,、，-]*');
  return new RegExp(`(?<![0-9A-Za-z])${characters}(?![0-9A-Za-z])`, 'gu');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** For element text and attribute values of XML and SSML; characters XML 1.0 cannot hold at all are dropped. */
export function escapeXml(text: string): string {
  const allowed = text.toWellFormed().replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
  return allowed.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** An SSML document in which what spells the code is slowed down and every passage is followed by a pause. */
export function toSsml(script: SpeechScript): string {
  const parts = passagesOf(script).map(({ text, spells }) => {
    const spoken = escapeXml(text);
    return `${spells ? `<prosody rate="${script.rate}">${spoken}</prosody>` : spoken}<break time="1s"/>`;
  });
  return `<speak>${parts.join('')}</speak>`;
}
