/**
 * Every failure as the contract's answer (contract §3). What we did not throw ourselves is told to the log alone: the caller
 * reads `internal error` and the request id.
 */
import { ApiError } from '../errors.ts';
import { DatabaseUnavailable } from '../platform/db.ts';

/** The refusal a caller may read; `cause` keeps what happened. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DatabaseUnavailable)
    return new ApiError(1000, 'internal error', { status: 503, retryAfter: 1, cause: error });
  return new ApiError(1000, 'internal error', { cause: error });
}

/** Address of the page about a code. */
function docsUrl(code: number, publicUrl: string): string {
  return `${publicUrl}/docs/errors/${code}`;
}

export function errorBody(error: ApiError, requestId: string, publicUrl: string): string {
  return JSON.stringify({
    code: error.code,
    message: error.message,
    request_id: requestId,
    docs_url: docsUrl(error.code, publicUrl),
    reason: error.reason,
    details: error.details,
    ...error.extra,
  });
}

/** Headers of one refusal as name, value, name, value …; `challenge` goes with a 401 that names none itself. */
export function errorHeaders(error: ApiError, publicUrl: string, challenge: string | undefined): string[] {
  const headers = ['Link', `<${docsUrl(error.code, publicUrl)}>; rel="help"`];
  if (error.retryAfter !== undefined) headers.push('Retry-After', String(error.retryAfter));
  let challenged = false;
  for (const [name, value] of Object.entries(error.headers)) {
    if (!isHeaderText(value)) continue;
    headers.push(name, value);
    challenged ||= name.toLowerCase() === 'www-authenticate';
  }
  if (error.status === 401 && challenge !== undefined && !challenged) headers.push('WWW-Authenticate', challenge);
  return headers;
}

const isHeaderText = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
