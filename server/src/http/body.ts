/**
 * Reading a request's body (contract §2 step 5): at most 64 KiB, identity encoding, a JSON content type, UTF-8, JSON, an object.
 * Nothing that arrives here may cost more than its size: depth is bounded before anybody walks the value.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ApiError, invalid } from '../errors.ts';

const maxBodyBytes = 65_536;
const maxDepth = 64;

export type JsonObject = Record<string, unknown>;

/** The connection ended before the request was whole: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGone';
  }
}

const tooLarge = (max: number): ApiError => new ApiError(3002, `body: larger than ${max / 1024} KiB`, { status: 413 });

/** Refuses by the declared length alone; for operations that take no body. */
export function refuseLargeBody(headers: IncomingHttpHeaders, max = maxBodyBytes): void {
  const length = headers['content-length'];
  if (length !== undefined && Number(length) > max) throw tooLarge(max);
}

/** All bytes of the body. What follows the limit is left to be discarded. */
export function readBody(request: IncomingMessage, max = maxBodyBytes): Promise<Buffer> {
  refuseLargeBody(request.headers, max);
  if (request.destroyed && !request.readableEnded) return Promise.reject(new ClientGone());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= max) return;
      stop();
      request.resume();
      reject(tooLarge(max));
    };
    const onEnd = (): void => {
      stop();
      const [first] = chunks;
      resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks));
    };
    const onGone = (): void => {
      stop();
      reject(new ClientGone());
    };
    request.on('data', onData).on('end', onEnd).on('close', onGone);
    // The listener stays: a connection that breaks later must not end the process. `close` always follows.
    request.on('error', ignore);
  });
}

const ignore = (): void => undefined;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const jsonType = /^application\/(?:[\w!#$&^.-]+\+)?json[\t ]*(?:;|$)/i;

/** The object in the body, or ApiError 3001/3002. With `optional` no bytes at all count as `{}`. */
export function parseBody(bytes: Buffer, headers: IncomingHttpHeaders, optional: boolean): JsonObject {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ApiError(3001, 'content encoding must be identity');
  if (optional && bytes.length === 0) return {};
  const type = headers['content-type'];
  if (type !== 'application/json' && (type === undefined || !jsonType.test(type)))
    throw new ApiError(3001, 'content type must be application/json');
  const value = parseJson(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid([{ field: 'body', problem: 'must be an object' }]);
  bound(value, maxDepth);
  return value as JsonObject;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new ApiError(3001, 'request body is not valid JSON');
  }
}

/** Refuses what nests deeper than any schema of ours, and drops `__proto__`, an unknown field that assignment would obey. */
function bound(value: object, left: number): void {
  if (left === 0) throw invalid([{ field: 'body', problem: `nested deeper than ${maxDepth} levels` }]);
  if (Array.isArray(value)) {
    for (const child of value) if (typeof child === 'object' && child !== null) bound(child, left - 1);
    return;
  }
  const fields = value as JsonObject;
  for (const key of Object.keys(fields)) {
    if (key === '__proto__') Reflect.deleteProperty(fields, key);
    else {
      const child = fields[key];
      if (typeof child === 'object' && child !== null) bound(child, left - 1);
    }
  }
}
