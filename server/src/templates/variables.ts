/**
 * `{{name}}` in texts (contract §9): replaced once, so a value that looks like a variable stays as it is; a variable without
 * value stays literal. Names are `[A-Za-z0-9_]{1,64}`.
 */
import { ApiError } from '../errors.ts';

export const presetNames = ['code', 'brand_name', 'ttl', 'pwa_url'] as const;
export type PresetName = (typeof presetNames)[number];
export type Values = ReadonlyMap<string, string>;

/** Of any text: fifty values of 1,024 characters in a text of 64 KiB would make many megabytes of one small request. */
const maxFilled = 131_072;

const variable = /\{\{([A-Za-z0-9_]{1,64})\}\}/g;

/** Puts the values into the text, each through `encode` (HTML escaping, say). Throws 5014 rather than make too long a text. */
export function fillVariables(
  text: string,
  values: Values,
  encode: (value: string) => string = (value) => value,
): string {
  let length = text.length;
  const filled = text.replace(variable, (literal, name: string) => {
    const value = values.get(name);
    if (value === undefined) return literal;
    const put = encode(value);
    length += put.length - literal.length;
    // What follows can shorten it by no more than the text itself.
    if (length > maxFilled + text.length) throw tooLong(maxFilled);
    return put;
  });
  if (length > maxFilled) throw tooLong(maxFilled);
  return filled;
}

/** In UTF-16 units. */
export const tooLong = (atMost: number): ApiError =>
  new ApiError(5014, `content not compliant: filled in, a text has more than ${atMost} characters`);

/** Names of the variables in a text, each once. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(variable)].map((match) => match[1] ?? ''))];
}

/** What stands in double braces but is no variable name, so nothing ever replaces it: `{{ code }}`, `{{user-name}}`. */
export function malformedVariables(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\{[^{}]*\}\}/g)].map(([mark]) => mark))].filter(
    (mark) => variablesIn(mark).length === 0,
  );
}

export const mentionsCode = (text: string): boolean => text.includes('{{code}}');

/**
 * The values of one rendering: the template's own defaults, over them the caller's, over both what the platform fills. A preset
 * that is null has no value and stays literal; the caller cannot give one.
 */
export function valuesOf(
  presets: Readonly<Record<PresetName, string | null>>,
  params: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>> = {},
): Values {
  const values = new Map([...Object.entries(defaults), ...Object.entries(params)]);
  for (const name of presetNames) {
    const value = presets[name];
    if (value === null) values.delete(name);
    else values.set(name, value);
  }
  return values;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
