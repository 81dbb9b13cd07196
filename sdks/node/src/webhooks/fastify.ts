// Callbacks inside a Fastify application, of version 3.18 or later. The signature covers the body as it came, so the plugin has a
// parser of its own that keeps the bytes; by the rules of Fastify it ends at the plugin's border.

import {
  type CallbackRequest,
  type Checks,
  type EventHandler,
  handle,
  largestBodyBytes,
  type MiddlewareOptions,
} from './middleware.ts';

export interface FastifyOptions extends MiddlewareOptions {
  /** Below the prefix the plugin is registered with. Default `/`. */
  path?: string | undefined;
}

/** The part of a Fastify instance that is used. */
export interface FastifyLike {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    options: { parseAs: 'buffer'; bodyLimit: number },
    parser: (request: never, body: Buffer, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown;
  post(path: string, handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>): unknown;
}

/** The part of a Fastify request that is used. */
export interface FastifyRequestLike {
  headers: CallbackRequest['headers'];
  body?: unknown;
  raw: { on(event: string, listener: (...values: never[]) => void): unknown };
}

/** The part of a Fastify reply that is used. */
export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  type(contentType: string): FastifyReplyLike;
  send(body?: unknown): FastifyReplyLike;
}

export type FastifyPlugin = (instance: FastifyLike, options: object, done: (error?: Error) => void) => void;

export function fastifyPlugin(
  checks: Checks,
  handler: EventHandler,
  { path = '/', ...options }: FastifyOptions,
): FastifyPlugin {
  return (instance, _options, done) => {
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: largestBodyBytes }, (_request, body, parsed) =>
      parsed(null, body),
    );
    instance.post(path, async ({ headers, body, raw }, reply) => {
      // Without a body nothing was parsed; the stream has ended all the same.
      const request = { headers, body: body ?? '', on: raw.on.bind(raw) };
      const { status, text } = await handle(request, checks, handler, options);
      return reply
        .code(status)
        .type('text/plain; charset=utf-8')
        .send(text ?? '');
    });
    done();
  };
}
