/**
 * What an answer of Meta means for a message. An error that Meta names is a refusal, since nothing went out; a 5xx without one is
 * unknown. Nothing of the message may come back in a sentence: Meta's details are shown without any word that holds a digit.
 */
import { z } from 'zod';
import type { Log } from '../../platform/log.ts';
import {
  type Refused,
  refusedForGood,
  refusedForNow,
  type SendOutcome,
  type Undelivered,
  undelivered,
  unknown,
} from '../outcome.ts';
import { type CodeMap, type Meaning, meaningOf } from './codes.ts';
import type { GraphAnswer, GraphError } from './graph.ts';

export interface Judge {
  log: Log;
  codeMap: CodeMap;
}

const acceptance = z.object({ messages: z.array(z.object({ id: z.string().min(1) })).min(1) });

/** @param code the code in the message, kept out of the sentence */
export function outcomeOf(judge: Judge, answer: GraphAnswer, code: string): SendOutcome {
  const { status, json, error } = answer;
  if (error) return refusalOf(judge, error, status, code);
  if (status >= 200 && status <= 299) {
    const id = acceptance.safeParse(json).data?.messages[0]?.id;
    return id === undefined ? unknown(`HTTP ${status} without a message id`) : { kind: 'accepted', upstreamId: id };
  }
  return silentAnswer(status);
}

/** An HTTP status that comes without Meta's own error, often from something between us and Meta. */
export function silentAnswer(status: number): SendOutcome {
  if (status >= 500) return unknown(`HTTP ${status} without an error`);
  if (status === 429) return refusedForNow('throttled', 'HTTP 429: too many requests');
  return refusedForNow(
    'upstream_error',
    `HTTP ${status} without an error of Meta's: check api_url and what lies between`,
  );
}

/** The refusal an error of Meta's stands for; notes the trace, and a code nobody has mapped. */
export function refusalOf(judge: Judge, error: GraphError, status: number, code?: string): Refused {
  const { log, codeMap } = judge;
  log.info({ upstreamCode: error.code, httpStatus: status, fbtraceId: error.trace }, 'refused by Meta');
  const { reason, temporary, remedy } = judged(error, log, codeMap);
  const detail = sentence(remedy, error, code);
  return temporary ? refusedForNow(reason, detail) : refusedForGood(reason, detail);
}

/** The same for a message that Meta took and could not deliver. */
export function failureOf({ log, codeMap }: Judge, error: GraphError | undefined): Undelivered {
  if (!error) return undelivered('upstream_error', 'Meta reported a failure without saying why');
  const { reason, remedy } = judged(error, log, codeMap);
  return undelivered(reason, sentence(remedy, error));
}

function judged(error: GraphError, log: Log, codeMap: CodeMap): Meaning {
  const { code } = error;
  const meaning = meaningOf(code, codeMap);
  if (!meaning) {
    log.warn({ upstreamCode: code }, 'unmapped code');
    return {
      reason: 'upstream_error',
      temporary: true,
      remedy: 'Meta gave a code that is not mapped yet: see code_map',
    };
  }
  if (meaning.alert) log.warn({ upstreamCode: code }, meaning.remedy);
  // A request that is right for everybody else is wrong in its number only, which is no fault of the account.
  if (meaning.reason === 'config' && namesRecipient(error) && !Object.hasOwn(codeMap, code))
    return { reason: 'number_invalid', temporary: false, remedy: 'WhatsApp does not take this number' };
  return meaning;
}

const parameterCodes: readonly number[] = [100, 131008, 131009];

const namesRecipient = ({ code, details = '' }: GraphError): boolean =>
  parameterCodes.includes(code) && /\brecipient\b|\bparam(eter)?\s+['"`]?to\b|(['"`[])to['"`\]]/i.test(details);

function sentence(remedy: string, { code, details }: GraphError, secret?: string): string {
  const said = scrub(details ?? '', secret);
  return `${remedy} (Meta error ${code}${said === '' ? '' : `: ${said}`})`;
}

/** Details can repeat a parameter, which is a code or a number: no word with a digit stays, nor the code where it is known. */
function scrub(details: string, secret?: string): string {
  const clear = secret ? details.replaceAll(secret, '…') : details;
  return clear
    .replace(/\S*\d\S*/g, '…')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200);
}
