/**
 * Tokens in the addresses Twilio asks during a call: which hand-over it is, signed, for one purpose and for a short time. They say
 * nothing secret; the code is looked up when it is to be spoken, so that neither Twilio's logs nor an address ever hold it.
 */
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Ports } from '../contract.ts';
import { parseJson } from './answers.ts';

/** ask: the document that asks for the key; tell: the one with the code. */
export type Purpose = 'ask' | 'tell';

const tokenSchema = z.strictObject({
  applicationId: z.string(),
  messageId: z.string(),
  attempt: z.int(),
  reference: z.string(),
  language: z.string(),
  /** `ask`: random, since one hand-over may make two calls. `tell`: the call it was made for. */
  call: z.string(),
  expiresAtMs: z.int(),
});
export type CallToken = z.infer<typeof tokenSchema>;

export function writeToken({ sign }: Pick<Ports, 'sign'>, purpose: Purpose, token: CallToken): string {
  const payload = Buffer.from(JSON.stringify(token)).toString('base64url');
  return `${payload}.${sign(`${purpose}.${payload}`)}`;
}

/** `late`: ours, but its time is over. */
export type ReadToken = CallToken & { late: boolean };

/** Null for a token that is not ours or was made for something else. */
export function readToken({ sign }: Pick<Ports, 'sign'>, purpose: Purpose, text: string): ReadToken | null {
  const [payload = '', signature = ''] = text.split('.', 2);
  const [given, expected] = [Buffer.from(signature), Buffer.from(sign(`${purpose}.${payload}`))];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const { data } = tokenSchema.safeParse(parseJson(Buffer.from(payload, 'base64url').toString()));
  return data ? { ...data, late: data.expiresAtMs <= Date.now() } : null;
}
