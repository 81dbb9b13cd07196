/**
 * From Twilio's answers to outcomes: a hand-over's HTTP answer and the ErrorCode of a receipt. An error names itself by a number in
 * its JSON; a 5xx without one leaves open whether the message went out, since Twilio drops no repeated request.
 */
import { z } from 'zod';
import type { Log } from '../../platform/log.ts';
import type { Answered } from '../http-call.ts';
import {
  type Reason,
  type Refused,
  reasons,
  refusedForGood,
  refusedForNow,
  type SendOutcome,
  type Undelivered,
  undelivered,
  unknown,
} from '../outcome.ts';
import { type Meaning, meanings } from './codes.ts';

const mapped = z.strictObject({ reason: z.enum(reasons), temporary: z.boolean().default(false) });

export const codeMap = z.record(z.string().regex(/^\d{1,6}$/, 'must be an error code of Twilio'), mapped).meta({
  title: 'Error codes',
  description: 'Twilio error code → reason, where this account needs another than ours.',
});

export interface Meanings {
  codeMap: Readonly<Record<string, { reason: Reason; temporary: boolean }>>;
  log: Log;
}

const created = z.object({ sid: z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/) });
const failed = z.object({ code: z.int().positive() });

/** `what` names the thing handed over, for sentences: message or call. */
export function outcomeOf(answer: Answered, what: string, how: Meanings): SendOutcome {
  const { status } = answer;
  const body = parseJson(answer.body);
  if (status >= 200 && status < 300) {
    const { data } = created.safeParse(body);
    return data
      ? { kind: 'accepted', upstreamId: data.sid }
      : unknown(`Twilio answered ${status} without a ${what} id`);
  }
  const code = failed.safeParse(body).data?.code;
  if (status === 401) return refusal(code ?? 20003, meanings[20003]);
  if (status === 429) return throttled(code ?? 20429, answer, how);
  if (code !== undefined) return refusal(code, meaningOf(code, how));
  if (status >= 500) return unknown(`Twilio answered ${status} without an error code`);
  return bareRefusal(status);
}

function refusal(code: number, { reason, temporary, errorCode, about }: Meaning): Refused {
  const refuse = temporary ? refusedForNow : refusedForGood;
  return refuse(reason, sentence(code, about), errorCode === undefined ? {} : { errorCode });
}

function throttled(code: number, answer: Answered, how: Meanings): Refused {
  const seconds = Number(answer.headers['retry-after']);
  const { about } = meaningOf(code, how);
  return refusedForNow('throttled', sentence(code, about), seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {});
}

/** Not Twilio's own words: a proxy, or an address that is none of Twilio's. */
function bareRefusal(status: number): Refused {
  if (status === 403)
    return refusedForGood('credentials', 'HTTP 403 without an error code: check account_sid and the key');
  if (status === 404 || status < 400)
    return refusedForGood('config', `HTTP ${status} without an error code: check api_url and account_sid`);
  return refusedForNow(
    'upstream_error',
    `HTTP ${status} without an error code: check api_url and what stands in between`,
  );
}

/** `ErrorCode` of a receipt as Twilio wrote it; without one, what `otherwise` says. */
export function undeliveredBy(errorCode: string | null, otherwise: Undelivered, how: Meanings): Undelivered {
  const code = Number(errorCode);
  if (!Number.isSafeInteger(code) || code <= 0) return otherwise;
  const { reason, errorCode: ours, about } = meaningOf(code, how);
  return undelivered(reason, sentence(code, about), ours);
}

function meaningOf(code: number, { codeMap: own, log }: Meanings): Meaning {
  const override = Object.hasOwn(own, code) ? own[code] : undefined;
  if (override) return { ...override, about: 'mapped in code_map' };
  const known = meanings[code];
  if (known) return known;
  log.warn({ upstreamCode: code }, 'unmapped code');
  return { reason: 'upstream_error', temporary: true, about: 'an error without a row in our table; see code_map' };
}

const sentence = (code: number, about: string): string => `Twilio ${code}: ${about}`;

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const noCause = undelivered('upstream_error', 'Twilio reports a failure without a cause');
