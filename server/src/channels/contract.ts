/**
 * What an adapter is: code that speaks to one kind of upstream. An outcome is a value, never an exception; `unknown` means
 * that nobody knows whether the message went out, and what follows from it is decided in delivery/next.ts alone.
 */
import type { z } from 'zod';
import type { Log } from '../platform/log.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { SendOutcome, Undelivered } from './outcome.ts';

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
  /** Which of Meta's fixed texts an authentication message uses. */
  whatsapp?: { security: boolean; expireMinutes: number | null };
  /** India: ids under which the text is registered with the operators. */
  dlt?: { entityId: string; templateId: string };
}

/** One hand-over to an upstream. `reference` is the same when an attempt is repeated because its outcome was unknown. */
export interface OutgoingMessage {
  applicationId: string;
  messageId: string;
  step: number;
  attempt: number;
  /** Ours, up to 40 of [0-9a-z-]; travels upstream wherever a field exists, so that receipts find their way without an upstream id. */
  reference: string;
  channel: Channel;
  /** E.164 number or e-mail address. */
  to: string;
  content: Content;
  /** The route's sender, already chosen; undefined where the provider's own default is to be used. */
  sender?: string;
  /** The code inside the text, for upstreams that want it apart; null for texts without one. */
  code: string | null;
  /** Milliseconds since 1970 after which the message is worthless. */
  expiresAtMs: number;
}

/** What an upstream later says about an attempt. May come early, late, twice or never. */
export interface Receipt {
  upstreamId: string;
  /** Ours, where the upstream gives it back: finds attempts whose acceptance was never seen. */
  reference?: string;
  outcome: { kind: 'delivered' } | Undelivered;
}

/** A message from a person to one of our senders. Addresses as in OutgoingMessage where they are numbers or e-mail addresses. */
export interface Uplink {
  upstreamId: string;
  from: string;
  to: string;
  body: string;
}

/** A request to /hooks/{provider}/{token}{path}. Nothing of it is checked yet but the token. */
export interface HookRequest {
  method: 'GET' | 'POST';
  /** Behind the token: empty or beginning with a slash, without the query. */
  path: string;
  /** As the caller called it: public address, path and query. Never made from the Host header. */
  url: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

export interface HookAnswer {
  status: number;
  type?: string;
  body?: string;
}

/** What an adapter is given; it imports nothing of the product beyond this folder and the ground floor. */
export interface Ports {
  log: Log;
  /** The only way to make an HTTP request. */
  outbound: Outbound;
  /** True once the receipt is durably taken (a duplicate too, it changes nothing); false when no such attempt is known yet: report again. */
  onReceipt(receipt: Receipt): Promise<boolean>;
  /** Resolves when it is durably taken; a repeated upstreamId changes nothing. */
  onUplink(uplink: Uplink): Promise<void>;
  /** Public address of this provider's webhooks, with an unguessable token; `path` begins with a slash. */
  hookUrl(path?: string): string;
  /** HMAC-SHA-256, base64url, under a key of this provider alone: for tokens in addresses it hands out. */
  sign(text: string): string;
  /** True for the first caller with this key on any node, false for everybody later while it is remembered. */
  once(key: string, rememberMs: number): Promise<boolean>;
  /** A hand-over made before, while its code lives and its delivery has not ended; for voice, where the upstream fetches the text. */
  reopen(ids: { applicationId: string; messageId: string; attempt: number }): Promise<OutgoingMessage | null>;
}

/** An opened provider. No member throws for what the world answered; all but `hook` may throw only for faults of the program. */
export interface Upstream {
  /** Answers within the given signal's life. */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>;
  /**
   * Answers a webhook: signature over the raw bytes first, then what it reports, and 2xx only after the ports have taken it. An
   * error of the ports is passed on (the upstream gets a 503 and repeats). A bad or missing signature is 401 or 403 without effect.
   */
  hook?(request: HookRequest): Promise<HookAnswer>;
  /** Tells the upstream whether the code it delivered was used. Best effort. */
  feedback?(upstreamId: string, verified: boolean, signal: AbortSignal): Promise<void>;
  /** Makes upstream templates that are missing and tells the state of all; for upstreams that review texts. */
  syncTemplates?(languages: readonly string[], signal: AbortSignal): Promise<UpstreamTemplate[]>;
  close(): Promise<void>;
}

export interface UpstreamTemplate {
  name: string;
  language: string;
  state: 'approved' | 'pending' | 'rejected' | 'paused' | 'missing';
  /** One sentence, where it cannot be used. */
  detail?: string;
}

export interface Adapter<Settings = unknown> {
  id: string;
  title: string;
  channels: readonly Channel[];
  /** An object whose fields carry `.meta({ title, description, secret })`: it validates the API and writes the docs. */
  settings: z.ZodType<Settings>;
  limits: {
    maxConcurrency: number;
    /** A repeated `reference` is dropped by the upstream: an attempt whose outcome is unknown may be repeated there. */
    idempotent: boolean;
  };
  open(settings: Settings, ports: Ports): Upstream | Promise<Upstream>;
}
