/** What an answer to a callback means (contract §10.3). Pure. */
import { type Endpoint, nextTryInMs } from '../callbacks/index.ts';
import type { OutboundAnswer } from '../platform/outbound.ts';
import { printable } from '../platform/printable.ts';

export interface Verdict {
  outcome: 'accepted' | 'retry' | 'given_up';
  httpStatus: number | null;
  /** Why it failed, in a few words an operator understands. */
  detail: string | null;
  /** The first 2 kB of the answer, printable. */
  response: string | null;
  /** Until the next try; null when there is none. */
  nextInMs: number | null;
  /** How long the receiver asked for rest. */
  pauseMs: number;
  /** It has too much to do, or is not there: fewer posts at once. */
  slowDown: boolean;
  /** 410: it wants nothing any more. */
  gone: boolean;
}

const maxResponseBytes = 2048;
const maxPauseMs = 3_600_000;

/** `tries` counts this one; `chance` in [0, 1) spreads the retries. */
export function judge(
  { retrySchedule }: Pick<Endpoint, 'retrySchedule'>,
  tries: number,
  answer: OutboundAnswer,
  nowMs: number,
  chance: number,
): Verdict {
  const none = { detail: null, response: null, nextInMs: null, pauseMs: 0, slowDown: false, gone: false };
  if (answer.kind === 'failed') {
    const nextInMs = nextTryInMs(retrySchedule, tries, chance);
    return {
      ...none,
      outcome: nextInMs === null ? 'given_up' : 'retry',
      httpStatus: null,
      detail: `${answer.reason}: ${answer.detail}`,
      nextInMs,
      slowDown: answer.reason !== 'forbidden',
    };
  }
  const { status } = answer;
  const response = answer.body === '' ? null : printable(answer.body, maxResponseBytes);
  if (status >= 200 && status < 300) return { ...none, outcome: 'accepted', httpStatus: status, response };
  const asksForRest = status === 429 || status === 503;
  const restMs = asksForRest ? retryAfterMs(answer.headers['retry-after'], nowMs) : 0;
  const nextInMs = nextTryInMs(retrySchedule, tries, chance, restMs / 1000);
  return {
    outcome: nextInMs === null ? 'given_up' : 'retry',
    httpStatus: status,
    detail: textOf(status),
    response,
    nextInMs,
    pauseMs: restMs,
    slowDown: status === 429 || status >= 500,
    gone: status === 410,
  };
}

function textOf(status: number): string {
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  if (status === 410) return 'answered 410: the endpoint is switched off';
  return `answered ${status}`;
}

/** Seconds or an HTTP date, at most an hour; 0 for anything else. */
function retryAfterMs(header: string | string[] | undefined, nowMs: number): number {
  if (typeof header !== 'string') return 0;
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(maxPauseMs, Math.max(0, ms));
}
