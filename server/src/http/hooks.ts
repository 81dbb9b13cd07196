/**
 * The way in for webhooks of upstreams: /hooks/{provider}/{token} and what lies below it. Their form is the upstream's, so nothing of
 * the contract applies but the request id and the errors: any content type, up to 3 MB (Meta sends that much in one), bytes
 * as they came. Who may say what is for the room to decide, and it decides by the address before the body is read: who does not know
 * a token costs nothing.
 */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';
import { readBody } from './body.ts';
import { Exchange, type House } from './exchange.ts';
import type { Work } from './work.ts';

const maxHookBytes = 3 * 1024 * 1024;

export interface HookCall {
  method: 'GET' | 'POST';
  /** Behind the token: empty or beginning with a slash, without the query. */
  path: string;
  /** As called, from /hooks on. */
  pathAndQuery: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

/**
 * What answers calls with this token; null for an unknown provider or a wrong token. Rejects with DatabaseUnavailable when what was
 * reported could not be stored: the upstream gets a 503 and repeats.
 */
export type FindHook = (
  provider: string,
  token: string,
) => ((call: HookCall) => Promise<{ status: number; type?: string; body?: string }>) | null;

export function addHookRoutes(app: FastifyInstance, findHook: FindHook, house: House, work: Work): void {
  const meter = house.measure('/hooks');
  for (const url of ['/hooks/:provider/:token', '/hooks/:provider/:token/*']) {
    app.route({
      method: ['GET', 'POST'],
      url,
      onRequest: (request, reply) => {
        reply.hijack();
        const exchange = new Exchange(house, request.raw, reply.raw, request.id, '/hooks', meter);
        work.track(serve(exchange, findHook));
      },
      handler: () => undefined,
    });
  }
}

async function serve(exchange: Exchange, findHook: FindHook): Promise<void> {
  try {
    const { request } = exchange;
    const { provider, token, ...address } = addressOf(request.url ?? '');
    const answerHook = findHook(provider, token);
    if (!answerHook) throw nowhere();
    const { status, type, body } = await answerHook({
      method: request.method === 'GET' ? 'GET' : 'POST',
      ...address,
      headers: singleValues(request.headers),
      body: await readBody(request, maxHookBytes),
    });
    if (status === 404) throw nowhere();
    exchange.answer(status, body ?? '', type ?? 'text/plain; charset=utf-8');
  } catch (error) {
    exchange.refuse(error);
  }
}

/** All a caller without the token learns. */
const nowhere = (): ApiError => new ApiError(4001, 'no such endpoint', { status: 404 });

function addressOf(
  url: string,
): Pick<HookCall, 'path' | 'pathAndQuery' | 'query'> & Record<'provider' | 'token', string> {
  const pathAndQuery = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  const [path = '', query = ''] = pathAndQuery.split(/\?(.*)/s);
  const [, , provider = '', token = '', ...rest] = path.split('/');
  const below = rest.length === 0 ? '' : `/${rest.join('/')}`;
  return { provider, token, path: below, pathAndQuery, query: new URLSearchParams(query) };
}

const singleValues = (headers: Exchange['request']['headers']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
