/**
 * From an answer to an outcome: the operator's rules in their order, then what HTTP itself says. Acceptance always needs an id; an
 * answer that gives none, and a failure of the server that no rule knows, leave open whether the message went out.
 */
import type { Answered } from '../http-call.ts';
import { type Reason, type Refused, refusedForGood, refusedForNow, type SendOutcome, unknown } from '../outcome.ts';
import type { AnswerRule, IdPlace } from './answer-settings.ts';
import { describePlace, isUpstreamId, placesGiven, type Reading, read, readAnswer } from './place.ts';

export interface AnswerSettings {
  id: IdPlace;
  answers: readonly AnswerRule[];
}

/** `unmapped` hears the status of refusals that no rule knows. */
export function outcomeOf(
  answer: Answered,
  reference: string,
  { id, answers }: AnswerSettings,
  unmapped: (status: number) => void,
): SendOutcome {
  const reading = readAnswer(answer);
  const index = answers.findIndex((rule) => applies(rule, reading));
  const rule = answers[index];
  if (!rule) return byStatus(reading, reference, id, unmapped);
  if (rule.outcome === 'accepted') return accepted(reading, reference, id);
  const detail = sentence(rule, index, answer.status);
  if (rule.outcome === 'unknown') return unknown(detail);
  const { reason, temporary } = rule.outcome;
  return temporary ? refusedForNow(reason, detail, retryAfterOf(answer)) : refusedForGood(reason, detail);
}

function applies(rule: AnswerRule, reading: Reading): boolean {
  const status = String(reading.answer.status);
  if (
    rule.status !== undefined &&
    !(rule.status.endsWith('xx') ? rule.status[0] === status[0] : rule.status === status)
  )
    return false;
  if (placesGiven(rule) === 0) return true;
  const value = read(rule, reading);
  if (value === null || rule.equals === undefined) return value !== null;
  return [rule.equals].flat().some((one) => String(one) === value);
}

/** Only what the settings say is repeated: an answer may hold the recipient. */
function sentence(rule: AnswerRule, index: number, status: number): string {
  const values = rule.equals === undefined ? '' : ` with ${[rule.equals].flat().slice(0, 5).join(' or ')}`;
  const place = placesGiven(rule) === 0 ? '' : `${values} ${describePlace(rule)}`;
  return `the gateway answered ${status}${place}: ${rule.note ?? remedyOf(rule.outcome) ?? `rule ${index + 1} of answers`}`;
}

const remedies: Partial<Record<Reason, string>> = {
  credentials: 'check auth, api_key and api_secret',
  funds: 'the account has no credit; top it up',
  throttled: 'too many requests; raise the limit at the gateway',
  sender_invalid: 'the sender is not allowed; correct it here or register it at the gateway',
  template_invalid: 'the text is not registered; register it at the gateway',
  config: 'the gateway does not take the request; compare url, headers and body with its manual',
};
const remedyOf = (outcome: AnswerRule['outcome']): string | undefined =>
  typeof outcome === 'object' ? remedies[outcome.reason] : undefined;

function accepted(reading: Reading, reference: string, place: IdPlace): SendOutcome {
  const upstreamId = place.reference ? reference : read(place, reading);
  if (upstreamId !== null && isUpstreamId(upstreamId)) return { kind: 'accepted', upstreamId };
  return unknown(
    `the gateway answered ${reading.answer.status} without an id ${describePlace(place)}: check id in the settings`,
  );
}

function byStatus(
  reading: Reading,
  reference: string,
  place: IdPlace,
  unmapped: (status: number) => void,
): SendOutcome {
  const { answer } = reading;
  const { status } = answer;
  if (status >= 200 && status < 300) return accepted(reading, reference, place);
  if (status >= 500 || status < 200)
    return unknown(`the gateway answered ${status}: whether it took the message is not known`);
  if (status === 401 || status === 403) return refusal('credentials', status);
  if (status === 402) return refusal('funds', status);
  if (status === 429)
    return refusedForNow('throttled', `the gateway answered 429: ${remedies.throttled}`, retryAfterOf(answer));
  if (status < 400)
    return refusedForGood(
      'config',
      `the gateway answered ${status} and sends elsewhere, which is not followed: correct url`,
    );
  unmapped(status);
  return refusal('config', status);
}

const refusal = (reason: Reason, status: number): Refused =>
  refusedForGood(reason, `the gateway answered ${status}: ${remedies[reason]}`);

const maxWaitMs = 3_600_000;

/** Retry-After in seconds or as a date. */
function retryAfterOf({ headers }: Answered): { retryAfterMs?: number } {
  const [given] = [headers['retry-after']].flat();
  if (given === undefined) return {};
  const waitMs = /^\d{1,9}$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.now();
  return waitMs > 0 ? { retryAfterMs: Math.min(waitMs, maxWaitMs) } : {};
}
