/**
 * Who may knock at /mcp: Host and Origin must be ours, so that no web page reaches a server on somebody's own machine through their browser;
 * then the credential. A refusal names no login to start: there is none that could succeed.
 */
import { isIP } from 'node:net';
import { ApiError } from '../errors.ts';
import { errorBody } from '../http/failure.ts';
import { bareKey } from '../http/idempotency.ts';
import type { EndpointFrom } from '../http/index.ts';
import type { Caller } from '../policy.ts';
import type { Session } from './call-tool.ts';
import type { Narrowing } from './catalog.ts';
import { type Toolset, toolsets } from './tool.ts';

export interface GatePorts {
  publicUrl(): string;
  authenticate(authorization: string | undefined, ip: string): Promise<Caller>;
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Throws 403/2004 for a Host or Origin that is not ours. An address of digits cannot be rebound, so it counts as ours. */
export function requireOurs(request: Request, publicUrl: string): void {
  const ours = URL.canParse(publicUrl) ? new URL(publicUrl) : null;
  const host = new URL(request.url);
  const isOurs = (hostname: string): boolean =>
    hostname === ours?.hostname || loopback.has(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  if (!isOurs(host.hostname)) throw foreign('Host');
  const origin = request.headers.get('origin');
  if (origin === null) return;
  const from = URL.canParse(origin) ? new URL(origin) : null;
  const same = from !== null && (from.origin === ours?.origin || from.host === host.host);
  // Tools for developers run beside a server on the same machine, on a port of their own.
  if (!same && !(from && loopback.has(from.hostname) && loopback.has(host.hostname))) throw foreign('Origin');
}

const foreign = (header: string): ApiError => new ApiError(2004, `${header}: not an address of this server`);

/** Who calls, and what they gave up; counted against the limit of the key. Throws 401/2001 or 2002, 403/2004 and 429/3004. */
export async function openSession(
  { authenticate }: GatePorts,
  request: Request,
  from: EndpointFrom,
  readOnly: boolean,
): Promise<Session> {
  const authorization = request.headers.get('authorization') ?? '';
  const idempotencyKey = request.headers.get('idempotency-key');
  const caller = await authenticate(authorization, from.ip);
  return {
    caller,
    authorization,
    uncount: from.count(caller),
    ip: from.ip,
    requestId: from.requestId,
    userAgent: request.headers.get('user-agent'),
    idempotencyKey: idempotencyKey === null ? null : bareKey(idempotencyKey),
    narrowing: narrowingOf(request.headers, readOnly),
  };
}

/** What the headers give up. Any value but these three asks for readers alone, as narrowing does no harm. */
export function narrowingOf(headers: Headers, readOnly: boolean): Narrowing {
  const asked = headers.get('x-mcp-toolsets');
  const names = asked?.split(',').map((name) => name.trim());
  return {
    readOnly: readOnly || !['', '0', 'false'].includes(headers.get('x-mcp-readonly')?.trim().toLowerCase() ?? ''),
    toolsets: names ? toolsets.filter((name: Toolset) => names.includes(name)) : null,
  };
}

/** The contract's error, with a plain challenge. */
export function refuseKnock(error: ApiError, requestId: string, publicUrl: string): Response {
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', ...error.headers });
  if (error.status === 401) headers.set('www-authenticate', 'Bearer');
  if (error.retryAfter !== undefined) headers.set('retry-after', String(error.retryAfter));
  return new Response(errorBody(error, requestId, publicUrl), { status: error.status, headers });
}
