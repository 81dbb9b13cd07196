/**
 * How we sign what we post to customers (contract §10.2): the X-CALLBACK-ID header, which signs no body, and Standard Webhooks,
 * which does. Pure; the vectors of contract §16 are its tests.
 */
import { createHmac, randomBytes } from 'node:crypto';

/** `t` in unix seconds, `nonce` 16 to 32 hex characters; lower-case hex HMAC-SHA-256 over timestamp + nonce + username. */
export function callbackId(parts: { username: string; secret: string; timestamp: number; nonce: string }): string {
  const { username, secret, timestamp, nonce } = parts;
  const signature = createHmac('sha256', secret).update(`${timestamp}${nonce}${username}`).digest('hex');
  return `timestamp=${timestamp};nonce=${nonce};username=${username};signature=${signature}`;
}

/** `v1,<base64>` over `id.timestamp.body` for each signing secret (`whsec_…`), separated by a space; the newest secret first. */
export function webhookSignature(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}

/** `whsec_` and 32 random bytes in base64. */
export function createSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export interface SignedPost {
  /** `evt_` and 19 digits, the same over all tries. */
  id: string;
  /** Milliseconds since 1970 of this try. */
  nowMs: number;
  body: string;
  signingSecrets: readonly string[];
  /** Adds X-CALLBACK-ID. */
  login?: { username: string; secret: string };
  /** Value of the Authorization header. */
  authorization?: string;
}

/** All headers of one try, with a nonce of its own. */
export function signedHeaders({
  id,
  nowMs,
  body,
  signingSecrets,
  login,
  authorization,
}: SignedPost): Record<string, string> {
  const timestamp = Math.floor(nowMs / 1000);
  return {
    'content-type': 'application/json',
    'user-agent': 'otp-callback/1',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': webhookSignature(signingSecrets, id, timestamp, body),
    ...(login && { 'x-callback-id': callbackId({ ...login, timestamp, nonce: randomBytes(12).toString('hex') }) }),
    ...(authorization !== undefined && { authorization }),
  };
}
