/** What Vonage's Voice API lets pass: requests for calls, and documents of actions (NCCO). Only for tests. */
import type { Asked, HookReply } from '../../fixture.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const isAddress: Check = (value) => typeof value === 'string' && URL.canParse(value) && value.length <= 2048;
const isAddressList: Check = (value) => Array.isArray(value) && value.length === 1 && isAddress(value[0]);
const isPhone: Check = (value) =>
  isObject(value) &&
  Object.keys(value).sort().join() === 'number,type' &&
  value['type'] === 'phone' &&
  /^\d{7,15}$/.test(String(value['number']));

const callFields: Readonly<Record<string, Check>> = {
  to: (value) => Array.isArray(value) && value.length === 1 && isPhone(value[0]),
  from: isPhone,
  answer_url: isAddressList,
  answer_method: oneOf('GET', 'POST'),
  event_url: isAddressList,
  event_method: oneOf('GET', 'POST'),
  machine_detection: oneOf('continue', 'hangup'),
  length_timer: whole(1, 7200),
  ringing_timer: whole(1, 120),
};

/** The name of the first wrong field; null for a good request. */
export function faultOfCall({ headers, body }: Asked): string | null {
  if (headers['content-type'] !== 'application/json') return 'content-type';
  const value: unknown = JSON.parse(body);
  if (!isObject(value)) return 'body';
  return faultOf(value, callFields, ['to', 'from', 'answer_url', 'event_url']);
}

function faultOf(value: Fields, checks: Readonly<Record<string, Check>>, needed: readonly string[]): string | null {
  const missing = needed.find((name) => !(name in value));
  return missing ?? Object.keys(value).find((name) => !checks[name]?.(value[name])) ?? null;
}

const voices =
  'ar ca-ES cmn-CN cmn-TW cs-CZ cy-GB da-DK de-DE el-GR en-AU en-GB en-GB-WLS en-IN en-US en-ZA es-ES es-MX es-US eu-ES fi-FI fil-PH fr-CA fr-FR he-IL hi-IN hu-HU id-ID is-IS it-IT ja-JP ko-KR nb-NO nl-NL no-NO pl-PL pt-BR pt-PT ro-RO ru-RU sk-SK sv-SE th-TH tr-TR uk-UA vi-VN yue-CN';

const talkFields: Readonly<Record<string, Check>> = {
  action: oneOf('talk'),
  text: (value) => typeof value === 'string' && isSpeech(value),
  language: oneOf(...voices.split(' ')),
  loop: whole(1, 10),
  bargeIn: oneOf(true, false),
  style: whole(0, 20),
};

const inputFields: Readonly<Record<string, Check>> = {
  action: oneOf('input'),
  type: (value) => JSON.stringify(value) === '["dtmf"]',
  dtmf: (value) =>
    isObject(value) &&
    faultOf(value, { maxDigits: whole(1, 20), timeOut: whole(1, 10), submitOnHash: oneOf(true, false) }, []) === null,
  eventUrl: isAddressList,
  eventMethod: oneOf('POST'),
};

/** Plain text without markup, or well-formed SSML of the tags Vonage knows; up to 1500 characters of it are spoken. */
function isSpeech(text: string): boolean {
  if (!text.startsWith('<speak>')) return text.length > 0 && text.length <= 1500 && !/[<>&]/.test(text);
  const open: string[] = [];
  for (const [, closing, name = '', empty] of text.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
    if (!['speak', 'break', 'prosody'].includes(name)) return false;
    if (closing && open.pop() !== name) return false;
    if (!closing && !empty) open.push(name);
  }
  const spoken = spokenOf(text);
  return (
    open.length === 0 && spoken !== '' && spoken.length <= 1500 && !/[<>]|&(?!(amp|lt|gt|quot|apos);)/.test(spoken)
  );
}

const spokenOf = (text: string): string =>
  text
    .replace(/<break[^>]*>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .trim();

export interface Document {
  talks: { text: string; language: string }[];
  /** Where a key is reported; null without an input action. */
  input: string | null;
}

/** What is done for an answer; nothing for one that is no document, which ends the call. Faults are noted. */
export function readDocument(reply: HookReply, faults: string[]): Document {
  const nothing: Document = { talks: [], input: null };
  const fault = (text: string): Document => {
    faults.push(text);
    return nothing;
  };
  if (reply.status !== 200) return fault(`status ${reply.status}`);
  if (!reply.type.startsWith('application/json')) return fault(`type ${reply.type}`);
  const actions: unknown = JSON.parse(reply.body);
  if (!Array.isArray(actions)) return fault('no list of actions');
  const document: Document = nothing;
  for (const [index, action] of actions.entries()) {
    const isTalk = action?.action === 'talk';
    const wrong = isTalk ? faultOf(action, talkFields, ['text']) : faultOf(action, inputFields, ['type', 'eventUrl']);
    if (wrong !== null) return fault(`action ${index}: ${wrong}`);
    if (isTalk && action.bargeIn && actions[index + 1]?.action !== 'input')
      return fault('bargeIn without input behind it');
    if (isTalk) document.talks.push({ text: spokenOf(action.text), language: action.language ?? 'en-US' });
    else document.input = action.eventUrl[0];
  }
  return document;
}
