/**
 * The way in for webhooks of upstreams: /hooks/{provider}/{token} and what lies below it. Their form is the upstream's, so nothing of
 * the contract applies but the request id and the errors: any content type, up to 3 MB (Meta sends that much in one), bytes
 * as they came. Who may say what is for the room to decide.
 */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';
import { readBody } from './body.ts';
import { Exchange, type House } from './exchange.ts';
import type { Work } from './work.ts';

const maxHookBytes = 3 * 1024 * 1024;

export interface HookCall {
  method: 'GET' | 'POST';
  provider: string;
  token: string;
  /** Behind the token: empty or beginning with a slash, without the query. */
  path: string;
  /** As called, from /hooks on. */
  pathAndQuery: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

/** Rejects with DatabaseUnavailable when what was reported could not be stored: the upstream gets a 503 and repeats. */
export type AnswerHook = (call: HookCall) => Promise<{ status: number; type?: string; body?: string }>;

export function addHookRoutes(app: FastifyInstance, answerHook: AnswerHook, house: House, work: Work): void {
  const meter = house.measure('/hooks');
  for (const url of ['/hooks/:provider/:token', '/hooks/:provider/:token/*']) {
    app.route({
      method: ['GET', 'POST'],
      url,
      onRequest: (request, reply) => {
        reply.hijack();
        const exchange = new Exchange(house, request.raw, reply.raw, request.id, '/hooks', meter);
        work.track(serve(exchange, answerHook));
      },
      handler: () => undefined,
    });
  }
}

async function serve(exchange: Exchange, answerHook: AnswerHook): Promise<void> {
  try {
    const { status, type, body } = await answerHook(await callOf(exchange.request));
    // Status 404 is all a caller without the token learns.
    if (status === 404) throw new ApiError(4001, 'no such endpoint', { status: 404 });
    exchange.answer(status, body ?? '', type ?? 'text/plain; charset=utf-8');
  } catch (error) {
    exchange.refuse(error);
  }
}

async function callOf(request: Exchange['request']): Promise<HookCall> {
  const pathAndQuery = (request.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  const [path = '', query = ''] = pathAndQuery.split(/\?(.*)/s);
  const [, , provider = '', token = '', ...rest] = path.split('/');
  return {
    method: request.method === 'GET' ? 'GET' : 'POST',
    provider,
    token,
    path: rest.length === 0 ? '' : `/${rest.join('/')}`,
    pathAndQuery,
    query: new URLSearchParams(query),
    headers: singleValues(request.headers),
    body: await readBody(request, maxHookBytes),
  };
}

const singleValues = (headers: Exchange['request']['headers']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
