/**
 * The door of the room, as types: what delivery and app.ts see of providers and routes. Nothing here throws for what the world
 * answered, and the synchronous members answer from memory.
 */
import type {
  Channel,
  HookAnswer,
  HookRequest,
  Ports,
  Receipt,
  Registry,
  SendOutcome,
  Uplink,
  Upstream,
} from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Circuit } from './circuit.ts';
import type { WorstHealth } from './health-store.ts';
import type { Mail } from './mail.ts';
import type { Operation } from './operations.ts';

/** One entry of a route, ready for hand-overs. */
export interface Line {
  /** Of the route entry. */
  id: string;
  provider: string;
  upstream: Upstream;
  /** A repeated reference is dropped by the upstream. */
  idempotent: boolean;
  /** The sender to use; undefined where the provider's own default is. */
  sender: string | undefined;
  /** Another sender was asked for than the one used. */
  senderReplaced: boolean;
  /** Price of a part times the parts, 1 where none are counted. */
  costMicros: number;
  /** In words: which route led here. */
  why: string;
  /** 0: may be handed over now, and counts as begun; more: milliseconds to wait, nothing counted; Infinity: circuit open, disabled or drained. */
  admit(): number;
  /** Once after every admitted hand-over. */
  done(outcome: SendOutcome): void;
}

export interface Ask {
  applicationId: string;
  channel: Channel;
  /** E.164 number or e-mail address. */
  to: string;
}

export interface Candidates {
  lines: string[];
  /** Why there is none. */
  reason: 'no_route' | 'circuit_open' | null;
}

export type HookCall = Omit<HookRequest, 'url'> & {
  /** As the caller called it, beginning with a slash. */
  pathAndQuery: string;
};

export interface Providers {
  operations: readonly Operation[];
  /** Ids of route entries, best first. From memory. `circuit_open` when all that serve have an open circuit. */
  candidates(ask: Ask): Candidates;
  /** Null when the entry or its provider is gone, disabled or not opened. */
  line(id: string, content: { from?: string; segments?: number }): Line | null;
  /** Whether any enabled route serves the channel for the application at all, for any recipient. */
  serves(applicationId: string, channel: Channel): boolean;
  /** By provider id, for feedback after checks; null when not open. */
  upstream(provider: string): Upstream | null;
  /** What answers webhooks with this token; null for an unknown provider or a wrong token (compared in constant time). */
  hook(provider: string, token: string): ((request: HookCall) => Promise<HookAnswer>) | null;
  /** How live nodes see the circuit of every provider there is. */
  circuits(db: Queryable): Promise<WorstHealth[]>;
  /** How this process sees each enabled provider, from memory. */
  seen(): Iterable<{ provider: string; circuit: Circuit['kind']; opened: boolean }>;
  /** Whether there is such a provider, and it sends e-mail. */
  isMailProvider(provider: string): Promise<boolean>;
  /** An e-mail to an operator through one provider, whatever routes say. */
  mail(provider: string, mail: Mail, signal: AbortSignal): Promise<SendOutcome>;
  /** Plants the seed, reads everything, opens what is enabled, and listens from now on. ConfigError for a seed that clashes with what is there. */
  start(): Promise<void>;
  /** Closes every upstream after its hand-overs under way. */
  stop(): Promise<void>;
}

export interface ProvidersPorts {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  outbound: Outbound;
  registry: Registry;
  publicUrl: () => string;
  /** ISO 4217 code of every price. */
  currency: string;
  /** Path of the seed (PROVIDERS_FILE). */
  seedFile?: string | undefined;
  /** Environment the seed's {"env": NAME} are taken from. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Delivery's: true once durably taken, false when no such attempt is known yet. */
  receive(provider: string, receipt: Receipt): Promise<boolean>;
  /** Keeps a receipt that came before its attempt was known. */
  park(provider: string, receipt: Receipt): Promise<void>;
  uplink(provider: string, uplink: Uplink): Promise<void>;
  reopen: Ports['reopen'];
}
