/**
 * How often the wrong operator token may be tried: ten times a minute and address. Counted by this process alone. An attempt counts until
 * it has proven right, so that many at once are no way around.
 */
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';

const maxAttempts = 10;
const windowMs = 60_000;
const maxAddresses = 10_000;

export interface LoginThrottle {
  /** Throws 429/3004. Call the result when the attempt was right. */
  take(ip: string): () => void;
}

export function createLoginThrottle(clock: Clock): LoginThrottle {
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
    take(ip) {
      const now = clock.now();
      const known = windows.get(ip);
      // A clock that was set back must not shut anybody out for longer than a window.
      const window = known && known.endsAt > now && known.endsAt - now <= windowMs ? known : open(ip, now);
      if (window.count >= maxAttempts) {
        const retryAfter = (window.endsAt - now) / 1000;
        throw new ApiError(3004, 'too many requests', { status: 429, retryAfter });
      }
      window.count++;
      return () => {
        window.count--;
      };
    },
  };
}
