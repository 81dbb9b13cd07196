/**
 * Webhooks as Twilio sends them: a form, signed over address and fields with the auth token. Written apart from what is under test.
 */
import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';

export const authToken = 'f00dfeed0123456789abcdef01234567';

export interface WebhookOptions {
  /** Instead of the account's auth token. */
  signedWith?: string;
  /** Instead of the right one; null sends none. */
  signature?: string | null;
  /** Address the signature is made for, where it differs from the one called. */
  signedUrl?: string;
}

export interface WebhookAnswer {
  status: number;
  type: string;
  body: string;
}

/** Posts a form as Twilio does: without the fragment, signed over address and fields, on a connection of its own. */
export function webhook(
  url: string,
  fields: Iterable<[string, string]>,
  options: WebhookOptions = {},
): Promise<WebhookAnswer> {
  const target = url.split('#', 1).join('');
  const pairs = [...fields];
  const { signedWith = authToken, signedUrl = target } = options;
  const signature = options.signature === undefined ? sign(signedWith, signedUrl, pairs) : options.signature;
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      ...(signature !== null && { 'x-twilio-signature': signature }),
    };
    const sending = httpRequest(target, { method: 'POST', headers, agent: false }, (response) => {
      const { statusCode: status = 0, headers: got } = response;
      text(response).then((body) => resolve({ status, type: got['content-type'] ?? '', body }), reject);
    });
    sending.on('error', reject).end(new URLSearchParams(pairs).toString());
  });
}

/** Keys in order, each followed by its value, behind the address. Fields do not repeat here. */
export function sign(token: string, url: string, pairs: readonly [string, string][]): string {
  const hmac = createHmac('sha1', token).update(url);
  for (const [key, value] of [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))) hmac.update(key).update(value);
  return hmac.digest('base64');
}
