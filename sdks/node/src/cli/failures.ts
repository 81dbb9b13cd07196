// What is said when a command did not succeed: what happened, what to do next, and where more stands. On standard error, and with
// `--json` as one JSON document there.

import { EngagelabError } from '../errors.ts';
import { exitCodes, Halt } from './command.ts';
import { nextSteps } from './next-steps.ts';
import { plain } from './terminal.ts';

export interface Failure {
  kind: 'usage' | 'api' | 'network' | 'internal';
  message: string;
  code?: number | undefined;
  reason?: string | undefined;
  details?: unknown;
  http_status?: number | undefined;
  retryable?: boolean | undefined;
  retry_after?: number | undefined;
  next_step?: string | undefined;
  docs_url?: string | undefined;
  request_id?: string | undefined;
}

/** `address` gives the server that was asked, and is called only after an answer of it. */
export function describeFailure(error: unknown, address: () => string | undefined): { failure: Failure; exit: number } {
  if (error instanceof EngagelabError) return { failure: ofApi(error, address()), exit: exitCodes.refused };
  if (error instanceof Halt) {
    const { message, nextStep } = error;
    return { failure: { kind: 'usage', message, next_step: nextStep }, exit: exitCodes.misused };
  }
  // The client refuses settings and arguments with a TypeError that names the remedy and repeats no value.
  const message = error instanceof Error ? error.message.replace(/^OTPClient: /, '') : 'an unknown fault';
  const kind = error instanceof TypeError ? 'usage' : 'internal';
  return { failure: { kind, message }, exit: kind === 'usage' ? exitCodes.misused : exitCodes.refused };
}

function ofApi(error: EngagelabError, address: string | undefined): Failure {
  const { code, reason, details, retryable, requestId, retryAfter, httpStatus } = error;
  return {
    kind: httpStatus === 0 ? 'network' : 'api',
    code,
    message: error.message,
    reason,
    details,
    http_status: httpStatus,
    retryable,
    retry_after: retryAfter,
    next_step: nextStepOf(error),
    docs_url: code in nextSteps && address ? `${address}/docs/errors/${code}` : undefined,
    request_id: requestId,
  };
}

function nextStepOf({ code, category, httpStatus, retryAfter }: EngagelabError): string {
  if (code === 0) {
    return httpStatus === 0
      ? 'Is the server running at this address? engagelab-otp doctor looks closer.'
      : 'Is this the address of the platform? engagelab-otp doctor looks closer.';
  }
  const step = nextSteps[code] ?? 'Look at the message.';
  if (category === 'auth') return `${step} To change what is stored: engagelab-otp login`;
  return step.replace(' `details.retry_after` seconds', retryAfter === undefined ? '' : ` ${retryAfter} s`);
}

/** As a person reads it. */
export function failureText({
  kind,
  code,
  message,
  reason,
  details,
  next_step,
  docs_url,
  request_id,
}: Failure): string {
  const { fields = [] } = (details ?? {}) as { fields?: { field: string; problem: string }[] };
  const lines = [
    `${kind === 'api' && code ? `error ${code}` : 'error'}: ${message}${reason ? ` (${reason})` : ''}`,
    ...fields.map(({ field, problem }) => `  ${field}: ${problem}`),
    next_step && `  next: ${next_step}`,
    docs_url && `  docs: ${docs_url}`,
    request_id && `  request: ${request_id}`,
  ];
  return `${lines.filter(Boolean).map(plain).join('\n')}\n`;
}
