/**
 * What a dialling code's days have been, read from time to time and kept in memory: a limit grows with what an application is used
 * to. A figure that could not be read counts as not known, and what is not known refuses nobody.
 */
import { type CountryCode, getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js/max';
import type { Log } from '../platform/log.ts';
import type { PastDays } from './asks.ts';

export interface PastSends {
  /** When the application sent first, as far as is known. */
  since: Date | null;
  /** Of the seven days before today (UTC); days without sends are left out. */
  days: readonly { country: string; messages: number }[];
}

export interface PastOptions {
  log: Log;
  clock: { now(): number };
  pastSends(applicationId: string): Promise<PastSends>;
}

interface Known {
  readAtMs: number;
  known: boolean;
  p95: ReadonlyMap<string, number>;
}

const week = 7 * 86_400_000;
const readEveryMs = 600_000;
/** Applications beyond it are read again when they send again. */
const keptApplications = 10_000;
const unknown: PastDays = { p95: 0, known: false };

export function createPast({ log, clock, pastSends }: PastOptions) {
  const kept = new Map<string, Known>();
  const reading = new Set<string>();

  async function read(applicationId: string): Promise<void> {
    reading.add(applicationId);
    try {
      const { since, days } = await pastSends(applicationId);
      const now = clock.now();
      if (kept.size >= keptApplications) kept.clear();
      kept.set(applicationId, {
        readAtMs: now,
        known: since !== null && now - since.getTime() >= week,
        p95: p95Of(days),
      });
    } catch (error) {
      log.warn({ err: error, application: applicationId }, 'the past of a limit could not be read; it refuses nobody');
    } finally {
      reading.delete(applicationId);
    }
  }

  return (applicationId: string, callingCode: string): PastDays => {
    const found = kept.get(applicationId);
    const stale = !found || Math.abs(clock.now() - found.readAtMs) > readEveryMs;
    if (stale && !reading.has(applicationId)) void read(applicationId);
    return found ? { known: found.known, p95: found.p95.get(callingCode) ?? 0 } : unknown;
  };
}

/** By dialling code. Of seven days the 95th percentile (nearest rank) is the busiest. */
export function p95Of(days: PastSends['days']): Map<string, number> {
  const busiest = new Map<string, number>();
  for (const { country, messages } of days) {
    if (!isSupportedCountry(country)) continue;
    const code = getCountryCallingCode(country as CountryCode);
    busiest.set(code, Math.max(busiest.get(code) ?? 0, messages));
  }
  return busiest;
}
