/**
 * How Vonage signs the webhooks of its SMS API: over the parameters without `sig`, sorted by name, as `&name=value` with the
 * leading ampersand, `&` and `=` inside values replaced by `_`. The account's setting decides what is done with that text.
 * Off until Vonage enables it for the account. Contract: upstreams §11, golden values §12.
 */
import { createHash, createHmac } from 'node:crypto';
import { sameBytes } from '../../platform/seal.ts';

export const signatureMethods = ['md5hash', 'md5', 'sha1', 'sha256', 'sha512'] as const;
export type SignatureMethod = (typeof signatureMethods)[number];

/** Flat parameters of one webhook, whether they came as query, form or JSON. */
export type Parameters = ReadonlyMap<string, string>;

/** Lower-case hex. `md5hash` is MD5 over text and secret; the others are HMACs keyed by the secret. */
export function signatureOf(parameters: Parameters, secret: string, method: SignatureMethod): string {
  const text = [...parameters]
    .filter(([name]) => name !== 'sig')
    // Code units: no locale may change the order.
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `&${name}=${value.replace(/[&=]/g, '_')}`)
    .join('');
  if (method === 'md5hash') return createHash('md5').update(text).update(secret).digest('hex');
  return createHmac(method, secret).update(text).digest('hex');
}

/** Whether `sig` is right under one of the secrets; compared in constant time, without case. */
export function isSigned(parameters: Parameters, secrets: readonly string[], method: SignatureMethod): boolean {
  const given = Buffer.from(parameters.get('sig')?.toLowerCase() ?? '');
  // Every secret is tried, so that the time tells nothing about which one matched.
  const matches = secrets.map((secret) => sameBytes(given, Buffer.from(signatureOf(parameters, secret, method))));
  return given.length > 0 && matches.includes(true);
}

const maxAgeSeconds = 300;

/** Whether the signed time (`timestamp`, unix seconds) is within five minutes of now; false without one. */
export function isFresh(parameters: Parameters, nowMs: number): boolean {
  const at = parameters.get('timestamp') ?? '';
  return /^\d{9,11}$/.test(at) && Math.abs(nowMs / 1000 - Number(at)) <= maxAgeSeconds;
}
