/**
 * Pages: what the server answers to a reader instead of a program, such as documents, indexes and files. GET and HEAD, no credential,
 * any media type, bytes or text. Every page that is found has an ETag and is answered 304 to who holds it already; a method it does not know
 * is a 405 and an address nobody answers the contract's 404. Nothing of the contract's schemas, throttle or Idempotency-Key applies.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';
import { clientAddress } from './client-address.ts';
import { Exchange, type House } from './exchange.ts';
import { toRoutePath } from './paths.ts';
import type { Work } from './work.ts';

export interface PageRequest {
  ip: string;
  method: 'GET' | 'HEAD';
  /** Percent-decoded, without a slash at its end and without the query. */
  path: string;
  query: URLSearchParams;
  /** By their names in lower case, the first value of each. */
  headers: Readonly<Record<string, string | undefined>>;
}

export interface PageAnswer {
  status: number;
  /** Text types get their charset here. */
  mediaType: string;
  body: string | Buffer;
  /** Beside Content-Type, Content-Length, ETag and X-Request-Id. Cache-Control is `no-cache` where none is given: keep, but ask. */
  headers?: Readonly<Record<string, string>>;
}

export interface Page {
  /** As in an operation, or ending in a star for everything below: `/docs/*`. */
  path: string;
  /** Null where there is no such page. Called for HEAD too; the body is then left out. */
  answer(request: PageRequest): PageAnswer | null | Promise<PageAnswer | null>;
}

export const pageMethods = ['GET', 'HEAD'] as const;

export function addPageRoutes(app: FastifyInstance, pages: readonly Page[], house: House, work: Work): void {
  const meter = house.measure('page');
  for (const page of pages) {
    app.route({
      method: [...pageMethods],
      url: toRoutePath(page.path),
      onRequest: (request, reply) => {
        reply.hijack();
        const exchange = new Exchange(house, request.raw, reply.raw, request.id, page.path, meter);
        work.track(serve(exchange, page, clientAddress(request)));
      },
      handler: () => undefined,
    });
  }
}

async function serve(exchange: Exchange, page: Page, ip: string): Promise<void> {
  try {
    const asked = requestOf(exchange.request, ip);
    const found = asked && (await page.answer(asked));
    if (!found) throw new ApiError(4001, 'no such page', { status: 404 });
    const { status, mediaType, body, headers = {} } = found;
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const all = { 'Cache-Control': 'no-cache', ...headers, ...(status === 200 && { ETag: etag }) };
    if (status === 200 && holds(asked.headers['if-none-match'], etag)) exchange.page(304, '', all);
    else exchange.page(status, body, { ...all, 'Content-Type': withCharset(mediaType) });
  } catch (error) {
    exchange.refuse(error);
  }
}

/** Null for an address that is no text. */
function requestOf(request: Exchange['request'], ip: string): PageRequest | null {
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  try {
    return {
      ip,
      method: request.method === 'HEAD' ? 'HEAD' : 'GET',
      path: decodeURIComponent(path).replace(/(?<=.)\/$/, ''),
      query: new URLSearchParams(query),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
      ),
    };
  } catch {
    return null;
  }
}

/** Whether If-None-Match names the page as it is; a proxy that packed it may have made the tag a weak one. */
function holds(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false;
  return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

const withCharset = (mediaType: string): string =>
  /^text\/|^application\/xml$/.test(mediaType) && !mediaType.includes('charset')
    ? `${mediaType}; charset=utf-8`
    : mediaType;
