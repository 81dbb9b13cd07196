/** A small HTTP client for a running server: the credentials every test here presets, and the few calls many tests make. */

export const devKey = 'dk_e2e';
export const devSecret = 'secret-of-the-e2e-key';
export const operatorToken = 'operator-token-of-the-e2e';
/** Settings that make the credentials above valid. */
export const presetEnv = { ENGAGELAB_DEV_KEY: devKey, ENGAGELAB_DEV_SECRET: devSecret, OPERATOR_TOKEN: operatorToken };

export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the body of any operation
  body: any;
}

export interface CallOptions {
  body?: unknown;
  /** Sent as it stands instead of `body`. */
  payload?: string;
  headers?: Record<string, string>;
  timeoutMs?: number;
}

export interface Client {
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
}

const basic = (key: string, secret: string): string => `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;

export const keyClient = (address: string, key = devKey, secret = devSecret): Client =>
  clientOf(address, basic(key, secret));
export const operatorClient = (address: string, token = operatorToken): Client => clientOf(address, `Bearer ${token}`);

export function clientOf(address: string, authorization?: string): Client {
  return {
    async call(method, path, { body, payload, headers = {}, timeoutMs = 30_000 } = {}) {
      const sent = payload ?? (body === undefined ? undefined : JSON.stringify(body));
      const reply = await fetch(`${address}${path}`, {
        method,
        headers: {
          ...(authorization !== undefined && { authorization }),
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const isJson = reply.headers.get('content-type')?.includes('json') ?? false;
      return { status: reply.status, headers: reply.headers, body: isJson ? await reply.json() : await reply.text() };
    },
  };
}

export const sendLogin = (client: Client, to: string, timeoutMs?: number): Promise<Reply> =>
  client.call('POST', '/v1/messages', {
    body: { to, template: { id: 'login' } },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });

export const verify = (client: Client, messageId: string, code: string): Promise<Reply> =>
  client.call('POST', '/v1/verifications', { body: { message_id: messageId, verify_code: code } });

/** The newest message of a handset; waits for one to arrive. */
export async function readHandset(client: Client, to: string) {
  const reply = await client.call('GET', `/v1/sandbox/messages?to=${encodeURIComponent(to)}&wait=10&limit=1`);
  return reply.body.messages?.[0] as { message_id: string; code: string; text: string } | undefined;
}

/** The application of the first key. */
export async function firstApplication(address: string): Promise<string> {
  const operator = operatorClient(address);
  const { body: listed } = await operator.call('GET', '/admin/v1/organizations');
  for (const { id } of listed.organizations) {
    const { body } = await operator.call('GET', `/admin/v1/organizations/${id}/applications`);
    for (const application of body.applications) if (application.sandbox === 'none') return application.id;
  }
  throw new Error('there is no application');
}

/** Lets the first key do as many requests as it likes. */
export async function liftThrottle(address: string): Promise<void> {
  const path = `/admin/v1/applications/${await firstApplication(address)}/policy`;
  const reply = await operatorClient(address).call('PATCH', path, { body: { request_rate: 10_000_000 } });
  if (reply.status !== 200) throw new Error(`the policy was not changed: ${JSON.stringify(reply.body)}`);
}

let recipients = 0;
/** A number of Singapore that no other call of this process got. */
export function newRecipient(): string {
  return `+659${String(recipients++).padStart(7, '0')}`;
}

/**
 * Whether a message that was to be delivered has come to its end: delivered, or ended by its verification, or given up because
 * two hand-overs were cut off, which the ledger then tells (contract §7.2: a second unknown counts as a refusal).
 */
// biome-ignore lint/suspicious/noExplicitAny: the body of an operation
export function isFinal(message: any): boolean {
  if (message.state === 'delivered' || message.verification?.state === 'verified') return true;
  const unknowns = message.timeline?.filter((entry: { cause: string }) => entry.cause === 'attempt_unknown') ?? [];
  return message.state === 'failed' && unknowns.length >= 2;
}
