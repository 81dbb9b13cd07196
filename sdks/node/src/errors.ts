// Every error this package throws on purpose, and the one table that says what an API code means to a caller.
// An EngagelabError never carries credentials, one-time codes or the underlying request: it is safe to log as it is.

import { redactor } from './redact.ts';
import type { WireReply } from './wire.ts';

export type ErrorCategory =
  | 'transient'
  | 'auth'
  | 'bad_request'
  | 'expired'
  | 'rate_limited'
  | 'template_not_found'
  | 'invalid_recipient'
  | 'unreachable'
  | 'blocked'
  | 'content_blocked'
  | 'unknown';

const categories: { readonly [code: number]: ErrorCategory } = {
  1000: 'transient',
  2001: 'auth',
  2002: 'auth',
  2004: 'auth',
  3001: 'bad_request',
  3002: 'bad_request',
  3003: 'expired',
  3004: 'rate_limited',
  4001: 'template_not_found',
  5001: 'transient',
  5011: 'invalid_recipient',
  5012: 'unreachable',
  5013: 'blocked',
  5014: 'content_blocked',
  5015: 'content_blocked',
  5016: 'transient',
  5018: 'unreachable',
  5019: 'blocked',
  5020: 'invalid_recipient',
};

const retryableCodes: readonly number[] = [1000, 5001, 5016];

export interface ErrorFields {
  code: number;
  message: string;
  httpStatus: number;
  retryable: boolean;
  category: ErrorCategory;
  requestId?: string | undefined;
  reason?: string | undefined;
  details?: Record<string, unknown> | undefined;
  retryAfter?: number | undefined;
}

/** A request that was refused, failed, or got no answer. Branch on `code` or `category`; repeat only if `retryable`. */
export class EngagelabError extends Error {
  /** API code; 0 when the answer carried none: no answer at all, or one that is not the platform's. */
  declare readonly code: number;
  declare readonly retryable: boolean;
  /** HTTP status; 0 when there was no answer. */
  declare readonly httpStatus: number;
  declare readonly category: ErrorCategory;
  declare readonly requestId?: string;
  /** Stable slug that is finer than `code`, such as `already_verified`. */
  declare readonly reason?: string;
  declare readonly details?: Record<string, unknown>;
  /** Seconds after which a repetition can succeed. */
  declare readonly retryAfter?: number;

  constructor({ message, ...fields }: ErrorFields) {
    super(message);
    // Not enumerable, like the names of the built-in errors.
    Object.defineProperty(this, 'name', { value: 'EngagelabError', configurable: true, writable: true });
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
  }
}

/** A callback that was not signed with the configured secret: answer 401 and look at nothing in it. */
export class WebhookSignatureError extends Error {
  constructor(message: string) {
    super(message);
    Object.defineProperty(this, 'name', { value: 'WebhookSignatureError', configurable: true, writable: true });
  }
}

/** No answer arrived: the request may or may not have been carried out, so it is retryable with an idempotency key. */
export function networkError(reason: 'network' | 'timeout', message: string): EngagelabError {
  return new EngagelabError({ code: 0, message, httpStatus: 0, retryable: true, category: 'transient', reason });
}

/** The error that an answer other than success stands for. `hidden` values are removed from all of its texts. */
export function errorFromReply(reply: WireReply, hidden: readonly string[]): EngagelabError {
  const body = redactor(hidden)(jsonObject(reply.body));
  const code = typeof body['code'] === 'number' ? body['code'] : 0;
  const retryable = reply.status === 429 || reply.status >= 500 || retryableCodes.includes(code);
  const details = isObject(body['details']) ? body['details'] : undefined;
  return new EngagelabError({
    code,
    message: text(body['message']) ?? `HTTP ${reply.status} without an error description`,
    httpStatus: reply.status,
    retryable,
    category: code === 0 && retryable ? 'transient' : (categories[code] ?? 'unknown'),
    requestId: text(body['request_id']) ?? reply.header('x-request-id') ?? undefined,
    reason: text(body['reason']),
    details,
    retryAfter: retryAfterSeconds(reply.header('retry-after')) ?? seconds(details?.['retry_after']),
  });
}

/** A 2xx answer that is not JSON: some other server answered, and what became of the request is not known. */
export function invalidReply(reply: WireReply): EngagelabError {
  return new EngagelabError({
    code: 0,
    message: `HTTP ${reply.status} with a body that is not JSON: is the base URL that of the platform?`,
    httpStatus: reply.status,
    retryable: false,
    category: 'unknown',
    requestId: reply.header('x-request-id') ?? undefined,
    reason: 'invalid_reply',
  });
}

function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function jsonObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
