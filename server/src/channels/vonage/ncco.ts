/**
 * What Vonage is told to do in a call: documents of actions (NCCO). The first asks for a key and holds no code; only for the key the
 * second is handed out, which tells the code as often as the script says. Pure.
 */
import { passagesOf, type SpeechScript, toSsml } from '../speech.ts';
import { voiceFor } from './voices.ts';

type Action = Readonly<Record<string, unknown>>;

/** Seconds for a person to take the phone from the ear and press; Vonage allows 10 at most. */
const keySeconds = 10;
/** Characters of a talk action without its markup. */
const longestTalk = 1500;

export const hangUp: readonly Action[] = [];

export const askForKey = (script: SpeechScript, digitsUrl: string): readonly Action[] => [
  // The key may come while the prompt is being spoken.
  { action: 'talk', text: script.prompt, language: voiceFor(script.promptLocale), loop: 2, bargeIn: true },
  {
    action: 'input',
    type: ['dtmf'],
    dtmf: { maxDigits: 1, timeOut: keySeconds },
    eventUrl: [digitsUrl],
    eventMethod: 'POST',
  },
];

/** The script repeats the code itself, so the action is not looped. */
export const tellCode = (script: SpeechScript): readonly Action[] => [
  { action: 'talk', text: toSsml(script), language: voiceFor(script.locale), loop: 1 },
];

export const isTooLong = (script: SpeechScript): boolean =>
  passagesOf(script).reduce((sum, { text }) => sum + text.length, 0) > longestTalk;
