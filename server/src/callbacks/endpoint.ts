/** A callback endpoint: what may be chosen, and what it is once its secrets are opened. */
import type { EventName } from '../events/index.ts';
import type { Keyring } from '../platform/seal.ts';
import { type SigningSecrets, signingAt } from '../platform/signing-secrets.ts';
import type { ScheduleName } from './schedule.ts';

export const formatNames = ['vendor', 'standard'] as const;

/** What its owner chooses. */
export interface EndpointSettings {
  description: string;
  url: string;
  username: string | null;
  eventTypes: readonly EventName[];
  /** vendor: the contract's envelope. standard: one `{type, timestamp, data}` per request. */
  format: (typeof formatNames)[number];
  retrySchedule: ScheduleName;
  /** Rows per request; above 1 only with the vendor format. */
  batchRows: number;
  timeoutMs: number;
  /** Posts under way at once. */
  concurrency: number;
  /** Posts per second; null: as fast as it answers. */
  ratePerSecond: number | null;
  enabled: boolean;
}

/** Kept sealed. */
export interface EndpointSecrets {
  /** Of the username. */
  secret: string | null;
  /** Value of the Authorization header. */
  authorization: string | null;
  signing: SigningSecrets;
}

export type DisabledBecause = 'gone' | 'failing';

export interface Endpoint extends EndpointSettings {
  id: string;
  applicationId: string;
  secrets: EndpointSecrets;
  disabledBecause: DisabledBecause | null;
  ofSandbox: boolean;
  reachable: boolean;
  probeNote: string;
  probedAt: Date;
  failingSince: Date | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

const purpose = 'callback-endpoint';

export const sealSecrets = (keyring: Keyring, applicationId: string, secrets: EndpointSecrets): Buffer =>
  keyring.seal(purpose, JSON.stringify(secrets), applicationId);

export const openSecrets = (keyring: Keyring, applicationId: string, sealed: Buffer): EndpointSecrets =>
  JSON.parse(keyring.open(purpose, sealed, applicationId)) as EndpointSecrets;

export const signingSecretsAt = ({ signing }: EndpointSecrets, nowMs: number): string[] => signingAt(signing, nowMs);
