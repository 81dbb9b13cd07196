/**
 * What a model may read of an answer: recipients masked wherever they stand, and texts that came from outside cut to a length and
 * freed of control characters. Pure.
 */
import { maskRecipient } from '../platform/log.ts';

/** Texts of providers and of people: quoted, never obeyed, so they stay short. */
const maxTextLength = 500;
const address = /\+[1-9]\d{6,14}\b|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const outside = new Set(['detail', 'response', 'user_agent']);

const only = new RegExp(`^(?:${address.source})$`);

/** Whether the text is one address, in the form in which masking knows it. */
export const isAddress = (text: string): boolean => only.test(text);

/** A copy with every address masked, also where its digits stand without the plus. */
export function masked(value: unknown): unknown {
  const bare = new Set<string>();
  collect(value, bare);
  const digits = bare.size === 0 ? null : new RegExp(`(?<!\\d)(?:${[...bare].join('|')})(?!\\d)`, 'g');
  const hide = (text: string): string => {
    const known = text.replace(address, maskRecipient);
    return digits ? known.replace(digits, (found) => maskRecipient(`+${found}`).slice(1)) : known;
  };
  return walk(value, hide);
}

/** Texts from outside made harmless; everything else as it is. */
export const quoted = (value: unknown): unknown => walk(value, (text) => text);

function walk(value: unknown, hide: (text: string) => string, name = ''): unknown {
  if (typeof value === 'string') {
    const text = hide(value);
    return outside.has(name) ? text.replace(control, '').slice(0, maxTextLength) : text;
  }
  if (Array.isArray(value)) return value.map((part) => walk(part, hide, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part, hide, key)]));
}

function collect(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const part of value) collect(part, into);
  else if (typeof value === 'object' && value !== null)
    for (const [key, part] of Object.entries(value)) {
      if (key === 'to' && typeof part === 'string' && /^\+\d{7,15}$/.test(part)) into.add(part.slice(1));
      else collect(part, into);
    }
}
