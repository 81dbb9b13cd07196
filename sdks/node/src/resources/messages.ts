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
  /** One plain sentence; the code never appears in it. */
  text: string;
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
