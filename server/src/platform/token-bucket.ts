/**
 * So many per second, as a token bucket, pure. Where nothing else is said it holds a tenth of a second's worth (at least one), so that
 * no second sees much more than the rate. Asking takes nothing when there is nothing to take.
 */

export interface Bucket {
  tokens: number;
  atMs: number;
}

/** Full. */
export const fullBucket = (rate: number, nowMs: number, holds = capacity(rate)): Bucket => ({
  tokens: holds,
  atMs: nowMs,
});

const capacity = (rate: number): number => Math.max(1, rate / 10);

/** The bucket at a later time; a clock that steps back fills nothing. */
function filled({ tokens, atMs }: Bucket, rate: number, nowMs: number, holds: number): Bucket {
  const passedMs = Math.max(0, nowMs - atMs);
  return { tokens: Math.min(holds, tokens + (passedMs * rate) / 1_000), atMs: Math.max(atMs, nowMs) };
}

/** Milliseconds until there is a token to take; 0 when there is one now. */
export function waitMs(bucket: Bucket, rate: number, nowMs: number, holds = capacity(rate)): number {
  // What rounding left of a whole token is one.
  const missing = 1 - 1e-9 - filled(bucket, rate, nowMs, holds).tokens;
  return missing <= 0 ? 0 : Math.max(1, Math.ceil((missing * 1_000) / rate));
}

/** Only where `waitMs` is 0. */
export function taken(bucket: Bucket, rate: number, nowMs: number, holds = capacity(rate)): Bucket {
  const full = filled(bucket, rate, nowMs, holds);
  return { ...full, tokens: Math.max(0, full.tokens - 1) };
}

/** What one node may use of a rate that all nodes share. */
export const shareOf = (rate: number, liveNodes: number): number => rate / Math.max(1, liveNodes);
