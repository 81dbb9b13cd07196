// What became of a message, and the few things that can still be done with it.

import { segment, type Transport } from '../transport.ts';
import type { SendResult } from './sending.ts';

export interface MessageStep {
  step: number;
  channel: string;
  state: string;
  error_code?: number;
}

export interface TimelineEntry {
  at: string;
  /** Callback status; null for what is recorded but not called back. */
  event: string | null;
  sequence: number | null;
  step: number | null;
  channel: string | null;
  cause: string;
  error_code?: number;
  /** On a failure: another channel follows by itself. */
  fallback_pending?: boolean;
  /** Came after the message had its end. */
  late?: boolean;
  /** One plain sentence; the code never appears in it. */
  text: string;
}

/** One call to a provider. */
export interface MessageAttempt {
  step: number;
  attempt: number;
  /** Of the attempt: it is repeated after a refusal or an unknown outcome. */
  try: number;
  channel: string;
  provider: string;
  /** Why the route led there; null on the virtual network. */
  route: string | null;
  sender: string | null;
  upstream_id: string | null;
  outcome: 'accepted' | 'refused' | 'unknown';
  error_code?: number;
  detail?: string;
  started_at: string;
  latency_ms: number;
  cost: { amount: number; currency: string };
  /** Null while the provider said nothing more. */
  receipt: {
    state: 'delivered' | 'undelivered';
    at: string;
    after_ms: number;
    error_code?: number;
    detail?: string;
  } | null;
}

/** What was asked before the message was accepted, and what the answers were. */
export interface Decision {
  limits: { policy: string; count: number; limit: number; window_seconds: number; mode: 'enforce' | 'shadow' }[];
  /** Fraud rules that matched, those in shadow among them. */
  rules: { rule: string; mode: 'enforce' | 'shadow'; verdict: string; because: string }[];
  budgets: { budget: string; spent_micros: number; cap_micros: number; action: string }[];
  /** Null where there is no pre-send hook. */
  hook: { answer: string; took_ms: number; failed?: string } | null;
  monitored: boolean;
}

export interface Message {
  message_id: string;
  kind: 'otp' | 'code' | 'custom';
  to: string;
  template_id: string;
  language: string;
  country: string | null;
  purpose?: string | null;
  state: string;
  send_channel: string;
  created_at: string;
  expires_at: string | null;
  cost: { amount: number; currency: string };
  custom_args: Record<string, string>;
  /** Null unless the platform made the code. */
  verification: {
    state: string;
    attempts: number;
    attempts_remaining: number;
    verified_at: string | null;
  } | null;
  steps: MessageStep[];
  attempts: MessageAttempt[];
  /** How it stands and what to do next, in plain words. */
  explanation: { cause: string; next_step: string };
  decision: Decision;
  timeline: TimelineEntry[];
}

export interface MessageSummary {
  message_id: string;
  kind: 'otp' | 'code' | 'custom';
  to: string;
  template_id: string;
  state: string;
  verification_state: string | null;
  send_channel: string;
  country: string | null;
  created_at: string;
  cost: { amount: number; currency: string };
}

export interface MessageFilter {
  to?: string | undefined;
  template?: string | undefined;
  /** A message state or a verification state. */
  status?: string | undefined;
  channel?: string | undefined;
  /** ISO 3166 alpha-2. */
  country?: string | undefined;
  /** A Date, RFC 3339 text or unix seconds. Default: 24 hours ago. */
  from?: Date | string | number | undefined;
  until?: Date | string | number | undefined;
  /** 1 to 100, default 20. */
  limit?: number | undefined;
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
}

export class Messages {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One message with its steps and its timeline. */
  async get(id: string): Promise<Message> {
    return this.#transport.request({ method: 'GET', path: pathOf(id) });
  }

  /** Newest first, a page at a time. */
  list(filter: MessageFilter = {}): Promise<{ messages: MessageSummary[]; next_cursor: string | null }> {
    return this.#transport.request({ method: 'GET', path: '/v1/messages', query: { ...filter } });
  }

  /** Sends again: from the start of the chain, or on one channel of it. */
  async resend(
    id: string,
    options: { channel?: string | undefined } = {},
  ): Promise<SendResult & { attempt: number; expires_at?: string }> {
    return this.#transport.request({
      method: 'POST',
      path: `${pathOf(id)}/resend`,
      body: { channel: options.channel },
    });
  }

  /** Starts the next usable step of the chain now. */
  async nextChannel(id: string): Promise<SendResult> {
    return this.#transport.request({ method: 'POST', path: `${pathOf(id)}/next-channel` });
  }

  /** Ends the message and its code; what has already left cannot be recalled. May be repeated. */
  async cancel(id: string): Promise<{ message_id: string; state: string }> {
    return this.#transport.request({ method: 'POST', path: `${pathOf(id)}/cancel` });
  }
}

function pathOf(id: string): string {
  return `/v1/messages/${segment(id)}`;
}
