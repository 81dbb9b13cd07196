/**
 * A phone call as the emulator plays it: TwiML read strictly (only verbs and attributes Twilio has, well-formed, every entity known),
 * spoken into a list, with a person or a machine at the other end.
 */

interface Element {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: (Element | string)[];
}

/** Who answers, and which keys they press when asked. */
export interface Answering {
  answeredBy?: string;
  presses?: readonly string[];
}

export interface Played {
  /** What was spoken, in order. */
  said: { text: string; language: string }[];
  /** Documents as they came. */
  documents: string[];
  /** Addresses asked for them. */
  asked: string[];
  /** A document could not be had or read; Twilio then says so and ends the call. */
  faults: string[];
}

export type Ask = (url: string, extra: Readonly<Record<string, string>>) => Promise<{ status: number; body: string }>;

const attributesOf: Readonly<Record<string, readonly string[]>> = {
  Response: [],
  Hangup: [],
  Say: ['language', 'voice', 'loop'],
  Pause: ['length'],
  Gather: ['input', 'numDigits', 'timeout', 'finishOnKey', 'action', 'method', 'actionOnEmptyResult'],
  prosody: ['rate'],
};

export async function playCall(url: string, person: Answering, ask: Ask): Promise<Played> {
  const played: Played = { said: [], documents: [], asked: [], faults: [] };
  const keys = [...(person.presses ?? [])];
  let next: { url: string; digits?: string } | null = { url };
  while (next) {
    const { url: asked, digits } = next;
    played.asked.push(asked);
    const answer = await ask(asked, digits === undefined ? {} : { Digits: digits });
    played.documents.push(answer.body);
    next = answer.status === 200 ? perform(answer.body, keys, played) : fail(played, `HTTP ${answer.status}`);
  }
  return played;
}

function fail(played: Played, fault: string): null {
  played.faults.push(fault);
  return null;
}

function perform(document: string, keys: string[], played: Played): { url: string; digits: string } | null {
  try {
    const root = parseTwiml(document);
    for (const verb of root.children) {
      if (typeof verb === 'string') throw new Error('text between verbs');
      if (verb.name === 'Hangup') return null;
      const gathered = verb.name === 'Gather' ? gather(verb, keys, played) : speak(verb, played);
      if (gathered) return gathered;
    }
    return null;
  } catch (error) {
    return fail(played, String(error));
  }
}

function gather(verb: Element, keys: string[], played: Played): { url: string; digits: string } | null {
  for (const nested of verb.children) if (typeof nested !== 'string') speak(nested, played);
  const digits = keys.shift();
  const { action } = verb.attributes;
  return digits === undefined || action === undefined ? null : { url: action, digits };
}

function speak(verb: Element, played: Played): null {
  if (verb.name === 'Say') played.said.push({ text: textOf(verb), language: verb.attributes['language'] ?? 'en-US' });
  else if (verb.name !== 'Pause') throw new Error(`${verb.name} cannot stand here`);
  return null;
}

const textOf = ({ children }: Element): string =>
  children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');

export function parseTwiml(document: string): Element {
  const body = document.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, '');
  const top: Element = { name: '', attributes: {}, children: [] };
  const open = [top];
  const tokens = body.match(/<[^<>]*>|[^<>]+|[<>]/g) ?? [];
  for (const token of tokens) {
    const parent = open.at(-1) ?? top;
    if (!token.startsWith('<')) parent.children.push(decode(token));
    else if (token.startsWith('</')) close(open, token);
    else begin(open, parent, token);
  }
  const [root] = top.children;
  if (open.length !== 1 || top.children.length !== 1 || typeof root !== 'object' || root.name !== 'Response')
    throw new Error('not one whole Response');
  return root;
}

function begin(open: Element[], parent: Element, token: string): void {
  const [, name = '', attributes = '', ended] = /^<([A-Za-z]+)((?: [A-Za-z]+="[^"]*")*)(\/?)>$/.exec(token) ?? [];
  const known = attributesOf[name];
  if (!known) throw new Error(`no such verb: ${token}`);
  const pairs = [...attributes.matchAll(/ ([A-Za-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => {
    if (!known.includes(key)) throw new Error(`no such attribute of ${name}: ${key}`);
    return [key, decode(value)];
  });
  const element: Element = { name, attributes: Object.fromEntries(pairs), children: [] };
  parent.children.push(element);
  if (ended === '') open.push(element);
}

function close(open: Element[], token: string): void {
  const last = open.pop();
  if (!last || token !== `</${last.name}>`) throw new Error(`not closed in order: ${token}`);
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&([^;]*;?)/g, (whole, name: string) => {
    const character = name.endsWith(';') ? entities[name.slice(0, -1)] : undefined;
    if (character === undefined) throw new Error(`no such entity: ${whole.slice(0, 8)}`);
    return character;
  });
}
