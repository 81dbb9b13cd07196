// One plain request of doctor, without a credential unless it is given, and its answer as a value: here a fault is a finding.

import { VERSION } from '../../version.ts';

export interface Seen {
  status: number;
  header(name: string): string | null;
  body: string;
  /** Of this machine, halfway between asking and the answer. */
  at: number;
}

export interface Unseen {
  /** Such as ECONNREFUSED. */
  fault: string;
}

const patienceMs = 10_000;

export async function probe(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Seen | Unseen> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patienceMs);
  const begun = Date.now();
  try {
    const response = await fetch(url, {
      ...init,
      headers: { 'User-Agent': `engagelab-otp-cli/${VERSION}`, ...init.headers },
      redirect: 'manual',
      signal: stop.signal,
    });
    const at = (begun + Date.now()) / 2;
    return { status: response.status, header: (name) => response.headers.get(name), body: await response.text(), at };
  } catch (error) {
    return { fault: stop.signal.aborted ? 'TIMEOUT' : faultOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

function faultOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const found = [cause?.code, code].find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : 'no connection';
}

/** The body as an object; undefined where it is none. */
export function jsonOf(seen: Seen | Unseen): { [name: string]: unknown } | undefined {
  if ('fault' in seen) return undefined;
  try {
    const value: unknown = JSON.parse(seen.body);
    return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it names the machine itself; false for what is no address. */
export function isLoopback(address: string): boolean {
  const host = /^https?:\/\/([^/:[]+|\[[^\]]*\])/i.exec(address)?.[1]?.toLowerCase() ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host.startsWith('127.');
}
