/**
 * How often an operator token may be wrong, at whatever door: ten times a minute and address, counted by this process alone. Only what has
 * proven wrong is counted and refused: of many who share an address, one who guesses must not keep the others out. The guesser gains
 * nothing by it, as a token has at least 16 characters.
 */
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';

const maxWrong = 10;
const windowMs = 60_000;
const maxAddresses = 10_000;

export interface WrongTokens {
  /** Counts one; throws 429/3004 for one too many. */
  count(ip: string): void;
}

export function createWrongTokens(clock: Clock): WrongTokens {
  const windows = new Map<string, { count: number; endsAt: number }>();

  function open(ip: string, now: number): { count: number; endsAt: number } {
    windows.delete(ip);
    for (const [oldest, { endsAt }] of windows) {
      if (endsAt > now && windows.size < maxAddresses) break;
      windows.delete(oldest);
    }
    const window = { count: 0, endsAt: now + windowMs };
    windows.set(ip, window);
    return window;
  }

  return {
    count(ip) {
      const now = clock.now();
      const known = windows.get(ip);
      // A clock that was set back must not shut anybody out for longer than a window.
      const window = known && known.endsAt > now && known.endsAt - now <= windowMs ? known : open(ip, now);
      if (window.count >= maxWrong) {
        const retryAfter = (window.endsAt - now) / 1000;
        throw new ApiError(3004, 'too many requests', { status: 429, retryAfter });
      }
      window.count++;
    },
  };
}
