/**
 * A refusal as a model gets it: the same codes and texts as REST, and in one sentence what to do next. `isError` with text alone: clients
 * of the older protocol check structured content against the schema of success.
 */
import { type ApiError, type ErrorCode, errorTable, type FieldFault, type Reason } from '../errors.ts';
import { errorBody } from '../http/failure.ts';
import { masked } from './mask.ts';
import type { Json } from './tool.ts';

export interface Refusal {
  code: number;
  message: string;
  reason?: string;
  /** What is wrong with which parameter. */
  fields?: FieldFault[];
  retryable: boolean;
  retry_after_s?: number;
  next_step: string;
  docs_url: string;
  request_id: string;
}

const maxFields = 10;
const newCode = 'Send a new code with send_otp and verify that one; do not try this one again.';
const askOperator = 'Do not try other recipients; ask the operator to change what this key may do, if it should.';

const nextSteps: Partial<Record<Reason, string>> = {
  expired: newCode,
  already_verified: 'The code was used. If the user must be verified again, send a new code with send_otp.',
  too_many_attempts: newCode,
  cancelled: newCode,
  superseded: 'A newer code was sent to the user: verify that one, with the message_id of its send.',
  code_still_valid: 'A code is still alive: verify it, use resend_otp, or wait … s.',
  resend_too_soon: 'Wait … s before the next resend_otp.',
  target_send_limit: 'This recipient was sent enough: wait … s, and do not switch recipients to get around it.',
  target_locked: 'Too many wrong codes for this recipient: wait … s.',
  rate_limited: 'Wait … s, then go on more slowly.',
  template_not_approved: 'Choose a template with a live_revision from list_templates, or have this one approved.',
  destination_not_allowed: askOperator,
  country_not_enabled: askOperator,
  approval_required:
    'Ask the operator to approve this key: they see this send in their list. Send again once they say so; until then use a test credential.',
  approval_refused: 'Stop sending live: an operator said no. Use a test credential, or ask the operator why.',
  insufficient_balance: 'Stop sending and tell the operator that the balance is used up.',
  budget_exhausted: 'Stop sending and tell the operator that the budget is used up.',
  no_further_channel: 'All channels were tried: explain_message tells why none arrived.',
  not_code_template: 'Choose a template with verify_code_config from list_templates.',
};

/** Codes at whose plain case a repetition may help. */
const entryOf = (code: number) => (code in errorTable ? errorTable[code as ErrorCode] : undefined);

/** Of the body of a refused operation; a body that is none of ours counts as an internal error. */
export function refusalOf(status: number, body: Json): Refusal {
  const { code, message, reason, details, docs_url, request_id } = body;
  const entry = entryOf(Number(code)) ?? errorTable[1000];
  const { retry_after: wait, fields = [] } = (details ?? {}) as { retry_after?: number; fields?: FieldFault[] };
  const step = (reason !== undefined && nextSteps[reason as Reason]) || entry.next;
  // Nothing else of it can be an address of somebody: our own texts hold one as an example.
  return {
    code: Number(code),
    message: masked(String(message)) as string,
    ...(reason !== undefined && { reason: String(reason) }),
    ...(fields.length > 0 && { fields: masked(fields.slice(0, maxFields)) as FieldFault[] }),
    retryable: entry.retryable || status === 429 || wait !== undefined,
    ...(wait !== undefined && { retry_after_s: wait }),
    next_step: stepAfter(step, wait),
    docs_url: String(docs_url),
    request_id: String(request_id),
  };
}

function stepAfter(step: string, wait: number | undefined): string {
  const here = step.replace('the fields named in details.fields', 'what is named in fields');
  return wait === undefined ? here.replace(/,? or wait … s|wait … s,? ?/i, '') : here.replace('…', String(wait));
}

/** Of what this room refuses itself. */
export function ownRefusal(error: ApiError, requestId: string, publicUrl: string, nextStep?: string): Refusal {
  const refusal = refusalOf(error.status, JSON.parse(errorBody(error, requestId, publicUrl)) as Json);
  return nextStep === undefined ? refusal : { ...refusal, next_step: nextStep };
}
