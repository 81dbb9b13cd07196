/** The rows of this room as the rest of it sees them. Ids of routes and entries are decimal strings. */
import type { Channel } from '../channels/index.ts';

export interface CircuitRule {
  /** Fewer calls inside the window open nothing. */
  min_calls: number;
  error_ratio: number;
  window_seconds: number;
  open_seconds: number;
}

export interface QuietHours {
  /** HH:MM */
  from: string;
  to: string;
  /** IANA name. */
  time_zone: string;
}

/** What an operator may say about a provider besides the settings of its adapter. */
export interface ProviderTerms {
  title: string;
  enabled: boolean;
  /** Of all nodes together. */
  ratePerSecond: number | null;
  /** Per node. */
  concurrency: number;
  quietHours: QuietHours | null;
  circuit: CircuitRule;
}

/** Ids of providers. */
export const providerIdPattern = /^[a-z0-9-]{2,40}$/;

export interface Provider extends ProviderTerms {
  id: string;
  adapter: string;
  /** Sealed JSON. */
  settings: Buffer;
  drainedUntil: Date | null;
  circuitResetAt: Date | null;
  /** Sealed. */
  hookToken: Buffer;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export type Senders = 'own' | 'any' | readonly string[];

export interface Entry {
  id: string;
  provider: string;
  priority: number;
  /** Null = the default of the provider. */
  sender: string | null;
  /** Which senders a customer may ask for. */
  senders: Senders;
  /** Per message part. */
  priceMicros: number;
  registrationNote: string;
  enabled: boolean;
}

/** Where a route leads; a default route has neither country nor prefix. */
export interface Reach {
  /** Null = all applications. */
  applicationId: string | null;
  channel: Channel;
  country: string | null;
  /** Digits behind the +. */
  prefix: string | null;
}

export interface Route extends Reach {
  id: string;
  enabled: boolean;
  note: string;
  entries: readonly Entry[];
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** Who did it, for the ledger; null for what the seed file says. */
export type Actor = { ip: string } | null;
