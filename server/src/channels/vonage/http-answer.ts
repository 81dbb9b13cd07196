/**
 * Answers outside 2xx of any API of Vonage: a problem document names what is wrong in the end of its `type`; without one the HTTP
 * status must do. A 5xx without a described problem is unknown, since the request may have been taken.
 */
import type { Log } from '../../platform/log.ts';
import type { Answered } from '../http-call.ts';
import { type Refused, refusedForGood, type Unknown, unknown } from '../outcome.ts';
import { type CodeMap, countUnmapped, meaningOf, refusedBy } from './codes.ts';
import { parseObject } from './parameters.ts';

export function refusedByHttp(answer: Answered, codeMap: CodeMap | undefined, log: Log): Refused | Unknown {
  const { status, headers } = answer;
  const problem = problemOf(answer.body);
  const code = [problem, String(status)].find((one) => one !== null && meaningOf('http', one, codeMap) !== null);
  const meaning = code ? meaningOf('http', code, codeMap) : null;
  const name = `Vonage HTTP ${status}${problem === null ? '' : ` ${problem}`}`;
  if (meaning) return refusedBy(name, meaning, retryAfterMs(headers['retry-after']));
  if (status < 400 || status >= 500) return unknown(`${name} says nothing of what became of the request`);
  countUnmapped(log, 'http', problem ?? String(status));
  return refusedForGood('config', `${name}: the request was refused; check sender and addresses in the settings`);
}

/** An address below the one in the settings, which may have a path of its own and a slash at its end. */
export const atApi = (apiUrl: string, path: string): string => apiUrl.replace(/\/+$/, '') + path;

/** `https://developer.nexmo.com/api-errors#low-balance` and `LOW_BALANCE` are both `low-balance`. */
function problemOf(body: string): string | null {
  const type = parseObject(body)?.['type'];
  const last = typeof type === 'string' ? /[A-Za-z][\w-]{2,39}$/.exec(type)?.[0] : undefined;
  return last ? last.toLowerCase().replaceAll('_', '-') : null;
}

function retryAfterMs(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) * 1000 : undefined;
}
