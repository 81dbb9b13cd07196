/** What a model does after a refusal, one sentence for each reason. True whatever the resend policy is: a model does not know it. Pure. */
import { type ErrorEntry, errorTable, type FieldFault, type Reason } from '../errors.ts';

const newCode = 'Send a new code with send_otp and verify that one; do not try this one again.';
const askOperator = 'Do not try other recipients; ask the operator to change what this key may do, if it should.';
const lintFirst = 'Change what the message names, and look with dry_run = true before it is saved.';

const nextSteps: Record<Reason, string> = {
  expired: newCode,
  already_verified: 'The code was used. If the user must be verified again, send a new code with send_otp.',
  too_many_attempts:
    'This code is closed: neither verify nor resend it. Send a new one with send_otp; where that answers 3004, wait its retry_after_s first.',
  cancelled: newCode,
  superseded: 'A newer code was sent to the user: verify that one, with the message_id of its send.',
  not_platform_code: 'Check this code in the program that made it: verify_otp knows only codes of send_otp.',
  purpose_mismatch: 'Verify this code where it was asked for; for this purpose send a new one.',
  code_still_valid:
    'The code before has not run out: verify it, use resend_otp, or wait … s. If its tries are used up, only waiting helps.',
  resend_too_soon: 'Wait … s before the next resend_otp.',
  target_send_limit: 'This recipient was sent enough: wait … s, and do not switch recipients to get around it.',
  target_locked: 'Too many wrong codes for this recipient: wait … s.',
  rate_limited: 'Wait … s, then go on more slowly.',
  template_not_approved: 'Choose a template with a live_revision from list_templates, or have this one approved.',
  not_code_template: 'Choose a template with verify_code_config from list_templates.',
  code_required: 'Give your code in params.code, or use send_otp for a code that the platform makes.',
  no_usable_channel:
    'The message says for each channel why not. Choose a template with a channel for this kind of address, or ask the user for another address.',
  no_further_channel: 'All channels were tried: explain_message tells why none arrived.',
  channel_not_in_template: 'Leave channel out, or name one of the steps that get_message shows.',
  destination_not_allowed: askOperator,
  country_not_enabled: askOperator,
  approval_required:
    'Ask the operator to approve this key: they see this send in their list. Send again once they say so; until then use a test credential.',
  approval_refused: 'Stop sending live: an operator said no. Use a test credential, or ask the operator why.',
  insufficient_balance: 'Stop sending and tell the operator that the balance is used up.',
  budget_exhausted: 'Stop sending and tell the operator that the budget is used up.',
  challenge_required:
    'Do not repeat this send. Your program sends it over REST, with signals.captcha_passed, after the user has passed a proof.',
  override_not_allowed: 'Leave out what the message names: the application does not allow it.',
  profile: 'Keep to what the message names: the application follows NIST SP 800-63B.',
  guess_ceiling_exceeded: 'Ask the operator: the policy would let codes be guessed too easily.',
  duplicate_template: 'Choose another template_id, or use the one that exists: get_template shows it.',
  no_channel_config: 'Give each channel of send_channel_strategy its config, such as sms_config.',
  missing_channel_config: 'Give the config that the message names, or take its channel out of send_channel_strategy.',
  missing_code_config: 'Add verify_code_config, or take the code out of the texts.',
  template_rule: lintFirst,
  lint_error: lintFirst,
};

const reusedKey = 'That key belongs to another call: use a new idempotency_key for this one.';
const runningKey = 'The same call is running: wait … s and repeat it with the same idempotency_key.';

export interface RefusedWith {
  status: number;
  reason: unknown;
  fields: readonly FieldFault[];
  /** Seconds. */
  wait: number | undefined;
}

export function nextStepAfter(entry: ErrorEntry, { status, reason, fields, wait }: RefusedWith): string {
  return withWait(nextSteps[reason as Reason] ?? plainStep(entry, status, fields), wait);
}

/** Of a refusal without a reason, in the words of the tools. */
function plainStep(entry: ErrorEntry, status: number, fields: readonly FieldFault[]): string {
  if (entry === errorTable[3002] && fields.length === 0) {
    if (status === 422) return reusedKey;
    return status === 409 ? runningKey : 'Correct what the message names.';
  }
  return entry.next
    .replace('the fields named in details.fields', 'what is named in fields')
    .replace('`details.retry_after` seconds', '… s');
}

/** Where nothing is known of the time, nothing is said of it. */
const withWait = (step: string, wait: number | undefined): string =>
  wait === undefined ? step.replace(/ … s\b/, '') : step.replace('…', String(wait));
