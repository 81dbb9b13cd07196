/**
 * The front door: one Fastify server whose routes are made by one loop over the list of operations. It knows no room; what it
 * needs of them (who is calling, quotas, checks) it is handed. Every answer, also to what is no request, is the contract's.
 */
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  type FastifyInstance,
  type FastifyRequest,
  fastify,
  type InjectOptions,
  type LightMyRequestResponse,
} from 'fastify';
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Sql } from '../platform/sql.ts';
import { createIdempotency } from './claim-key.ts';
import { addEndpointRoutes, type Endpoint } from './endpoints.ts';
import { type Answered, Exchange, type House, type Meter, requestIdOf } from './exchange.ts';
import { createHealthOperations, createReadiness, type Readiness } from './health.ts';
import { addHookRoutes, type FindHook } from './hooks.ts';
import { makeOpenApi } from './openapi.ts';
import type { Webhook } from './openapi-webhooks.ts';
import type { Caller, Operation } from './operation.ts';
import { addPageRoutes, type Page, pageMethods } from './pages.ts';
import { createPathTable, toRoutePath } from './paths.ts';
import { createServe, type Desk } from './serve.ts';
import { createHttpServer } from './server.ts';
import { finishRows } from './store.ts';
import { createThrottle } from './throttle.ts';
import { createWork, type Work } from './work.ts';

export interface FrontDoorOptions {
  operations: readonly Operation[];
  /** The callbacks the server posts, for the API description. */
  webhooks?: readonly Webhook[];
  authenticate: Desk['authenticate'];
  /** After the throttle; refuses with 429/3004 `quota exceeded`. */
  quota?: (caller: Caller, ip: string) => Promise<void> | void;
  /** Answers webhooks of upstreams below /hooks. */
  findHook?: FindHook;
  /** What readers see; may ask for `openapi()`, so they are made from the finished description. */
  pages?: readonly Page[];
  /** Protocols of their own, each over one address. */
  endpoints?: readonly Endpoint[];
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  /** Address under which customers reach the server, without a slash at its end. */
  publicUrl: () => string;
  /** Addresses or CIDR ranges of the proxies whose X-Forwarded-For is believed. */
  trustProxy: readonly string[];
  /** What /readyz asks; each has one second. */
  checks: Record<string, () => Promise<void>>;
  /** Told about every answer to a key, after it went out. Must not throw. */
  onAnswered?: (answered: Answered) => void;
  /** Who counts the answers of an operation, by its id; asked once for each, while routes are made. */
  measure?: (operation: string) => Meter;
  /** A client of a stream that takes nothing for so long is dropped; default a minute. */
  streamDrainMs?: number;
  /** Compares every reply with its declared schema; for tests. */
  checkOutput?: boolean;
}

export interface FrontDoor {
  /** Resolves with the address it listens on, `http://127.0.0.1:8080`. */
  listen(host: string, port: number): Promise<string>;
  /** Stops accepting, ends streams, finishes what is under way within 8 s, then cuts what is left. */
  close(): Promise<void>;
  /** One request without a socket, for tests. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
  /** The API description with the front door’s own operations; docs/openapi.json is made from it. */
  openapi(): object;
  /** What /readyz answers; also for a process that does not listen. */
  readiness(): Promise<Readiness>;
  /** The same as JSON, made once. */
  openapiText(): string;
  /** Body of a data-modifying CTE by which a deed stores answers in its own statement; see store.ts. */
  finishRows(rows: Sql): Sql;
  /** Deletes Idempotency-Keys past their 24 hours; runs by itself while listening. */
  sweep(): Promise<number>;
}

const drainMs = 8_000;
const sweepEveryMs = 600_000;

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { log, clock, publicUrl, onAnswered, measure = () => () => undefined, streamDrainMs = 60_000 } = options;
  const stopping = new AbortController();
  // Every open stream listens, and a warning is for those who forget to stop listening.
  setMaxListeners(0, stopping.signal);
  const house: House = { log, clock, publicUrl, closing: stopping.signal, drainMs: streamDrainMs, onAnswered, measure };
  const idempotency = createIdempotency(options);
  const desk: Desk = {
    authenticate: options.authenticate,
    quota: options.quota,
    throttle: createThrottle(clock),
    clock,
    idempotency,
    checkOutput: options.checkOutput ?? false,
  };
  const description = createDescription(() => makeOpenApi(operations, publicUrl(), options.webhooks), publicUrl);
  const readiness = createReadiness({ checks: options.checks, isClosing: () => stopping.signal.aborted });
  const operations = [...options.operations, ...createHealthOperations(readiness, description.text)];
  const silent = new Set<Duplex>();
  const unrouted = measure('none');
  const app = createApp(options, house, silent, unrouted);
  const work = createWork();
  const pages = options.pages ?? [];
  addRoutes(app, operations, { house, desk, work, pages, unrouted });
  addPageRoutes(app, pages, house, work);
  addEndpointRoutes(app, options.endpoints ?? [], { house, work, desk });
  if (options.findHook) addHookRoutes(app, options.findHook, house, work);
  const sweeper = createSweeper(idempotency.sweep, work, log);

  return {
    async listen(host, port) {
      await app.listen({ host, port });
      sweeper.start();
      return addressOf(app, host);
    },
    async close() {
      stopping.abort();
      sweeper.stop();
      for (const socket of silent) socket.destroy();
      const deadline = Date.now() + drainMs;
      const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
      await app.close();
      clearTimeout(cut);
      await work.idle(Math.max(0, deadline - Date.now()));
    },
    inject: (request) => app.inject(request),
    openapi: () => description.document(),
    readiness,
    openapiText: description.text,
    finishRows,
    sweep: idempotency.sweep,
  };
}

function createApp(
  { trustProxy, clock }: FrontDoorOptions,
  house: House,
  silent: Set<Duplex>,
  unrouted: Meter,
): FastifyInstance {
  const refuseUnrouted = (exchange: Exchange): void =>
    exchange.refuse(new ApiError(4001, 'no such endpoint', { status: 404 }));
  return fastify({
    logger: false,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request) => requestIdOf(request as FastifyRequest['raw'], clock),
    // No name in a path is too long for the router: whether it exists is for the room to say.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 65_536 },
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      refuseUnrouted(new Exchange(house, request.raw, reply.raw, request.id, null, unrouted));
    },
    serverFactory: (handler) =>
      createHttpServer(handler, {
        ...house,
        silent,
        refuse: (request, response, error) =>
          new Exchange(house, request, response, requestIdOf(request, clock), null, unrouted).refuse(error),
      }),
  });
}

interface Wiring {
  house: House;
  desk: Desk;
  work: Work;
  pages: readonly Page[];
  /** For what no route was found for. */
  unrouted: Meter;
}

/** Requests are answered in the first hook: the framework's own body parsing and reply come after it and are not wanted. */
function addRoutes(app: FastifyInstance, operations: readonly Operation[], wiring: Wiring): void {
  const { house, desk, work, pages, unrouted } = wiring;
  const shown = pages.flatMap(({ path }) => pageMethods.map((method) => ({ method, path })));
  const table = createPathTable([...operations.map(({ spec }) => spec), ...shown]);
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    reply.hijack();
    const exchange = new Exchange(house, request.raw, reply.raw, request.id, null, unrouted);
    const allow = table.methodsOf(request.raw.url ?? '');
    exchange.refuse(
      allow === undefined || allow.split(', ').includes(request.method)
        ? new ApiError(4001, 'no such endpoint', { status: 404 })
        : new ApiError(3002, 'method not allowed', { status: 405, headers: { Allow: allow } }),
    );
  });
  const ids = new Set<string>();
  for (const operation of operations) {
    const { id, method, path } = operation.spec;
    if (ids.has(id)) throw new Error(`two operations are called ${id}`);
    ids.add(id);
    const serve = createServe(operation, desk);
    const meter = house.measure(id);
    app.route({
      method,
      url: toRoutePath(path),
      onRequest: (request, reply) => {
        reply.hijack();
        work.track(serve(new Exchange(house, request.raw, reply.raw, request.id, path, meter), request));
      },
      handler: () => undefined,
    });
  }
}

/** Made once per address, when first asked for. */
function createDescription(make: () => object, publicUrl: () => string): { document(): object; text(): string } {
  let made: { url: string; document: object; text: string } | undefined;
  const current = (): { document: object; text: string } => {
    if (made?.url !== publicUrl()) {
      const document = make();
      made = { url: publicUrl(), document, text: JSON.stringify(document) };
    }
    return made;
  };
  return { document: () => current().document, text: () => current().text };
}

function createSweeper(sweep: () => Promise<number>, work: Work, log: Log): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    work.track(sweep().catch((error: unknown) => log.warn({ err: error }, 'old idempotency keys were not deleted')));
  };
  return {
    start() {
      timer = setInterval(run, sweepEveryMs);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
    },
  };
}

function addressOf(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
