// The two ways onto the network: a `fetch` (given or global), or the built-in http and https modules on old Node.
// Both give the same plain reply and can be cancelled; neither follows redirects, which would carry the key elsewhere.

import type { ClientRequest, IncomingMessage } from 'http';
import { request as requestHttp } from 'http';
import { request as requestHttps } from 'https';

export interface WireRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | undefined;
}

export interface WireReply {
  status: number;
  header(name: string): string | null;
  body: string;
}

export interface Exchange {
  reply: Promise<WireReply>;
  cancel(): void;
}

export type Wire = (request: WireRequest) => Exchange;

/** The part of the standard `fetch` that is used. A `signal` is passed as well where the runtime has AbortController. */
export type FetchLike = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; redirect: 'manual' },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

/** Sends through a `fetch`. */
export function fetchWire(fetch: FetchLike): Wire {
  return ({ method, url, headers, body }) => {
    const abort = typeof AbortController === 'function' ? new AbortController() : undefined;
    const init = {
      method,
      headers,
      redirect: 'manual' as const,
      ...(body === undefined ? {} : { body }),
      ...(abort ? { signal: abort.signal } : {}),
    };
    const read = async (): Promise<WireReply> => {
      const response = await fetch(url, init);
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        body: await response.text(),
      };
    };
    return { reply: read(), cancel: () => abort?.abort() };
  };
}

/** Sends through the built-in http and https modules. */
export const nodeWire: Wire = ({ method, url, headers, body }) => {
  const open = url.startsWith('https:') ? requestHttps : requestHttp;
  const length = { 'Content-Length': String(Buffer.byteLength(body ?? '')) };
  const call: ClientRequest = open(url, { method, headers: method === 'GET' ? headers : { ...headers, ...length } });
  const reply = new Promise<WireReply>((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (response) => readReply(response).then(resolve, reject));
    call.end(body);
  });
  return { reply, cancel: () => call.destroy() };
};

function readReply(response: IncomingMessage): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    // Old versions of Node report a connection lost inside the body only here.
    response.on('aborted', () => reject(Object.assign(new Error('connection lost'), { code: 'ECONNRESET' })));
    response.on('end', () => {
      const header = (name: string) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(', ') : (value ?? null);
      };
      resolve({ status: response.statusCode ?? 0, header, body: Buffer.concat(chunks).toString('utf8') });
    });
  });
}
