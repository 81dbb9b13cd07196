/**
 * Signed webhooks of Vonage's Voice API: a JWT in the Authorization header, HS256 and nothing else, under the signature secret of
 * the account it names, younger than five minutes, over the hash of what was sent. Contract: upstreams §11.
 */
import { createHash } from 'node:crypto';
import { jwtVerify } from 'jose';
import { sameBytes } from '../../platform/seal.ts';
import type { HookRequest } from '../contract.ts';

const maxAgeSeconds = 300;

export interface Signer {
  apiKey: string;
  /** The current secret, and the previous one while it is being changed. */
  secrets: readonly string[];
}

export type Verdict = 'signed' | 'unsigned' | 'forged';

export async function judgeWebhook(request: HookRequest, signer: Signer, nowMs: number): Promise<Verdict> {
  const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers['authorization'] ?? '') ?? [];
  if (request.headers['authorization'] === undefined) return 'unsigned';
  if (token === undefined) return 'forged';
  for (const secret of signer.secrets) {
    const claims = await claimsOf(token, secret, nowMs);
    if (claims) return claims['api_key'] === signer.apiKey && isAbout(request, claims, nowMs) ? 'signed' : 'forged';
  }
  return 'forged';
}

async function claimsOf(token: string, secret: string, nowMs: number): Promise<Record<string, unknown> | null> {
  try {
    const { payload } = await jwtVerify(token, Buffer.from(secret, 'utf8'), {
      algorithms: ['HS256'],
      currentDate: new Date(nowMs),
      clockTolerance: maxAgeSeconds,
    });
    return payload;
  } catch {
    // Whatever is wrong with it, it is not a token of this secret.
    return null;
  }
}

function isAbout(request: HookRequest, { iat, payload_hash: hash }: Record<string, unknown>, nowMs: number): boolean {
  if (typeof iat !== 'number' || Math.abs(nowMs / 1000 - iat) > maxAgeSeconds || typeof hash !== 'string') return false;
  const payload = request.method === 'POST' ? request.body : queryAsJson(request.query);
  return sameBytes(Buffer.from(hash.toLowerCase()), Buffer.from(createHash('sha256').update(payload).digest('hex')));
}

/** In the order of the query and without blanks; an object would sort names that are numbers. */
function queryAsJson(query: URLSearchParams): string {
  return `{${[...query].map((pair) => pair.map((text) => JSON.stringify(text)).join(':')).join(',')}}`;
}
