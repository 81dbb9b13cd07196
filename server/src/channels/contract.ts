/**
 * What an adapter is: code that speaks to one kind of upstream. An outcome is a value, never an exception; `unknown` means
 * that nobody knows whether the message went out, and what follows from it is decided in delivery/next.ts alone.
 */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Log } from '../platform/log.ts';

export const channelNames = ['whatsapp', 'sms', 'email', 'voice'] as const;
export type Channel = (typeof channelNames)[number];

/** A text rendered for one channel and language. */
export interface Content {
  text: string;
  language: string;
  subject?: string;
  html?: string;
  /** Sender asked for: an SMS sender id, or an e-mail address. */
  from?: string;
  fromName?: string;
  /** Billed parts of an SMS. */
  segments?: number;
}

/** One hand-over to an upstream. `reference` is the same when an attempt is repeated because its outcome was unknown. */
export interface OutgoingMessage {
  applicationId: string;
  messageId: string;
  step: number;
  attempt: number;
  reference: string;
  channel: Channel;
  /** E.164 number or e-mail address. */
  to: string;
  content: Content;
  /** The code inside the text, for upstreams that want it apart; null for texts without one. */
  code: string | null;
  /** Milliseconds since 1970 after which the message is worthless. */
  expiresAtMs: number;
}

export type SendOutcome =
  | { kind: 'accepted'; upstreamId: string; costMicros?: number }
  | { kind: 'refused'; temporary: boolean; errorCode: ErrorCode; reason: string; retryAfterMs?: number }
  | { kind: 'unknown'; reason: string };

/** What an upstream later says about an attempt. May come early, late, twice or never. */
export interface Receipt {
  upstreamId: string;
  outcome: { kind: 'delivered' } | { kind: 'undelivered'; errorCode: ErrorCode; reason: string };
}

/** What an adapter is given; it imports nothing of the product beyond this file. */
export interface Ports {
  log: Log;
  /** True once the receipt is durably taken (a duplicate too, it changes nothing); false when no such attempt is known yet: report again. */
  onReceipt(receipt: Receipt): Promise<boolean>;
}

/** An opened provider. `send` answers within the given signal's life and never throws for what the world answered. */
export interface Upstream {
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>;
  close(): Promise<void>;
}

export interface Adapter<Settings = unknown> {
  id: string;
  title: string;
  channels: readonly Channel[];
  /** Titles and secret marks draw the console form, validate the API and write the docs. */
  settings: z.ZodType<Settings>;
  limits: { maxConcurrency: number };
  open(settings: Settings, ports: Ports): Upstream | Promise<Upstream>;
}
