/** How an endpoint fares over its posts: since when it fails, and when it is switched off (contract §10.3). */
import { disableEndpoint, type Endpoint, noteHealth } from '../callbacks/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Verdict } from './judge.ts';

const failingDays = 5;
/** Between two looks whether the days are over. */
const lookEveryMs = 60_000;

interface HealthPorts {
  db: Db;
  clock: Clock;
  log: Log;
  disabled(endpointId: string): void;
}

export interface Health {
  note(endpoint: Endpoint, verdict: Verdict): Promise<void>;
}

export function createHealth({ db, clock, log, disabled }: HealthPorts): Health {
  /** Whether it was failing when last looked at, and when that was. */
  const seen = new Map<string, { failing: boolean; lookedAtMs: number }>();

  async function off(endpoint: Endpoint, because: 'gone' | 'failing'): Promise<void> {
    if (!(await disableEndpoint(db, endpoint.id, because, new URL(endpoint.url).host, failingDays))) return;
    log.warn(
      { endpoint: endpoint.id, application: endpoint.applicationId, because },
      'a callback endpoint was switched off',
    );
    seen.delete(endpoint.id);
    disabled(endpoint.id);
  }

  return {
    async note(endpoint, { outcome, gone }) {
      if (gone) return off(endpoint, 'gone');
      const failing = outcome !== 'accepted';
      const before = seen.get(endpoint.id) ?? { failing: endpoint.failingSince !== null, lookedAtMs: 0 };
      const nowMs = clock.now();
      if (failing !== before.failing) await noteHealth(db, endpoint.id, failing);
      const due = failing && before.failing && nowMs - before.lookedAtMs >= lookEveryMs;
      seen.set(endpoint.id, { failing, lookedAtMs: due || !before.failing ? nowMs : before.lookedAtMs });
      if (due) await off(endpoint, 'failing');
    },
  };
}
