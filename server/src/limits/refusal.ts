/** What a refused grant says to the caller: 3004 at HTTP 400 with Retry-After (contract §3, §5.6). */
import { type ApiError, refuse } from '../errors.ts';
import type { Verdict } from './grant.ts';
import type { ListHit } from './lists.ts';

export interface RefusalRow {
  verdict: Verdict;
  /** Seconds until the rule would pass; null where there is nothing to wait for. */
  retryAfter: number | null;
  /** The living message that holds the lock. */
  lockMessageId: string | null;
  /** Of the addresses named: those opted out. */
  optedOut: readonly string[];
  /** The block entries about them or about where the request came from. */
  listed: readonly ListHit[];
}

/** The error of a refusing verdict; null when there is nothing to refuse, or when the caller asks again otherwise. */
export function refusalOf({ verdict, retryAfter, lockMessageId }: RefusalRow): ApiError | null {
  if (verdict === 'granted' || verdict === 'changed' || verdict === 'listed' || verdict === 'unsubscribed') return null;
  const details = verdict === 'code_still_valid' && lockMessageId !== null ? { message_id: lockMessageId } : {};
  return refuse(verdict, '', { retryAfter: retryAfter ?? 1, details });
}
