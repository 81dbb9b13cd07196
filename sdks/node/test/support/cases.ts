// The list of SDK cases that all languages share, and how one of its calls is made in this language.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { OTPClient } from '../../src/index.ts';
import type { Received, Reply } from './server.ts';

type Json = Record<string, unknown>;

export interface CallCase {
  name: string;
  client?: { max_retries?: number };
  call: string;
  args: unknown[];
  options?: Json;
  request: {
    method: string;
    path: string;
    query?: Record<string, string>;
    headers?: Record<string, string | { any: string }>;
    absent_headers?: string[];
    body?: unknown;
  };
  replies: Reply[];
  result?: unknown;
  error?: Json;
}

interface Cases {
  client: { dev_key: string; dev_secret: string };
  basic: { key: string; secret: string; authorization: string }[];
  calls: CallCase[];
  errors: { code: number; status: number; category: string; retryable: boolean }[];
  signatures: {
    callback_id: { username: string; secret: string; header: string }[];
    standard: { signing_secret: string; headers: Record<string, string>; body: string }[];
    rotation: { signing_secrets: string[]; headers: Record<string, string>; body: string; valid: boolean }[];
  };
  events: { name: string; row: unknown; event: Json }[];
  /** Bodies of the format `standard`. */
  standard_events: { name: string; body: Json; event: Json }[];
  bodies: { name: string; body: string; count: number }[];
}

export const cases: Cases = JSON.parse(readFileSync(new URL('../../../cases.json', import.meta.url), 'utf8'));

/** Makes the call that a case describes, with its options as the last argument. */
export function callAsCase(client: OTPClient, { call, args, options }: CallCase): Promise<unknown> {
  const path = call.split('.').map(camelCase);
  const name = path.pop() ?? '';
  const owner = path.reduce<unknown>((object, part) => (object as Json)[part], client) as Json;
  const method = owner[name] as (...args: unknown[]) => Promise<unknown>;
  return method.apply(owner, options ? [...args, camelOptions(options)] : args);
}

function camelOptions(options: Json): Json {
  // The keys of custom_args belong to the customer and keep their spelling.
  const inside = (key: string, value: unknown) => (key === 'signals' ? camelOptions(value as Json) : value);
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [camelCase(key), inside(key, value)]));
}

/** Names of fields and methods in this language: `http_status` → `httpStatus`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Compares what reached the server with what a case promises; headers stay the same over the tries of one call. */
export function assertRequest(got: Received, expected: CallCase['request'], first: Received | undefined): void {
  assert.equal(got.method, expected.method);
  assert.equal(got.path, expected.path);
  assert.deepEqual(got.query, expected.query ?? {});
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    if (typeof value === 'string') assert.equal(got.headers[name], value, name);
    else assert.match(String(got.headers[name]), new RegExp(value.any), name);
    assert.equal(got.headers[name], first?.headers[name], `${name} stays the same over tries`);
  }
  for (const name of expected.absent_headers ?? []) assert.equal(got.headers[name], undefined, name);
  if (expected.body !== undefined) assert.deepEqual(JSON.parse(got.text), expected.body);
}
