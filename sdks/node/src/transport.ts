// The one place where a request leaves: credentials, encoding, time limit, retries, and turning answers into values or errors.
// All resources go through `Transport.request`; nothing here knows a resource.

import { randomBytes } from 'crypto';
import { errorFromReply, invalidReply, networkError } from './errors.ts';
import { pauseBeforeRetry } from './retry.ts';
import type { Settings } from './settings.ts';
import { VERSION } from './version.ts';
import type { Exchange, FetchLike, Wire, WireReply, WireRequest } from './wire.ts';
import { fetchWire, nodeWire } from './wire.ts';

export type QueryValue = string | number | boolean | Date | readonly string[] | undefined;

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: { readonly [name: string]: QueryValue };
  body?: object;
  /** Beside those of every request, or in their place. */
  headers?: { readonly [name: string]: string };
  idempotencyKey?: string | undefined;
  /** Added to the time limit, for answers that the server holds back on purpose. */
  extraMs?: number;
  /** Values of this call that must not appear in an error: codes and secrets in the body. */
  hidden?: readonly (string | undefined)[];
}

export class Transport {
  // A private field, so that no console.log or inspect of a client can show the Authorization header.
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Does the call, repeating it as the settings allow, and returns the parsed body. Throws EngagelabError. */
  async request<T>(call: Call): Promise<T> {
    const settings = this.#settings;
    // Encoded once: every try carries the same bytes and the same Idempotency-Key.
    const request = encode(call, settings);
    for (let tries = 1; ; tries += 1) {
      try {
        return (await tryOnce(request, call, settings)) as T;
      } catch (error) {
        const pause = tries > settings.maxRetries ? undefined : pauseBeforeRetry(error, tries, settings.random);
        if (pause === undefined) throw error;
        await settings.sleep(pause);
      }
    }
  }

  /** Waits the way retries do. */
  pause(ms: number): Promise<void> {
    return this.#settings.sleep(ms);
  }
}

/** One segment of a path. Refuses what would address another endpoint, such as an empty id. */
export function segment(id: string): string {
  if (typeof id === 'string' && id !== '' && id !== '.' && id !== '..') return encodeURIComponent(id);
  throw new TypeError('an id must be a non-empty string');
}

function encode(call: Call, settings: Settings): WireRequest {
  const headers: Record<string, string> = {
    Authorization: settings.authorization,
    Accept: 'application/json',
    'User-Agent': `engagelab-otp-node/${VERSION}`,
    ...call.headers,
  };
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const key = call.idempotencyKey ?? (call.method === 'POST' && settings.maxRetries > 0 ? newKey() : undefined);
  if (key !== undefined) headers['Idempotency-Key'] = checkKey(key);
  return { method: call.method, url: settings.baseUrl + call.path + queryString(call.query ?? {}), headers, body };
}

async function tryOnce(request: WireRequest, call: Call, settings: Settings): Promise<unknown> {
  const exchange = pickWire(settings.fetch)(request);
  const reply = await withinTime(exchange, settings.timeoutMs + (call.extraMs ?? 0)).catch((fault) => {
    throw asNetworkError(fault, settings);
  });
  if (reply.status < 200 || reply.status > 299) {
    const own = (call.hidden ?? []).filter((value): value is string => typeof value === 'string');
    throw errorFromReply(reply, [...settings.hidden, ...own]);
  }
  return parseBody(reply);
}

/** Looked up for each try, so that a global `fetch` installed or replaced later (by a tracer, by a test) is used. */
function pickWire(given: FetchLike | undefined): Wire {
  const fetch = given ?? (globalThis as { fetch?: FetchLike }).fetch;
  return fetch ? fetchWire(fetch) : nodeWire;
}

class TimeLimit extends Error {}

function withinTime(exchange: Exchange, ms: number): Promise<WireReply> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimeLimit(`no answer within ${ms} ms`));
      exchange.cancel();
    }, ms);
  });
  return Promise.race([exchange.reply, limit]).finally(() => clearTimeout(timer));
}

/** The original fault is not kept as a cause: what a foreign `fetch` throws may hold the request with its headers. */
function asNetworkError(fault: unknown, settings: Settings): Error {
  const origin = new URL(settings.baseUrl).origin;
  if (fault instanceof TimeLimit) return networkError('timeout', `${origin}: ${fault.message}`);
  const { code, cause } = (fault ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const name = [cause?.code, code].find((value) => typeof value === 'string' && /^[A-Z][A-Z0-9_]+$/.test(value));
  return networkError('network', `no answer from ${origin}${name === undefined ? '' : ` (${String(name)})`}`);
}

function parseBody(reply: WireReply): unknown {
  try {
    return JSON.parse(reply.body);
  } catch {
    throw invalidReply(reply);
  }
}

function queryString(query: { readonly [name: string]: QueryValue }): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    if (value instanceof Date) pairs.append(name, value.toISOString());
    else pairs.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}

function newKey(): string {
  return randomBytes(16).toString('hex');
}

function checkKey(key: string): string {
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new TypeError('idempotencyKey must be 1 to 255 printable ASCII characters');
}
