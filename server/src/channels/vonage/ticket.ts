/**
 * Tickets in the addresses Vonage is given for one call: they say which hand-over the call belongs to, for what and until when,
 * under this provider's key. What holds the code is told for a ticket once; that is kept in marks, not here.
 */
import { sameBytes } from '../../platform/seal.ts';
import type { Ports } from '../contract.ts';
import { parseObject } from './parameters.ts';

/** One call of one hand-over; `id` is random, so that a repeated hand-over is another call. */
export interface Call {
  id: string;
  applicationId: string;
  messageId: string;
  attempt: number;
  reference: string;
}

/** `answer` fetches the prompt, `digits` the code, `event` reports how the call goes. */
export type TicketUse = 'answer' | 'digits' | 'event';

type Sign = Ports['sign'];

/** Fit for a path: `<claims>.<HMAC>`, both base64url. */
export function issueTicket(sign: Sign, use: TicketUse, call: Call, untilMs: number): string {
  const { id, applicationId, messageId, attempt, reference } = call;
  const claims = [id, applicationId, messageId, attempt, reference, Math.floor(untilMs)];
  const text = Buffer.from(JSON.stringify({ claims })).toString('base64url');
  return `${text}.${sign(`${use}.${text}`)}`;
}

/** Null when it is not ours, for another use, or too old. */
export function readTicket(sign: Sign, use: TicketUse, ticket: string, nowMs: number): Call | null {
  const [, text, signature] = /^([\w-]{1,1024})\.([\w-]{1,128})$/.exec(ticket) ?? [];
  if (text === undefined || signature === undefined) return null;
  if (!sameBytes(Buffer.from(signature), Buffer.from(sign(`${use}.${text}`)))) return null;
  const claims = parseObject(Buffer.from(text, 'base64url').toString('utf8'))?.['claims'];
  if (!Array.isArray(claims)) return null;
  const [id, applicationId, messageId, attempt, reference, untilMs] = claims;
  return nowMs < untilMs ? { id, applicationId, messageId, attempt, reference } : null;
}
