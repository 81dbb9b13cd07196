/** What the room is given by the wiring. Those that read take the transaction in which a rule is judged. */
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';

export interface Balance {
  micros: number;
  currency: string;
}

/** A provider as the live nodes see it. */
export interface ProviderCircuit {
  provider: string;
  /** The worst that one of them sees; null where none says anything. */
  circuit: 'closed' | 'half_open' | 'open' | null;
  /** Why it is not closed. */
  reason: string | null;
}

/** A callback endpoint that fails or was disabled for it. */
export interface FailingEndpoint {
  id: string;
  applicationId: string;
  /** Its address may carry a secret in path or query. */
  host: string;
  failingSince: Date | null;
  disabledBecause: string | null;
}

/** What became of an e-mail. `unknown`: nobody knows whether it went out. */
export type MailOutcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; temporary: boolean; detail: string; retryAfterMs?: number }
  | { kind: 'unknown'; detail: string };

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export interface AlertsPorts {
  db: Db;
  clock: Clock;
  log: Log;
  keyring: Keyring;
  outbound: Pick<Outbound, 'request'>;
  /** Without a slash at the end. */
  telegramApiUrl: string;
  /** ISO 4217 code of every cost. */
  currency: string;
  /** Null when there is none. */
  application(id: string): Promise<Application | null>;
  isMailProvider(id: string): Promise<boolean>;
  sendMail(providerId: string, mail: Mail, signal: AbortSignal): Promise<MailOutcome>;
  /** Null: without a limit. */
  balance(tx: Queryable, applicationId: string): Promise<Balance | null>;
  /** Every provider there is. */
  circuits(tx: Queryable): Promise<ProviderCircuit[]>;
  failingEndpoints(tx: Queryable): Promise<FailingEndpoint[]>;
}
