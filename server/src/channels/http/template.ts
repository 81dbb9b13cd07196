/**
 * Texts with placeholders: `{{name}}`, replaced once, each value encoded for the place it stands in, so that no value can end a
 * JSON string, a form field, an address or an XML element. Pure.
 */

export type Values = ReadonlyMap<string, string>;
export type Encode = (value: string) => string;

export interface Template {
  names: ReadonlySet<string>;
  /** A name without a value gives nothing. */
  fill(values: Values): string;
}

const mark = /\{\{([a-z_]+)\}\}/;
const everyMark = new RegExp(mark, 'g');

export const asJson: Encode = (value) => JSON.stringify(value.toWellFormed()).slice(1, -1);
/** For queries, paths and forms alike: a blank is `%20`, which all three read as one. */
export const asPercent: Encode = (value) => encodeURIComponent(value.toWellFormed());
export const asIs: Encode = (value) => value.toWellFormed();

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
/** What XML 1.0 cannot hold at all is left out. */
export const asXml: Encode = (value) =>
  value
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** What is wrong with the placeholders of a text, to complete "template: …"; null when nothing is. */
export function placeholderFault(text: string, allowed: readonly string[]): string | null {
  const unknown = [...text.matchAll(everyMark)].map(([, name = '']) => name).find((name) => !allowed.includes(name));
  if (unknown !== undefined) return `{{${unknown}}} is no placeholder here; known are ${allowed.join(', ')}`;
  return text.replace(everyMark, '').includes('{{') ? 'after {{ comes the name of a placeholder and }}' : null;
}

export function compile(text: string, encode: Encode): Template {
  // A pattern with a group leaves the names between the literals, at the odd places.
  const pieces = text.split(mark);
  return {
    names: new Set(pieces.filter((_, index) => index % 2 === 1)),
    fill: (values) =>
      pieces.map((piece, index) => (index % 2 === 1 ? encode(values.get(piece) ?? '') : piece)).join(''),
  };
}

/** `a=1&b={{x}}`, as in queries and forms. A field that is one placeholder and has no value is left out. */
export function compilePairs(text: string): Template {
  const pairs = text.split('&').map((pair) => {
    const { value } = cutPair(pair);
    return { template: compile(pair, asPercent), only: onlyMark.exec(value)?.[1] };
  });
  return {
    names: new Set(pairs.flatMap(({ template }) => [...template.names])),
    fill: (values) =>
      pairs
        .filter(({ only }) => only === undefined || (values.get(only) ?? '') !== '')
        .map(({ template }) => template.fill(values))
        .join('&'),
  };
}

const onlyMark = new RegExp(`^${mark.source}$`);

function cutPair(pair: string): { name: string; value: string } {
  const at = pair.indexOf('=');
  return at < 0 ? { name: pair, value: '' } : { name: pair.slice(0, at), value: pair.slice(at + 1) };
}

/** What is wrong with a query or form, to complete "template: …"; null when nothing is. */
export function pairsFault(text: string): string | null {
  for (const pair of text.split('&')) {
    const { name, value } = cutPair(pair);
    if (!/^[^={}\s]+$/.test(name) || !pair.includes('=')) return `"${shorten(pair)}" is not name=value`;
    if (!isEncoded(name) || !isEncoded(value.replace(everyMark, '')))
      return `the text of "${shorten(name)}" must be percent-encoded`;
    if (isOpenSecret(name, value)) return openSecret(name);
  }
  return null;
}

function isEncoded(text: string): boolean {
  if (/[^!-~]/.test(text)) return false;
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

const secretName = /(authorization|api[-_]?key|token|secret|password|passwd|pwd)$/i;
/** A field that is called like a secret and holds a plain text, which everybody who may read the settings would see. */
export const isOpenSecret = (name: string, value: string): boolean => secretName.test(name) && !mark.test(value);
export const openSecret = (name: string): string =>
  `${shorten(name)} would be shown in clear: enter its value as api_key or api_secret and write {{api_key}} or {{api_secret}} here`;

/** An address whose host is fixed; the path and the query take placeholders. */
export function compileUrl(text: string): Template {
  const at = text.indexOf('?');
  const path = compile(at < 0 ? text : text.slice(0, at), asPercent);
  const query = at < 0 ? null : compilePairs(text.slice(at + 1));
  return {
    names: new Set([...path.names, ...(query?.names ?? [])]),
    fill: (values) => path.fill(values) + (query ? `?${query.fill(values)}` : ''),
  };
}

/** What is wrong with an address, to complete "url: …"; null when nothing is. */
export function urlFault(text: string): string | null {
  if (!/^https?:\/\/[^/?#{}@\s]+(?:[/?]|$)/.test(text))
    return 'must begin with https:// and a host, without credentials or placeholders in it';
  if (text.includes('#')) return 'must not have a fragment';
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  if (!isEncoded(path.replace(everyMark, ''))) return 'the path must be percent-encoded';
  if (!URL.canParse(text.replace(everyMark, 'x'))) return 'is not a valid address';
  return at < 0 ? null : pairsFault(text.slice(at + 1));
}
