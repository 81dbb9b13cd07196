/**
 * The rules of Idempotency-Key (contract §5.7) that need no database: its form, which requests are the same, what is stored.
 */
import type { IncomingMessage } from 'node:http';
import { ApiError, invalid } from '../errors.ts';
import type { JsonObject } from './body.ts';

const header = 'Idempotency-Key';

/**
 * The key of a request, or undefined without one. Bare or in double quotes (the same key); 1 to 255 printable ASCII characters,
 * given once, else 3002.
 */
export function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const value = request.headers['idempotency-key'];
  if (value === undefined) return undefined;
  // Node joins repeated headers by a comma, which may also stand in a key.
  if (typeof value !== 'string' || (value.includes(',') && isRepeated(request.rawHeaders)))
    throw invalid([{ field: header, problem: 'must be given once' }]);
  const key = bareKey(value);
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw invalid([{ field: header, problem: 'must be 1 to 255 printable ASCII characters' }]);
  return key;
}

/** Without the double quotes around it. */
export const bareKey = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;

function isRepeated(rawHeaders: readonly string[]): boolean {
  return rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'idempotency-key').length > 1;
}

/** JSON with the keys of every object sorted: equal text for equal values. Depth was bounded when the body was read. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = value as JsonObject;
  const members = Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`);
  return `{${members.join(',')}}`;
}

/** What makes a request itself: method, path (pattern and decoded parameters) and body. Hashed under a key before it is stored. */
export function identityOf(method: string, pattern: string, params: unknown, body: JsonObject): string {
  return `${method} ${pattern} ${canonicalJson(params)}\n${canonicalJson(body)}`;
}

export const reusedKey = (): ApiError => new ApiError(3002, `${header}: reused with another request`, { status: 422 });

export const stillRunning = (): ApiError =>
  new ApiError(3002, `${header}: request in progress`, { status: 409, retryAfter: 1 });

/** The answer without the fields that may not rest in the database. */
export function withoutFields(answer: object, fields: readonly string[] | undefined): object {
  if (!fields || fields.length === 0) return answer;
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !fields.includes(name)));
}

/** The stored answer with those fields as the repeated request brings them; its body is the same, so they are too. */
export function withFieldsOf(body: JsonObject, stored: object, fields: readonly string[] | undefined): object {
  if (!fields || fields.length === 0) return stored;
  return { ...stored, ...Object.fromEntries(fields.map((name) => [name, body[name]])) };
}
