/**
 * Remembers everything confidential that goes over the wire: secrets, codes, recipients, values of callers' own fields and
 * credentials, each in the forms in which it could be written down. Then finds which of them stand in a text.
 */

/** Fields whose text is confidential, in requests and replies. */
const confidential = new Set([
  'dev_secret',
  'signing_secret',
  'session_token',
  'bot_token',
  'secret',
  'authorization',
  'code',
  'verify_code',
  'to',
  'email',
  'phone',
  'url',
  'text',
]);
/** Objects all of whose values are the caller's own. */
const ownValues = new Set(['params', 'custom_args']);

export interface Witness {
  secret(text: string): void;
  authorization(header: string): void;
  request(body: unknown): void;
  reply(body: unknown): void;
  size(): number;
  /** The confidential values that stand in the text. */
  findIn(text: string): string[];
}

export function createWitness(): Witness {
  const seen = new Set<string>();

  function remember(value: unknown): void {
    if (typeof value === 'number') remember(String(value));
    else if (typeof value === 'string') for (const form of formsOf(value)) seen.add(form);
    else if (Array.isArray(value)) for (const one of value) remember(one);
  }

  function walk(value: unknown, all: boolean): void {
    if (Array.isArray(value)) for (const one of value) walk(one, all);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      // `code` of an error reply is a number, and no secret.
      if (all || (confidential.has(name) && !(name === 'code' && typeof inner === 'number'))) remember(inner);
      walk(inner, ownValues.has(name));
    }
  }

  return {
    secret: remember,
    authorization(header) {
      const [scheme = '', rest = ''] = header.split(' ');
      remember(rest);
      if (scheme === 'Basic') remember(Buffer.from(rest, 'base64').toString().split(':').slice(1).join(':'));
    },
    request: (body) => walk(body, false),
    reply: (body) => walk(body, false),
    size: () => seen.size,
    findIn: (text) => [...seen].filter((value) => standsIn(text, value)),
  };
}

/** As it is, as in a URL, as in JSON; a phone number also without its plus sign. */
function formsOf(value: string): string[] {
  if (value.length < 4) return [];
  const forms = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  return value.startsWith('+') ? [...forms, value.slice(1)] : forms;
}

/** Digits inside a longer number are not the code or the phone number. */
function standsIn(text: string, value: string): boolean {
  if (!/^[0-9]+$/.test(value)) return text.includes(value);
  return new RegExp(`(?<![0-9.])${value}(?![0-9])`).test(text);
}
