// Checking the code that a person typed. Only for codes made by the platform.

import type { Transport } from '../transport.ts';
import { type Signals, wireSignals } from './send-options.ts';

export interface VerifyOptions {
  /** Must equal the purpose of the send; otherwise the check is refused and costs no attempt. */
  purpose?: string | undefined;
  signals?: Signals | undefined;
}

export interface VerifyResult {
  message_id: string;
  verify_code: string;
  /** The only field to decide on: a wrong code is an answer, not an error. */
  verified: boolean;
  to?: string;
  purpose?: string;
  /** After a wrong code: how many wrong codes are still allowed. */
  attempts_remaining?: number;
}

/** `POST /v1/verifications`. Throws EngagelabError 3003 when the code is expired, used or locked. */
export function checkCode(
  transport: Transport,
  messageId: string,
  code: string,
  options: VerifyOptions,
): Promise<VerifyResult> {
  return transport.request({
    method: 'POST',
    path: '/v1/verifications',
    body: {
      message_id: messageId,
      verify_code: code,
      purpose: options.purpose,
      signals: wireSignals(options.signals),
    },
    hidden: [code],
  });
}
