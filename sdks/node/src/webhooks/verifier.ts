// Receiving callbacks: check the signature, read the events, or let the middleware do both.
// The secrets live in a private field; inspecting or serialising a verifier shows none.

import { isFields, readRow, type WebhookEvent } from './events.ts';
import { type EventHandler, type MiddlewareOptions, type RequestHandler, requestHandler } from './middleware.ts';
import { checkCallbackId, checkStandard, type HeaderSource, readHeader, signingKey } from './signature.ts';

export interface VerifierOptions {
  /** Default: the variable ENGAGELAB_WEBHOOK_USERNAME. */
  username?: string | undefined;
  /** Default: the variable ENGAGELAB_WEBHOOK_SECRET. */
  secret?: string | undefined;
  /** `whsec_…`, for `verifyStandard`. Default: the variable ENGAGELAB_WEBHOOK_SIGNING_SECRET, if set. */
  signingSecret?: string | undefined;
  /** How old or early a callback may be. Default: no limit, because retries of days are wanted. */
  toleranceSeconds?: number | undefined;
}

interface Secrets {
  callbackId: { username: string; secret: string } | undefined;
  key: Buffer | undefined;
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
    const { key } = this.#secrets;
    if (!key) throw new TypeError('WebhookVerifier: verifyStandard needs a signingSecret');
    checkStandard(headers, rawBody, { key, toleranceSeconds: this.#toleranceSeconds });
  }

  /**
   * The events of a callback: its text, its bytes, or the object parsed from them. A probe (`{}` or nothing) gives [].
   * Throws a SyntaxError for text that is not JSON. Checks no signature.
   */
  parseEvents(body: unknown): WebhookEvent[] {
    const envelope = typeof body === 'string' || body instanceof Uint8Array ? parseJson(body) : body;
    const rows = isFields(envelope) ? envelope['rows'] : undefined;
    if (!Array.isArray(rows)) return [];
    return rows.map(readRow).filter((event): event is WebhookEvent => event !== null);
  }

  /**
   * A handler for Express, or for a plain node:http server. Answers 401 to a bad signature, 200 to a probe and after
   * `handler` has finished, 500 if it fails, so that the callback comes again.
   * With a `signingSecret` the body must arrive unparsed (raw bytes, text, an unread stream, or kept in `req.rawBody`).
   */
  middleware(handler: EventHandler, options: MiddlewareOptions = {}): RequestHandler {
    const checks = {
      needsRawBody: this.#secrets.key !== undefined,
      verify: (headers: HeaderSource, rawBody: string | Uint8Array | undefined) => {
        if (this.#secrets.callbackId) this.verify(readHeader(headers, 'x-callback-id'));
        if (this.#secrets.key && rawBody !== undefined) this.verifyStandard(headers, rawBody);
      },
      parse: (body: unknown) => this.parseEvents(body),
    };
    return requestHandler(checks, handler, options);
  }
}

function readSecrets(options: VerifierOptions): Secrets {
  const username = options.username ?? process.env['ENGAGELAB_WEBHOOK_USERNAME'];
  const secret = options.secret ?? process.env['ENGAGELAB_WEBHOOK_SECRET'];
  const signingSecret = options.signingSecret ?? process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'];
  const key = signingSecret ? signingKey(signingSecret) : undefined;
  if (username && secret) return { callbackId: { username, secret }, key };
  if (!username && !secret && key) return { callbackId: undefined, key };
  throw new TypeError(
    'WebhookVerifier: username and secret are needed. Pass { username, secret } ' +
      'or set ENGAGELAB_WEBHOOK_USERNAME and ENGAGELAB_WEBHOOK_SECRET.',
  );
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
