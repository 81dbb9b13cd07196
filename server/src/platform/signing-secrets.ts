/**
 * The signing secrets (`whsec_…`) of one receiver over time: a rotation makes a new one, and the former signs beside it for another
 * day (contract §10.1), so that a receiver can change over. Pure.
 */

/** Newest first; all but the first sign until their time, in milliseconds since 1970. */
export type SigningSecrets = readonly { secret: string; untilMs: number | null }[];

export const overlapMs = 24 * 3_600_000;
/** Secrets that sign at once, so that the header stays short when somebody rotates again and again. */
const maxSigning = 5;

/** Those that sign at this moment, newest first. */
export const signingAt = (signing: SigningSecrets, nowMs: number): string[] =>
  signing.filter(({ untilMs }) => untilMs === null || untilMs > nowMs).map(({ secret }) => secret);

/** With a new one in front. Those of earlier rotations keep the day they were given. */
export function rotated(signing: SigningSecrets, secret: string, nowMs: number): SigningSecrets {
  const former = signing
    .map(({ secret: old, untilMs }) => ({ secret: old, untilMs: untilMs ?? nowMs + overlapMs }))
    .filter(({ untilMs }) => untilMs > nowMs);
  return [{ secret, untilMs: null }, ...former].slice(0, maxSigning);
}
