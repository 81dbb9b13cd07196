/**
 * One request to one operation, in the order of contract §2: credential, permission, throttle and quota, body, Idempotency-Key,
 * schema, business. The first check that fails answers. Everything about an operation that can be known beforehand is.
 */
import type { FastifyRequest } from 'fastify';
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type JsonObject, parseBody, readBody, refuseLargeBody } from './body.ts';
import type { Idempotency } from './claim-key.ts';
import { clientAddress } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import { faultsOf, faultTexts } from './faults.ts';
import { idempotencyKeyOf, identityOf, withFieldsOf, withoutFields } from './idempotency.ts';
import { Answer, type Caller, EventStream, type IdempotencyTicket, type Operation, TextAnswer } from './operation.ts';
import { RequestCall } from './request-call.ts';
import { requireUnder, type Throttle } from './throttle.ts';

export interface Desk {
  authenticate: {
    key(authorization: string | undefined, ip: string): Promise<Caller>;
    operator(authorization: string | undefined, ip: string): Promise<void>;
  };
  quota: ((caller: Caller, ip: string) => Promise<void> | void) | undefined;
  throttle: Throttle;
  clock: Clock;
  idempotency: Idempotency;
  /** Whether replies are compared with their declared schema (tests); a reply that differs becomes a 500. */
  checkOutput: boolean;
}

type Spec = Operation['spec'];
type Serve = (exchange: Exchange, request: FastifyRequest) => Promise<void>;

/** Keys of the operator, who belongs to no application, have a scope of their own. */
const operatorScope = '0';
const none: JsonObject = Object.freeze({});
const challenges = { none: undefined, key: 'Basic realm="otp"', operator: 'Bearer realm="operator"' } as const;

/** Returns what answers requests to this operation; it never rejects. */
export function createServe({ spec, handle }: Operation, desk: Desk): Serve {
  const challenge = challenges[spec.auth];
  const validate = createValidation(spec);
  const takesBody = spec.input.body !== undefined || ['POST', 'PUT', 'PATCH'].includes(spec.method);
  const bodyOptional = spec.bodyOptional === true || spec.input.body === undefined;
  const keyed = spec.method === 'POST' && spec.auth !== 'none';

  async function run(asked: Asked, idempotency: IdempotencyTicket | null): Promise<unknown> {
    const call = new RequestCall(
      { ...asked, ...validate(asked), idempotency },
      asked.exchange.request,
      asked.exchange.response,
    );
    const output = await handle(call);
    if (desk.checkOutput && !(output instanceof EventStream || output instanceof TextAnswer)) checkOutput(spec, output);
    return output;
  }

  async function runOnce(asked: Asked, key: string): Promise<unknown> {
    const { exchange, body, params } = asked;
    const applicationId = asked.caller?.application.id ?? operatorScope;
    const identity = identityOf(spec.method, spec.path, params, body);
    const claimed = await desk.idempotency.claim({ applicationId, key, identity });
    if (claimed.kind === 'replay') {
      exchange.replayed = true;
      return withFieldsOf(body, claimed.answer, spec.notStored);
    }
    const { claim, ticket } = claimed;
    let output: unknown;
    try {
      output = await run(asked, ticket);
    } catch (error) {
      await desk.idempotency.release(claim);
      throw error;
    }
    if (!ticket.stored) await desk.idempotency.finish(claim, withoutFields(output as object, spec.notStored));
    return output;
  }

  return async (exchange, request) => {
    try {
      const raw = request.raw;
      const ip = clientAddress(request);
      const caller = await admit(spec, desk, exchange, ip);
      let body = none;
      if (takesBody) body = parseBody(await readBody(raw, spec.maxBodyBytes), raw.headers, bodyOptional);
      else refuseLargeBody(raw.headers);
      const asked: Asked = {
        exchange,
        requestId: exchange.id,
        ip,
        caller,
        params: request.params,
        query: request.query,
        body,
      };
      const key = keyed ? idempotencyKeyOf(raw) : undefined;
      await send(spec, exchange, key === undefined ? await run(asked, null) : await runOnce(asked, key));
    } catch (error) {
      exchange.refuse(error, challenge);
    }
  };
}

interface Asked {
  exchange: Exchange;
  requestId: string;
  ip: string;
  caller: Caller | undefined;
  params: unknown;
  query: unknown;
  body: JsonObject;
}

/** Steps 3 and 4: who it is, whether they may, whether they may now. */
async function admit(spec: Spec, desk: Desk, exchange: Exchange, ip: string): Promise<Caller | undefined> {
  if (spec.auth === 'none') return undefined;
  const { authorization } = exchange.request.headers;
  if (spec.auth === 'operator') {
    await desk.authenticate.operator(authorization, ip);
    return undefined;
  }
  const caller = await desk.authenticate.key(authorization, ip);
  exchange.caller = caller;
  exchange.ip = ip;
  // Counted before the permission is looked at, because every authenticated answer tells what is left.
  const allowance = desk.throttle.take(caller.keyId, caller.application.policy.request_rate);
  exchange.allowance = allowance;
  if (!isPermitted(spec, caller)) throw new ApiError(2004, 'no permission for this API');
  requireUnder(allowance, desk.clock.now());
  await desk.quota?.(caller, ip);
  return caller;
}

function isPermitted({ permission }: Spec, { permissions }: Caller): boolean {
  if (permission === undefined) return true;
  return permission === 'any' ? permissions.size > 0 : permissions.has(permission);
}

interface Input {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** Parses what has a schema and passes an empty object for what has none; throws 3002 naming every fault. */
function createValidation({ input }: Spec): (input: Input) => Input {
  return (given) => {
    const params = input.params?.safeParse(given.params, faultTexts);
    const query = input.query?.safeParse(given.query, faultTexts);
    const body = input.body?.safeParse(given.body, faultTexts);
    if (params?.success !== false && query?.success !== false && body?.success !== false)
      return { params: params?.data ?? none, query: query?.data ?? none, body: body?.data ?? none };
    throw invalidInput([
      ...(params?.error ? faultsOf(params.error.issues, 'path') : []),
      ...(query?.error ? faultsOf(query.error.issues, 'query') : []),
      ...(body?.error ? faultsOf(body.error.issues, 'body') : []),
    ]);
  };
}

function invalidInput(faults: FieldFault[]): ApiError {
  const [first, ...others] = faults;
  return invalid(first ? [first, ...others] : [{ field: 'body', problem: 'not allowed' }]);
}

function checkOutput(spec: Spec, output: unknown): void {
  const body = output instanceof Answer ? output.body : output;
  const parsed = spec.output.safeParse(body, faultTexts);
  if (parsed.success) return;
  const faults = faultsOf(parsed.error.issues, 'reply').map(({ field, problem }) => `${field}: ${problem}`);
  throw new Error(`a reply of ${spec.id} is not as declared: ${faults.join('; ')}`);
}

/** Resolves when a stream has ended; everything else is handed to the connection at once. */
function send(spec: Spec, exchange: Exchange, output: unknown): Promise<void> | void {
  if (output instanceof EventStream) return exchange.stream(output);
  const mediaType = output instanceof TextAnswer ? spec.otherwise?.mediaType : spec.mediaType;
  if (output instanceof Answer) exchange.answer(output.status, JSON.stringify(output.body));
  else if (mediaType === undefined) {
    exchange.nextCursor = (spec.method === 'GET' && (output as { next_cursor?: string | null }).next_cursor) || null;
    exchange.answer(200, JSON.stringify(output));
  } else exchange.answer(200, output instanceof TextAnswer ? output.text : String(output), withCharset(mediaType));
}

const withCharset = (mediaType: string): string =>
  mediaType.startsWith('text/') ? `${mediaType}; charset=utf-8` : mediaType;
