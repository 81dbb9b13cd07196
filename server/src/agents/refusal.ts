/**
 * A refusal as a model gets it: the same codes and texts as REST, and in one sentence what to do next. `isError` with text alone: clients
 * of the older protocol check structured content against the schema of success.
 */
import { ApiError, type ErrorCode, errorTable, type FieldFault } from '../errors.ts';
import { errorBody } from '../http/failure.ts';
import { masked } from './mask.ts';
import { nextStepAfter } from './next-steps.ts';
import type { Json } from './tool.ts';

export interface Refusal {
  code: number;
  message: string;
  reason?: string;
  /** What is wrong with which parameter. */
  fields?: FieldFault[];
  /** Whether the same call may succeed, by the rule of the clients for REST. */
  retryable: boolean;
  retry_after_s?: number;
  next_step: string;
  docs_url: string;
  request_id: string;
}

/** A refusal of this room that says itself what to do next. */
export class Advised extends ApiError {
  readonly nextStep: string;
  constructor(code: ErrorCode, message: string, nextStep: string) {
    super(code, message);
    this.nextStep = nextStep;
  }
}

const maxFields = 10;

const entryOf = (code: number) => (code in errorTable ? errorTable[code as ErrorCode] : undefined);

/** Of the body of a refused operation; a body that is none of ours counts as an internal error. */
export function refusalOf(status: number, body: Json): Refusal {
  const { code, message, reason, details, docs_url, request_id } = body;
  const entry = entryOf(Number(code)) ?? errorTable[1000];
  const { retry_after: wait, fields = [] } = (details ?? {}) as { retry_after?: number; fields?: FieldFault[] };
  // Nothing else of it can be an address of somebody: our own texts hold one as an example.
  return {
    code: Number(code),
    message: masked(String(message)) as string,
    ...(reason !== undefined && { reason: String(reason) }),
    ...(fields.length > 0 && { fields: masked(fields.slice(0, maxFields)) as FieldFault[] }),
    retryable: entry.retryable || status === 429 || status >= 500,
    ...(wait !== undefined && { retry_after_s: wait }),
    next_step: nextStepAfter(entry, { status, reason, fields, wait }),
    docs_url: String(docs_url),
    request_id: String(request_id),
  };
}

/** With the tool's names of parameters in place of the operation's. `names`: from these to those. */
export function inWordsOf(names: Readonly<Record<string, string>>, refusal: Refusal): Refusal {
  const { code, message, fields } = refusal;
  if (!fields) return refusal;
  const told = fields.map(({ field, problem }) => ({
    field: Object.entries(names).reduce(
      (name, [theirs, ours]) => (startsPath(name, theirs) ? ours + name.slice(theirs.length) : name),
      field,
    ),
    problem: problem.replaceAll(/[\w.]+/g, (word) => (Object.hasOwn(names, word) ? String(names[word]) : word)),
  }));
  const [first] = told;
  return { ...refusal, fields: told, message: first && code === 3002 ? `${first.field}: ${first.problem}` : message };
}

const startsPath = (name: string, part: string): boolean =>
  name.startsWith(part) && ['', '.', '['].includes(name.charAt(part.length));

/** Of what this room refuses itself. */
export function ownRefusal(error: ApiError, requestId: string, publicUrl: string): Refusal {
  const refusal = refusalOf(error.status, JSON.parse(errorBody(error, requestId, publicUrl)) as Json);
  return error instanceof Advised ? { ...refusal, next_step: error.nextStep } : refusal;
}
