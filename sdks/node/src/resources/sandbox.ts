// The virtual phones: where callbacks of the sandbox go, what the handsets received, and waiting for a code in a test.
// Works only with sandbox credentials or an application on the virtual network.

import { networkError } from '../errors.ts';
import type { Transport } from '../transport.ts';

export interface SandboxWebhook {
  /** Null removes the webhook. */
  url: string | null;
  username?: string | undefined;
  secret?: string | undefined;
  authorization?: string | undefined;
}

export interface SandboxMessage {
  message_id: string;
  to: string;
  channel: string;
  language: string;
  text: string;
  /** Null for a text without a code. */
  code: string | null;
  step: number;
  attempt: number;
  segments: number | null;
  received_at: string;
}

/** The server holds an answer back for at most this long. */
const longestPollSeconds = 30;
const pollPauseMs = 250;

export class Sandbox {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sets where callbacks go. A failing probe still saves, with `reachable: false`. */
  setWebhook(
    body: SandboxWebhook,
  ): Promise<{ code: number; message: string; reachable?: boolean; signing_secret?: string }> {
    return this.#transport.request({
      method: 'PUT',
      path: '/v1/sandbox/webhook',
      body,
      hidden: [body.secret, body.authorization],
    });
  }

  /** What reached the handset of `to`, newest first; with `wait` the answer is held until something does. */
  messages(query: {
    to: string;
    /** Seconds, 0 to 30. */
    wait?: number | undefined;
    /** Only messages newer than this id. */
    after?: string | undefined;
    limit?: number | undefined;
  }): Promise<{ messages: SandboxMessage[] }> {
    const extraMs = (query.wait ?? 0) * 1000;
    return this.#transport.request({ method: 'GET', path: '/v1/sandbox/messages', query: { ...query }, extraMs });
  }

  /**
   * The newest code on the handset of `to`; waits for one up to `timeoutMs` (default 30000), then throws EngagelabError 0.
   * Name the `messageId` of your send where an earlier test may have left a code on the same handset.
   */
  async waitForCode(
    to: string,
    options: { timeoutMs?: number | undefined; messageId?: string | undefined } = {},
  ): Promise<string> {
    const timeoutMs = options.timeoutMs ?? 30_000;
    const deadline = Date.now() + timeoutMs;
    const after = options.messageId === undefined ? undefined : justBefore(options.messageId);
    for (;;) {
      const leftMs = Math.max(0, deadline - Date.now());
      const wait = Math.min(longestPollSeconds, Math.ceil(leftMs / 1000));
      const { messages } = await this.messages({ to, wait, after });
      const found = messages.find(({ code, message_id }) => code !== null && isWanted(message_id, options.messageId));
      if (found?.code) return found.code;
      if (Date.now() >= deadline)
        throw networkError('timeout', `no code on the sandbox handset within ${timeoutMs} ms`);
      // Other texts on the handset make the server answer at once: do not ask again in the same breath.
      if (messages.length > 0) await this.#transport.pause(pollPauseMs);
    }
  }
}

function isWanted(messageId: string, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === messageId;
}

/** Ids are numbers in time order and `after` excludes its own id: one less includes the message itself. */
function justBefore(messageId: string): string | undefined {
  return /^[1-9]\d*$/.test(messageId) ? String(BigInt(messageId) - BigInt(1)) : undefined;
}
