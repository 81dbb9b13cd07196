// The three ways to send: a code made by the platform, a code of your own, and a custom message.
// Rules about addresses and texts are the server's; this only shapes the request.

import type { Transport } from '../transport.ts';
import { type SendOptions, wireOptions } from './send-options.ts';

export type Params = Record<string, string>;

export interface SendResult {
  message_id: string;
  /** Channel in use at this moment; a fallback may change it later. */
  send_channel: string;
  /** When the code expires (RFC 3339); only for codes made by the platform. */
  expires_at?: string;
  /** One entry per recipient, in the order of the request, if `to` was an array. */
  messages?: (SentTo | RefusedTo)[];
}

export interface SentTo {
  to: string;
  message_id: string;
  send_channel: string;
}

export interface RefusedTo {
  to: string;
  code: number;
  message: string;
}

/** `POST /v1/messages`: the platform makes the code; check it with `verify`. */
export function sendOtp(
  transport: Transport,
  to: string,
  template: { id: string; params: Params | undefined; language: string | undefined },
  options: SendOptions,
): Promise<SendResult> {
  return transport.request({
    method: 'POST',
    path: '/v1/messages',
    body: { to, template: fullTemplate(template, options), ...wireOptions(options) },
    idempotencyKey: options.idempotencyKey,
  });
}

/** `POST /v1/codes`: you bring the code, and you check it. */
export function sendOwnCode(
  transport: Transport,
  to: string,
  code: string,
  template: { id: string; params: Params | undefined; language: string | undefined },
  options: SendOptions,
): Promise<SendResult> {
  return transport.request({
    method: 'POST',
    path: '/v1/codes',
    body: { to, code, template: fullTemplate(template, options), ...wireOptions(options) },
    idempotencyKey: options.idempotencyKey,
    hidden: [code],
  });
}

/** `POST /v1/custom-messages`: one or up to 1000 recipients; a code, if the template has one, goes into `params`. */
export function sendCustomMessage(
  transport: Transport,
  to: string | readonly string[],
  template: { id: string; params: Params | undefined },
  options: SendOptions,
): Promise<SendResult> {
  const params = template.params ?? {};
  return transport.request({
    method: 'POST',
    path: '/v1/custom-messages',
    body: { to, template: { id: template.id, language: options.language, params }, ...wireOptions(options) },
    idempotencyKey: options.idempotencyKey,
    hidden: [params['code']],
  });
}

function fullTemplate(
  template: { id: string; params: Params | undefined; language: string | undefined },
  options: SendOptions,
): object {
  const language = template.language ?? options.language ?? 'default';
  return { id: template.id, language, params: template.params ?? {} };
}
