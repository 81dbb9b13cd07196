// The client: its methods are the platform's operations, each a few lines that name the request.
// Credentials live only in the transport's private field; inspecting or serialising a client shows none.

import { type Balance, readBalance } from './resources/balance.ts';
import { type InsightQuery, type Insights, readInsights } from './resources/insights.ts';
import { Messages } from './resources/messages.ts';
import { Sandbox } from './resources/sandbox.ts';
import type { SendOptions } from './resources/send-options.ts';
import { type Params, type SendResult, sendCustomMessage, sendOtp, sendOwnCode } from './resources/sending.ts';
import { Templates } from './resources/templates.ts';
import { Tools } from './resources/tools.ts';
import { checkCode, type VerifyOptions, type VerifyResult } from './resources/verifications.ts';
import { type ClientOptions, readSettings } from './settings.ts';
import { Transport } from './transport.ts';

export class OTPClient {
  readonly #transport: Transport;
  readonly messages: Messages;
  readonly templates: Templates;
  readonly sandbox: Sandbox;
  /** For AI agents; the sub-paths `/openai`, `/anthropic` and `/ai-sdk` put them into the form of a vendor. */
  readonly tools: Tools;

  /** Without arguments the key and secret come from ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET. */
  constructor(devKey?: string, devSecret?: string, options: ClientOptions = {}) {
    this.#transport = new Transport(readSettings(devKey, devSecret, options));
    this.messages = new Messages(this.#transport);
    this.templates = new Templates(this.#transport);
    this.sandbox = new Sandbox(this.#transport);
    this.tools = new Tools(this.#transport);
  }

  /** Sends a code that the platform makes. `to` is an E.164 number or an e-mail address. */
  send(
    to: string,
    templateId: string,
    params?: Params,
    language?: string,
    options: SendOptions = {},
  ): Promise<SendResult> {
    return sendOtp(this.#transport, to, { id: templateId, params, language }, options);
  }

  /** Sends a code that you made; the platform cannot check it afterwards. */
  sendCode(
    to: string,
    code: string,
    templateId: string,
    params?: Params,
    language?: string,
    options: SendOptions = {},
  ): Promise<SendResult> {
    return sendOwnCode(this.#transport, to, code, { id: templateId, params, language }, options);
  }

  /** Sends a custom message; `params.code` is needed if the template has a code. */
  sendCustom(
    to: string | readonly string[],
    templateId: string,
    params: { code?: string } & Params,
    options: SendOptions = {},
  ): Promise<SendResult> {
    return sendCustomMessage(this.#transport, to, { id: templateId, params }, options);
  }

  /** Checks what a person typed. A wrong code gives `verified: false`; an expired or used one throws code 3003. */
  verify(messageId: string, code: string, options: VerifyOptions = {}): Promise<VerifyResult> {
    return checkCode(this.#transport, messageId, code, options);
  }

  insights(query: InsightQuery = {}): Promise<Insights> {
    return readInsights(this.#transport, query);
  }

  balance(): Promise<Balance> {
    return readBalance(this.#transport);
  }
}
