/**
 * X-Twilio-Signature: base64 HMAC-SHA1 under the auth token (never an API key's secret) over the address Twilio called and, for
 * forms, every key with its values. Twilio itself is of two minds about the standard port and the encoding of the query, so each
 * spelling is tried. JSON bodies are covered by their hash in the query.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { HookRequest } from '../contract.ts';

export type Signed = Pick<HookRequest, 'url' | 'query' | 'headers' | 'body'>;

/** Whether one of the tokens signed this request. Several during a rotation; none means nobody did. */
export function isSigned(request: Signed, tokens: readonly string[]): boolean {
  const given = request.headers['x-twilio-signature'];
  if (!given) return false;
  const bodyHash = request.query.get('bodySHA256');
  if (bodyHash !== null && !isHashOf(bodyHash, request.body)) return false;
  const suffix = bodyHash === null ? formText(request.body) : '';
  const urls = spellingsOf(request.url);
  let matches = false;
  for (const token of tokens.filter((one) => one !== ''))
    for (const url of urls) matches = same(given, signatureOf(token, url + suffix)) || matches;
  return matches;
}

const signatureOf = (token: string, text: string): string => createHmac('sha1', token).update(text).digest('base64');

const isHashOf = (hash: string, body: Buffer): boolean => same(hash, createHash('sha256').update(body).digest('hex'));

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Keys in the order of their UTF-16 code units; a repeated key gives its distinct values, sorted. Nothing is trimmed. */
function formText(body: Buffer): string {
  const form = new URLSearchParams(body.toString('utf8'));
  const keys = [...new Set(form.keys())].sort();
  return keys
    .map((key) =>
      [...new Set(form.getAll(key))]
        .sort()
        .map((value) => key + value)
        .join(''),
    )
    .join('');
}

/** Without the fragment; without and with the port; the query as called and re-encoded. */
function spellingsOf(url: string): Set<string> {
  const [, scheme = '', host = '', port = '', path = '', query] =
    /^(https?):\/\/([^/?#]*?)(:\d+)?((?:\/[^?#]*)?)(?:\?([^#]*))?(?:#.*)?$/i.exec(url) ?? [];
  if (scheme === '') return new Set([url]);
  const usual = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  const queries = query === undefined ? [''] : [`?${query}`, `?${stringify(parse(query))}`];
  const ports = ['', port || usual];
  return new Set(ports.flatMap((one) => queries.map((search) => `${scheme}://${host}${one}${path}${search}`)));
}
