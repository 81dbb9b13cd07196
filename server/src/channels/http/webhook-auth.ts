/**
 * Whether a webhook comes from the gateway: an HMAC over the raw bytes, a password, or a secret in a header, compared in constant
 * time. A signed time older than five minutes, or as far in the future, is refused.
 */
import { createHmac } from 'node:crypto';
import { sameBytes } from '../../platform/seal.ts';
import type { HookRequest } from '../contract.ts';
import type { WebhookAuth } from './webhook-settings.ts';

const windowMs = 300_000;

export function isTrusted(request: HookRequest, auth: WebhookAuth, nowMs: number): boolean {
  if (auth.type === 'none') return true;
  const given = request.headers[auth.type === 'basic' ? 'authorization' : (auth.header?.toLowerCase() ?? '')];
  const secrets = [auth.secret, auth.secret_previous].filter((secret) => secret !== undefined && secret !== '');
  if (given === undefined || given === '' || secrets.length === 0) return false;
  // Hexadecimal digits come in either case.
  const bytesOf = (text: string): Buffer =>
    Buffer.from(auth.type === 'hmac' && auth.encoding === 'hex' ? text.toLowerCase() : text);
  const presented = bytesOf(given.trim());
  // Every secret is tried, so that the time tells nothing about which one matched.
  const matches = secrets.map((secret) => sameBytes(presented, bytesOf(expected(request, auth, secret ?? ''))));
  return matches.includes(true) && isFresh(request, auth, nowMs);
}

function expected(request: HookRequest, auth: WebhookAuth, secret: string): string {
  if (auth.type === 'header') return secret;
  if (auth.type === 'basic') return `Basic ${Buffer.from(`${auth.username}:${secret}`).toString('base64')}`;
  return auth.prefix + signatureOf(request, auth, secret);
}

/** The body goes in as its bytes: as text, what is no UTF-8 would be another body. */
function signatureOf({ headers, body }: HookRequest, auth: WebhookAuth, secret: string): string {
  const time = auth.timestamp_header && (headers[auth.timestamp_header.toLowerCase()] ?? '');
  const payload = auth.payload ?? (time === undefined ? '{{body}}' : '{{timestamp}}.{{body}}');
  const hmac = createHmac(auth.algorithm, secret);
  for (const piece of payload.split(/(\{\{(?:body|timestamp)\}\})/))
    hmac.update(piece === '{{body}}' ? body : piece === '{{timestamp}}' ? (time ?? '') : piece);
  return hmac.digest(auth.encoding);
}

function isFresh({ headers }: HookRequest, auth: WebhookAuth, nowMs: number): boolean {
  if (auth.type !== 'hmac' || auth.timestamp_header === undefined) return true;
  const at = timeOf(headers[auth.timestamp_header.toLowerCase()] ?? '');
  return Math.abs(nowMs - at) <= windowMs;
}

/** Unix seconds, milliseconds, or a date; NaN for what is none. */
function timeOf(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1000;
  return /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text);
}
