// The two signatures of a callback: the vendor's X-CALLBACK-ID header and Standard Webhooks.
// X-CALLBACK-ID proves who sent the request but does not cover the body; the Standard Webhooks signature covers it.
// All comparisons take the same time whatever differs. Failures throw WebhookSignatureError and name no secret.

import { createHmac, timingSafeEqual } from 'crypto';
import { WebhookSignatureError } from '../errors.ts';

export type HeaderSource = { get(name: string): string | null } | { readonly [name: string]: unknown };

const mostSignatures = 20;

/** Checks `timestamp=…;nonce=…;username=…;signature=…`, parts in any order, and the age; the signature of one secret is enough. */
export function checkCallbackId(
  header: unknown,
  expected: { username: string; secrets: readonly string[]; toleranceSeconds: number | undefined },
): void {
  const { timestamp, nonce, username, signature } = splitHeader(header);
  if (timestamp === undefined || nonce === undefined || username === undefined || signature === undefined) {
    throw new WebhookSignatureError('X-CALLBACK-ID: timestamp, nonce, username and signature are all needed');
  }
  const given = Buffer.from(/^[0-9a-f]{64}$/.test(signature) ? signature : '', 'hex');
  // All are compared before any is judged: the answer must not tell a right username from a wrong one.
  const sameUser = sameBytes(Buffer.from(username, 'utf8'), Buffer.from(expected.username, 'utf8'));
  const sameMacs = expected.secrets.map((secret) =>
    sameBytes(given, createHmac('sha256', secret).update(`${timestamp}${nonce}${username}`, 'utf8').digest()),
  );
  if (!sameUser || !sameMacs.includes(true))
    throw new WebhookSignatureError('X-CALLBACK-ID: the signature does not match');
  checkAge('X-CALLBACK-ID', timestamp, expected.toleranceSeconds);
}

/** Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` over the raw body; one signature by one key is enough. */
export function checkStandard(
  headers: HeaderSource,
  rawBody: string | Uint8Array,
  expected: { keys: readonly Buffer[]; toleranceSeconds: number | undefined },
): void {
  const id = readHeader(headers, 'webhook-id');
  const timestamp = readHeader(headers, 'webhook-timestamp');
  const signatures = readHeader(headers, 'webhook-signature');
  if (!id || !timestamp || !signatures) {
    throw new WebhookSignatureError('webhook-id, webhook-timestamp and webhook-signature are all needed');
  }
  const macs = expected.keys.map((key) =>
    createHmac('sha256', key).update(`${id}.${timestamp}.`, 'utf8').update(rawBody).digest(),
  );
  // No early exit: every signature is compared with every key's. The platform sends two; a flood costs nobody anything.
  const candidates = signatures.split(' ').slice(0, mostSignatures);
  const matches = candidates.map((candidate) => {
    const [version, value] = splitOnce(candidate, ',');
    const given = Buffer.from(version === 'v1' ? value : '', 'base64');
    return macs.map((mac) => sameBytes(given, mac)).includes(true);
  });
  if (!matches.includes(true)) throw new WebhookSignatureError('webhook-signature: no signature matches');
  checkAge('webhook-timestamp', timestamp, expected.toleranceSeconds);
}

/** The key bytes of a `whsec_…` secret; throws a TypeError that does not repeat it. */
export function signingKey(secret: string): Buffer {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  const key = Buffer.from(encoded, 'base64');
  if (key.length > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return key;
  throw new TypeError('WebhookVerifier: signingSecret must be "whsec_" followed by base64');
}

/** One header of a plain object (any case of name) or of a Headers object. */
export function readHeader(headers: HeaderSource, name: string): string | undefined {
  if (typeof headers.get === 'function') return (headers.get as (name: string) => string | null)(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  const value: unknown = Array.isArray(entry?.[1]) && entry[1].length === 1 ? entry[1][0] : entry?.[1];
  return typeof value === 'string' ? value : undefined;
}

function splitHeader(header: unknown): { [part: string]: string | undefined } {
  if (typeof header !== 'string' || header === '')
    throw new WebhookSignatureError('X-CALLBACK-ID: the header is missing');
  const parts: { [part: string]: string | undefined } = {};
  for (const part of header.split(';')) {
    const [name, value] = splitOnce(part, '=');
    if (name === '' && value === '') continue;
    // A part given twice could be read one way here and another way elsewhere.
    if (parts[name] !== undefined) throw new WebhookSignatureError('X-CALLBACK-ID: a part is given twice');
    parts[name] = value;
  }
  return parts;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function sameBytes(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function checkAge(header: string, timestamp: string, toleranceSeconds: number | undefined): void {
  if (toleranceSeconds === undefined) return;
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (/^\d+$/.test(timestamp) && age <= toleranceSeconds) return;
  throw new WebhookSignatureError(`${header}: the timestamp is outside the tolerance`);
}
