// Receiving callbacks: check the signature, read the events, or let the middleware do both.
// The secrets live in a private field; inspecting or serialising a verifier shows none.

import { isFields, readRow, type WebhookEvent } from './events.ts';
import { type FastifyOptions, type FastifyPlugin, fastifyPlugin } from './fastify.ts';
import {
  type Checks,
  type EventHandler,
  type MiddlewareOptions,
  type RequestHandler,
  requestHandler,
} from './middleware.ts';
import { checkCallbackId, checkStandard, type HeaderSource, readHeader, signingKey } from './signature.ts';
import { readStandard } from './standard.ts';

export interface VerifierOptions {
  /** Default: the variable ENGAGELAB_WEBHOOK_USERNAME. */
  username?: string | undefined;
  /** Default: the variable ENGAGELAB_WEBHOOK_SECRET. */
  secret?: string | undefined;
  /** More secrets of the username that count, such as the next one while it is being changed. */
  secrets?: readonly string[] | undefined;
  /**
   * `whsec_…`, for `verifyStandard`. Default: the variable ENGAGELAB_WEBHOOK_SIGNING_SECRET, if set, where several are separated by
   * blanks.
   */
  signingSecret?: string | undefined;
  /** More signing secrets that count, such as the one before while it is being rotated, or those of other endpoints. */
  signingSecrets?: readonly string[] | undefined;
  /** How old or early a callback may be. Default: no limit, because retries of days are wanted. */
  toleranceSeconds?: number | undefined;
}

interface Secrets {
  callbackId: { username: string; secrets: readonly string[] } | undefined;
  /** Empty: bodies are not checked. */
  keys: readonly Buffer[];
}

export class WebhookVerifier {
  readonly #secrets: Secrets;
  readonly #toleranceSeconds: number | undefined;

  constructor(options: VerifierOptions = {}) {
    this.#secrets = readSecrets(options);
    this.#toleranceSeconds = options.toleranceSeconds;
  }

  /** Checks the value of the X-CALLBACK-ID header; throws WebhookSignatureError. */
  verify(xCallbackIdHeader: string | undefined): void {
    const { callbackId } = this.#secrets;
    if (!callbackId) throw new TypeError('WebhookVerifier: verify needs a username and a secret');
    checkCallbackId(xCallbackIdHeader, { ...callbackId, toleranceSeconds: this.#toleranceSeconds });
  }

  /** Checks the Standard Webhooks signature, which covers the body as it came; throws WebhookSignatureError. */
  verifyStandard(headers: HeaderSource, rawBody: string | Uint8Array): void {
    const { keys } = this.#secrets;
    if (keys.length === 0) throw new TypeError('WebhookVerifier: verifyStandard needs a signingSecret');
    checkStandard(headers, rawBody, { keys, toleranceSeconds: this.#toleranceSeconds });
  }

  /**
   * The events of a callback: its text, its bytes, or the object parsed from them. A probe (`{}` or nothing) gives [].
   * An endpoint of format `standard` sends one event, which becomes the same class as its row would. Throws a SyntaxError for text that is not JSON. Checks no signature.
   */
  parseEvents(body: unknown): WebhookEvent[] {
    const envelope = typeof body === 'string' || body instanceof Uint8Array ? parseJson(body) : body;
    if (!isFields(envelope)) return [];
    const { rows } = envelope;
    const events = Array.isArray(rows) ? rows.map((row) => readRow(row)) : [readStandard(envelope)];
    return events.filter((event): event is WebhookEvent => event !== null);
  }

  /**
   * A handler for Express, or for a plain node:http server. Answers 401 to a bad signature, 200 to a probe and after
   * `handler` has finished, 500 if it fails, so that the callback comes again.
   * With a `signingSecret` the body must arrive unparsed (raw bytes, text, an unread stream, or kept in `req.rawBody`).
   */
  middleware(handler: EventHandler, options: MiddlewareOptions = {}): RequestHandler {
    return requestHandler(this.#checks(), handler, options);
  }

  /**
   * A plugin for Fastify with one POST route, answering as `middleware` does. Inside it bodies stay as they came; the rest of the
   * application keeps its parsers. `app.register(hooks.fastify(handler), { prefix: '/otp-callbacks' })`
   */
  fastify(handler: EventHandler, options: FastifyOptions = {}): FastifyPlugin {
    return fastifyPlugin(this.#checks(), handler, options);
  }

  #checks(): Checks {
    const { callbackId, keys } = this.#secrets;
    return {
      needsRawBody: keys.length > 0,
      verify: (headers, rawBody) => {
        if (callbackId) this.verify(readHeader(headers, 'x-callback-id'));
        if (keys.length > 0 && rawBody !== undefined) this.verifyStandard(headers, rawBody);
      },
      parse: (body) => this.parseEvents(body),
    };
  }
}

function readSecrets(options: VerifierOptions): Secrets {
  const username = options.username ?? process.env['ENGAGELAB_WEBHOOK_USERNAME'];
  const secret = options.secret ?? process.env['ENGAGELAB_WEBHOOK_SECRET'];
  const secrets = [secret, ...(options.secrets ?? [])].filter((one): one is string => Boolean(one));
  const keys = readSigningSecrets(options).map(signingKey);
  if (username && secrets.length > 0) return { callbackId: { username, secrets }, keys };
  if (!username && secrets.length === 0 && keys.length > 0) return { callbackId: undefined, keys };
  throw new TypeError(
    'WebhookVerifier: username and secret are needed. Pass { username, secret } ' +
      'or set ENGAGELAB_WEBHOOK_USERNAME and ENGAGELAB_WEBHOOK_SECRET.',
  );
}

/** The variable counts only where nothing is given: a list in code is meant to be whole. */
function readSigningSecrets({ signingSecret, signingSecrets }: VerifierOptions): string[] {
  const given = [signingSecret, ...(signingSecrets ?? [])].filter((one): one is string => Boolean(one));
  if (given.length > 0) return given;
  return (process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'] ?? '').split(/\s+/).filter((one) => one !== '');
}

function parseJson(body: string | Uint8Array): unknown {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the body.
    throw new SyntaxError('the callback body is not JSON');
  }
}
