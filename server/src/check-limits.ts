/** Rate limits on checks: the room verifications counts them in its statement without knowing what they are. */
import { canonicalIp, type LimitNote, rateRefusal } from './limits/index.ts';
import { createRateShare, type RateAsk, type Rates } from './rates/index.ts';
import type { CheckPorts, Limiting } from './verifications/index.ts';

export const checkLimits: Pick<CheckPorts, 'limits' | 'limitRefusal'> = {
  limits: createRateShare(({ applicationId, rates }) => ({ applicationId, asks: rates as readonly RateAsk[] })),
  limitRefusal: (note, retryAfter) => rateRefusal(note as readonly LimitNote[], retryAfter),
};

export const limitChecks =
  (rates: Pick<Rates, 'ofCheck'>): Limiting =>
  ({ application, keyId, limits }, signals) =>
    rates.ofCheck(application, {
      keyId,
      keyLimits: limits,
      ip: canonicalIp(signals?.ip ?? ''),
      deviceId: signals?.device_id || null,
      sessionId: signals?.session_id || null,
    });
