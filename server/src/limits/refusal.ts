/** What a refused grant says to the caller: 3004 at HTTP 400 with Retry-After (contract §3, §5.6). */
import { ApiError, refuse } from '../errors.ts';
import type { Verdict } from './grant.ts';
import type { ListHit } from './lists.ts';

/** One limit that was asked. */
export interface LimitNote {
  policy: string;
  count: number;
  limit: number;
  window_seconds: number;
  mode?: 'shadow';
}

/** By who counted: limits per target here, the other limits in the room rates; other rooms add what they found. */
export interface LimitNotes {
  target?: LimitNote[];
  rate?: LimitNote[];
  [word: string]: unknown;
}

export interface RefusalRow {
  verdict: Verdict;
  /** Seconds until the rule would pass; null where there is nothing to wait for. */
  retryAfter: number | null;
  /** The living message that holds the lock. */
  lockMessageId: string | null;
  /** Of the addresses named: those opted out. */
  optedOut: readonly string[];
  /** What the limits counted before this send; null where none was asked. */
  notes: LimitNotes | null;
  /** The block entries about them or about where the request came from. */
  listed: readonly ListHit[];
}

/** The error of a refusing verdict; null when there is nothing to refuse, or when the caller asks again otherwise. */
export function refusalOf({ verdict, retryAfter, lockMessageId, notes }: RefusalRow): ApiError | null {
  switch (verdict) {
    case 'granted':
    case 'changed':
    case 'listed':
    case 'unsubscribed':
      return null;
    case 'rate_limited':
      return rateRefusal([...(notes?.target ?? []), ...(notes?.rate ?? [])], retryAfter ?? 1);
    case 'insufficient_balance':
    case 'budget_exhausted':
      return refuse(verdict, '', retryAfter === null ? {} : { retryAfter });
    default: {
      const details = verdict === 'code_still_valid' && lockMessageId !== null ? { message_id: lockMessageId } : {};
      return refuse(verdict, '', { retryAfter: retryAfter ?? 1, details });
    }
  }
}

/** 429/3004 with the headers of draft-ietf-httpapi-ratelimit-headers, which name the limit that was hit. */
export function rateRefusal(notes: readonly LimitNote[], retryAfter: number): ApiError {
  const hit = notes.find(({ count, limit, mode }) => mode !== 'shadow' && count >= limit);
  if (!hit) return new ApiError(3004, 'too many requests', { status: 429, retryAfter });
  const { policy, limit, window_seconds: seconds } = hit;
  return refuse('rate_limited', policy, {
    status: 429,
    retryAfter,
    details: { policy },
    headers: {
      'RateLimit-Policy': `"${policy}";q=${limit};w=${seconds}`,
      RateLimit: `"${policy}";r=0;t=${Math.max(1, Math.ceil(retryAfter))}`,
    },
  });
}
