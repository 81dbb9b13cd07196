/**
 * Every public error of the platform: code, HTTP status, meaning, what to do next, whether a retry can help.
 * The one table: SDK behaviour, OpenAPI and docs/errors.md are made from it. Source: contract §3.
 * Refusing a request is `throw new ApiError(code, message)`; the message may be shown, the `cause` never leaves the log.
 */

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

export interface ErrorEntry {
  /** HTTP status of the plain case; a few cases carry another one, see `otherStatuses`. */
  status: number;
  title: string;
  retryable: boolean;
  category: ErrorCategory;
  /** One sentence for the person or agent who got it. */
  next: string;
  otherStatuses?: readonly number[];
}

const entry = (
  status: number,
  title: string,
  category: ErrorCategory,
  next: string,
  extra: { retryable?: boolean; otherStatuses?: readonly number[] } = {},
): ErrorEntry => ({ status, title, category, next, retryable: false, ...extra });

export const errorTable = {
  1000: entry(
    500,
    'internal error',
    'transient',
    'Retry with exponential back-off; if it stays, give support the request_id.',
    {
      retryable: true,
      otherStatuses: [503],
    },
  ),
  2001: entry(
    401,
    'authentication failed',
    'auth',
    'Send HTTP Basic with the dev_key and dev_secret of an API key; for operators, Bearer with the operator token or a session.',
  ),
  2002: entry(401, 'credential expired or disabled', 'auth', 'Use another key, or have this one enabled or prolonged.'),
  2004: entry(
    403,
    'not permitted',
    'auth',
    'Use a key that has the permission, from an address on its allowlist; where `reason` names an approval, ask the operator.',
  ),
  3001: entry(
    400,
    'request body is not valid JSON',
    'bad_request',
    'Send UTF-8 JSON with Content-Type application/json.',
  ),
  3002: entry(400, 'parameters do not meet the rules', 'bad_request', 'Correct the fields named in details.fields.', {
    otherStatuses: [405, 409, 413, 422],
  }),
  3003: entry(
    400,
    'business rule',
    'expired',
    'Read `reason`: the code is used, expired or spent, or the template cannot be used so.',
  ),
  3004: entry(
    400,
    'same template to same target inside the validity period',
    'rate_limited',
    'Wait `details.retry_after` seconds before you send; a code that is still alive can be verified or resent.',
    {
      otherStatuses: [429],
    },
  ),
  4001: entry(
    400,
    'template or message does not exist',
    'template_not_found',
    'Check the id, and that the key belongs to the same application.',
    {
      otherStatuses: [404],
    },
  ),
  5001: entry(400, 'sending failed, general', 'transient', 'Retry with back-off, or use another channel.', {
    retryable: true,
  }),
  5011: entry(
    400,
    'phone number format',
    'invalid_recipient',
    'Ask the user for the number in E.164 form, e.g. +6591234567.',
  ),
  5012: entry(400, 'destination unreachable', 'unreachable', 'Offer another channel.'),
  5013: entry(400, 'number on the blacklist', 'blocked', 'Do not retry; the operator can lift the block.'),
  5014: entry(400, 'content not compliant', 'content_blocked', 'Change the text of the template or its parameters.'),
  5015: entry(
    400,
    'intercepted, rejected',
    'content_blocked',
    'Do not retry automatically; ask support with the request_id.',
  ),
  5016: entry(400, 'internal sending error', 'transient', 'Retry with exponential back-off.', { retryable: true }),
  5017: entry(
    400,
    'no permission to send to China',
    'unknown',
    'Have the China permission switched on for the application.',
  ),
  5018: entry(400, 'handset off or suspended', 'unreachable', 'Offer another channel, or try later.'),
  5019: entry(400, 'user unsubscribed', 'blocked', 'Do not send until the user opts in again with START.'),
  5020: entry(
    400,
    'number not registered, invalid',
    'invalid_recipient',
    'Ask the user for another number or address.',
  ),
} as const satisfies Record<number, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** Stable slugs of the business rules behind 3003, 3004 and others, with their public text. `…` is filled in by the thrower. */
export const reasons = {
  template_not_approved: [3003, 'template not approved'],
  insufficient_balance: [3003, 'insufficient balance'],
  budget_exhausted: [3003, 'budget exhausted'],
  already_verified: [3003, 'already verified'],
  expired: [3003, 'expired'],
  too_many_attempts: [3003, 'too many attempts'],
  cancelled: [3003, 'cancelled'],
  superseded: [3003, 'superseded by a newer code'],
  not_platform_code: [3003, 'not a platform-generated code'],
  purpose_mismatch: [3003, 'purpose mismatch'],
  no_usable_channel: [3003, 'no usable channel: …'],
  duplicate_template: [3003, 'template_id already exists'],
  no_channel_config: [3003, 'not contains any channel config'],
  missing_channel_config: [3003, 'missing …_config'],
  missing_code_config: [3003, 'verify_code_config is required'],
  template_rule: [3003, 'template rule: …'],
  lint_error: [3003, 'lint: …'],
  code_required: [3003, 'params.code is required'],
  not_code_template: [3003, 'template has no verification code'],
  override_not_allowed: [3003, 'override not allowed: …'],
  profile: [3003, 'profile nist-800-63b: …'],
  guess_ceiling_exceeded: [3003, 'guess probability … exceeds the ceiling'],
  country_not_enabled: [3003, 'destination country … not enabled'],
  destination_not_allowed: [3003, 'destination not allowed for this agent key'],
  approval_required: [2004, 'an operator has to approve the first live send of this key'],
  approval_refused: [2004, 'an operator refused live sends of this key'],
  no_further_channel: [3003, 'no further channel'],
  channel_not_in_template: [3003, 'channel not in template'],
  code_still_valid: [3004, 'a code for this template and target is still valid'],
  resend_too_soon: [3004, 'resend too soon'],
  target_send_limit: [3004, 'too many sends to this target'],
  challenge_required: [5015, 'rejected'],
  rate_limited: [3004, 'too many requests: …'],
  target_locked: [3004, 'too many wrong codes for this target'],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

export type Reason = keyof typeof reasons;

export interface ApiErrorOptions {
  status?: number;
  reason?: Reason;
  details?: Record<string, unknown>;
  /** Seconds; sent as Retry-After and as details.retry_after. */
  retryAfter?: number;
  headers?: Record<string, string>;
  /** Further keys of the body, beside code and message. */
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** A refusal the caller may read. `message` is public; `cause` is for the log alone. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly reason: Reason | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Record<string, string>;
  readonly extra: Record<string, unknown>;

  constructor(code: ErrorCode, message?: string, options: ApiErrorOptions = {}) {
    super(message ?? errorTable[code].title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.code = code;
    this.status = options.status ?? errorTable[code].status;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter === undefined ? undefined : Math.max(1, Math.ceil(options.retryAfter));
    const details = { ...options.details, ...(this.retryAfter !== undefined && { retry_after: this.retryAfter }) };
    this.details = Object.keys(details).length > 0 ? details : undefined;
    this.headers = options.headers ?? {};
    this.extra = options.extra ?? {};
  }
}

/** The business refusal with a stable slug; `fill` replaces the `…` of its text. */
export function refuse(reason: Reason, fill = '', options: Omit<ApiErrorOptions, 'reason'> = {}): ApiError {
  const [code, text] = reasons[reason];
  return new ApiError(
    code,
    text.replace('…', () => fill),
    { ...options, reason },
  );
}

export interface FieldFault {
  field: string;
  problem: string;
}

/** 3002 over one or more fields, first one in document order in the message, all of them in details.fields. */
export function invalid(faults: readonly [FieldFault, ...FieldFault[]]): ApiError {
  const [first] = faults;
  return new ApiError(3002, `${first.field}: ${first.problem}`, { details: { fields: faults } });
}

/** The texts of contract §3 that a failure row carries (contract §10.4), where they are not the titles. */
const callbackTexts: Partial<Record<ErrorCode, string>> = {
  5011: 'Invalid phone number',
  5012: 'destination unreachable',
  5013: 'Blacklisted',
  5014: 'content not compliant',
  5015: 'rejected',
  5016: 'internal sending error',
  5018: 'handset unavailable',
  5019: 'Unsubscribed',
  5020: 'number not registered',
};

/** The message of a callback row's error. 3003 stands for the end of the code that the status names. */
export function callbackText(code: ErrorCode, { status, channel }: { status: string; channel?: string }): string {
  if (code === 5001) return `${channel} send fail`;
  if (code === 3003) return status === 'verified_failed' ? reasons.too_many_attempts[1] : reasons.expired[1];
  return callbackTexts[code] ?? errorTable[code].title;
}
