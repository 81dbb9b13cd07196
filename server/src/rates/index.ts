/**
 * Rate limits in sliding windows: sends and checks per address, device, session, number prefix, dialling code, key and application, as the
 * policy `limits` says. They are counted inside the statements that accept a send or check a code, on locked rows that all nodes
 * share, by the database's clock: parallel requests never pass more than a limit, and what is refused is not counted. Limits per
 * target are counted in the room limits, on the row that every send of a target holds anyway.
 */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Application, TargetLimit } from '../policy.ts';
import { agentAsks, limitsOf, type RateAsk, type RateSubject, rateAsks, targetLimits } from './asks.ts';
import { sweepCounters } from './counter-store.ts';
import { createPast, type PastSends } from './past.ts';

export type { RateAsk, RateSubject } from './asks.ts';
export { createRateShare } from './counter-store.ts';
export type { PastSends } from './past.ts';

export interface Rates {
  /** What a send asks before it is accepted. Null: a test number, for which nothing is counted. */
  ofSend(application: Application, subject: RateSubject | null): { asks: RateAsk[]; targetLimits: TargetLimit[] };
  /** What a check asks before the code is compared. */
  ofCheck(
    application: Application,
    subject: Pick<RateSubject, 'keyId' | 'keyLimits' | 'ip' | 'deviceId' | 'sessionId'>,
  ): RateAsk[];
  /** Forgets up to `limit` counters that no window reaches any more; resolves with how many. */
  sweep(limit: number): Promise<number>;
}

export interface RatesOptions {
  db: Db;
  log: Log;
  clock: { now(): number };
  /** Sends of the last days, per day and country. */
  pastSends(applicationId: string): Promise<PastSends>;
}

const nobody = { agent: null, recipients: [], target: null, templateId: null, prefix: null, callingCode: null };

export function createRates({ db, log, clock, pastSends }: RatesOptions): Rates {
  const past = createPast({ log, clock, pastSends });
  return {
    ofSend(application, subject) {
      if (subject === null) return { asks: [], targetLimits: [] };
      const limits = limitsOf(application);
      return {
        asks: [
          ...rateAsks(limits, 'send', subject, (callingCode) => past(application.id, callingCode)),
          ...agentAsks(application, subject),
        ],
        targetLimits: targetLimits(limits, subject),
      };
    },
    ofCheck: (application, subject) =>
      rateAsks(limitsOf(application), 'check', { ...nobody, ...subject }, () => ({ p95: 0, known: true })),
    sweep: (limit) => sweepCounters(db, limit),
  };
}
