// Turns constructor arguments and ENGAGELAB_* variables into checked settings, once, when a client is made.
// A mistake is refused here with a sentence that names the remedy and never repeats the value.

import type { FetchLike } from './wire.ts';

export interface ClientOptions {
  /** Default: the variable ENGAGELAB_BASE_URL, then `http://localhost:8080`. */
  baseUrl?: string | undefined;
  /** How long one try may take. Default 30000. */
  timeoutMs?: number | undefined;
  /** How often a retryable error or a network fault is repeated. Default 0. */
  maxRetries?: number | undefined;
  /** Default: the global `fetch`, or the built-in http and https modules where there is none. */
  fetch?: FetchLike | undefined;
  /** Where the jitter of retries comes from, 0 ≤ x < 1. For tests. */
  random?: (() => number) | undefined;
  /** How retries wait. For tests. */
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

export interface Settings {
  baseUrl: string;
  authorization: string;
  /** Values that must not appear in an error. */
  hidden: readonly string[];
  timeoutMs: number;
  maxRetries: number;
  fetch: FetchLike | undefined;
  random: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Checks what the constructor was given; throws a TypeError. */
export function readSettings(
  devKey: string | undefined,
  devSecret: string | undefined,
  options: ClientOptions,
): Settings {
  const key = credential('devKey', devKey, 'ENGAGELAB_DEV_KEY');
  const secret = credential('devSecret', devSecret, 'ENGAGELAB_DEV_SECRET');
  if (key.includes(':')) throw new TypeError('OTPClient: devKey contains a colon; is it "key:secret" in one string?');
  const token = Buffer.from(`${key}:${secret}`, 'utf8').toString('base64');
  return {
    baseUrl: checkBaseUrl(options.baseUrl ?? (process.env['ENGAGELAB_BASE_URL'] || 'http://localhost:8080')),
    authorization: `Basic ${token}`,
    // Shorter ones are no secrets, and taking "a" or "key" out of every error would only blur it.
    hidden: [token, secret, key].filter((value) => value.length > 3),
    timeoutMs: wholeNumber('timeoutMs', options.timeoutMs ?? 30_000, 1),
    maxRetries: wholeNumber('maxRetries', options.maxRetries ?? 0, 0),
    fetch: options.fetch,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
  };
}

function credential(name: string, given: string | undefined, variable: string): string {
  const value = given ?? process.env[variable];
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(
    `OTPClient: ${name} is missing. Call new OTPClient(devKey, devSecret) or set ${variable}; ` +
      'the operator makes keys (engagelab-otp keys create), and "sandbox_demo" with "sandbox_secret" opens the sandbox.',
  );
}

function checkBaseUrl(value: string): string {
  const url = parseUrl(value);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(
      'OTPClient: the base URL must be an absolute http or https URL such as https://otp.example.com',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('OTPClient: the base URL must not contain credentials; pass devKey and devSecret instead');
  }
  if (url.search !== '' || url.hash !== '') throw new TypeError('OTPClient: the base URL must end before "?" and "#"');
  return url.href.replace(/\/+$/, '');
}

function parseUrl(value: string): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new TypeError(`OTPClient: ${name} must be a whole number, at least ${least}`);
}
