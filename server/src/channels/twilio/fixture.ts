/**
 * Twilio as the tests meet it: the API of messages and calls over HTTP, strict about what it takes, webhooks and whole calls, and every
 * misbehaviour an upstream has.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createLog } from '../../platform/log.ts';
import { until } from '../../testing/until.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { Adapter, OutgoingMessage, Upstream } from '../contract.ts';
import type { SendOutcome } from '../outcome.ts';
import { type Answering, type Played, playCall } from './emulated-call.ts';
import { callFault, feedbackFault, messageFault } from './emulated-rules.ts';
import { authToken, type WebhookAnswer, type WebhookOptions, webhook } from './emulated-webhook.ts';

export { authToken };

export const accountSid = `AC${'0'.repeat(31)}1`;
export const apiKey = `SK${'0'.repeat(31)}2`;
export const apiKeySecret = 'ApiKeySecret0123456789abcdefghij';
export const senders = { numbers: ['+15005550006', '+15005550007', 'Acme'], services: [`MG${'0'.repeat(31)}3`] };

/** What the API does with a hand-over to one recipient. */
export type Reaction =
  | { kind: 'error'; status: number; code: number; retryAfter?: number }
  | { kind: 'bare'; status: number; body?: string }
  | { kind: 'hang' | 'drop' | 'accept' };

/** Something that was accepted: the form as it came, and its id. */
export interface Held {
  sid: string;
  form: URLSearchParams;
}

export interface Twilio extends AsyncDisposable {
  url: string;
  held: Held[];
  feedback: { sid: string; outcome: string | null }[];
  on(to: string, reaction: Reaction): void;
  last(): Held;
  /** Resolves when a hand-over is left without an answer. */
  whenHanging(): Promise<void>;
  webhook(url: string, fields: Iterable<[string, string]>, options?: WebhookOptions): Promise<WebhookAnswer>;
  /** Reports a status to the address its hand-over gave. */
  report(held: Held, fields: Readonly<Record<string, string>>, options?: WebhookOptions): Promise<WebhookAnswer>;
  /** Has the call answered and played to its end; reports nothing yet. */
  play(held: Held, person: Answering): Promise<Played>;
  close(): Promise<void>;
}

export async function openTwilio(): Promise<Twilio> {
  const state: State = { held: [], feedback: [], reactions: new Map(), hanging: 0 };
  const server = createServer((request, response) => void serve(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: state.held,
    feedback: state.feedback,
    on: (to, reaction) => void state.reactions.set(to, reaction),
    last: () => lastOf(state),
    async whenHanging() {
      await until('a hand-over is left without an answer', () => state.hanging > 0);
      state.hanging--;
    },
    webhook,
    report: (held, fields, options) =>
      webhook(callbackOf(held), Object.entries({ ...identity(held), ...fields }), options),
    play: (held, person) =>
      playCall(held.form.get('Url') ?? '', person, (url, extra) =>
        webhook(url, Object.entries({ ...identity(held), ...inCall(held, person), ...extra })),
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface State {
  held: Held[];
  feedback: { sid: string; outcome: string | null }[];
  reactions: Map<string, Reaction>;
  /** Left without an answer and not waited for yet. */
  hanging: number;
}

function lastOf({ held }: State): Held {
  const last = held.at(-1);
  if (!last) throw new Error('nothing was accepted');
  return last;
}

const callbackOf = ({ form }: Held): string => form.get('StatusCallback') ?? '';

const identity = ({ sid, form }: Held): Record<string, string> => ({
  [sid.startsWith('CA') ? 'CallSid' : 'MessageSid']: sid,
  AccountSid: accountSid,
  From: form.get('From') ?? senders.numbers[0] ?? '',
  To: form.get('To') ?? '',
  ApiVersion: '2010-04-01',
});

const inCall = ({ form }: Held, { answeredBy = 'human' }: Answering): Record<string, string> => ({
  CallStatus: 'in-progress',
  Direction: 'outbound-api',
  ...(form.has('MachineDetection') && { AnsweredBy: answeredBy }),
});

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await text(request));
  const reaction = state.reactions.get(form.get('To') ?? '') ?? { kind: 'accept' };
  if (reaction.kind === 'drop') request.socket.destroy();
  else if (reaction.kind === 'hang') state.hanging++;
  else {
    const { status, body, headers } = answerTo(state, request, form, reaction);
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(body);
  }
}

interface ApiAnswer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

function answerTo(state: State, request: IncomingMessage, form: URLSearchParams, reaction: Reaction): ApiAnswer {
  const fault = gateFault(request);
  if (fault) return errorOf(...fault);
  if (reaction.kind === 'bare') return { status: reaction.status, body: reaction.body ?? '' };
  if (reaction.kind === 'error') {
    const headers = reaction.retryAfter === undefined ? {} : { 'retry-after': String(reaction.retryAfter) };
    return { ...errorOf(reaction.status, reaction.code), headers };
  }
  return create(state, (request.url ?? '').slice(`/2010-04-01/Accounts/${accountSid}/`.length), form);
}

/** Method, address, encoding and credentials, in front of everything else. */
function gateFault({ method, url = '', headers }: IncomingMessage): [status: number, code: number] | null {
  const credentials = [`${accountSid}:${authToken}`, `${apiKey}:${apiKeySecret}`].map(
    (one) => `Basic ${Buffer.from(one).toString('base64')}`,
  );
  if (!credentials.includes(headers.authorization ?? '')) return [401, 20003];
  if (method !== 'POST') return [405, 20004];
  if (headers['content-type'] !== 'application/x-www-form-urlencoded') return [400, 20001];
  return url.startsWith(`/2010-04-01/Accounts/${accountSid}/`) ? null : [404, 20404];
}

function create(state: State, resource: string, form: URLSearchParams): ApiAnswer {
  const about = /^Messages\/([^/]+)\/Feedback\.json$/.exec(resource)?.[1];
  if (about !== undefined) return takeFeedback(state, about, form);
  if (resource !== 'Messages.json' && resource !== 'Calls.json') return errorOf(404, 20404);
  const isCall = resource === 'Calls.json';
  const fault = (isCall ? callFault : messageFault)(form, senders);
  if (fault !== null) return errorOf(400, fault);
  const sid = `${isCall ? 'CA' : 'SM'}${randomBytes(16).toString('hex')}`;
  state.held.push({ sid, form });
  return { status: 201, body: JSON.stringify({ sid, account_sid: accountSid, status: 'queued', error_code: null }) };
}

function takeFeedback(state: State, sid: string, form: URLSearchParams): ApiAnswer {
  const held = state.held.find((one) => one.sid === sid);
  const fault = feedbackFault(form);
  if (held?.form.get('ProvideFeedback') !== 'true') return errorOf(404, 20404);
  if (fault !== null) return errorOf(400, fault);
  state.feedback.push({ sid, outcome: form.get('Outcome') });
  return { status: 201, body: JSON.stringify({ message_sid: sid, outcome: form.get('Outcome') }) };
}

const errorOf = (status: number, code: number): ApiAnswer => ({
  status,
  body: JSON.stringify({ code, message: 'refused', more_info: `https://www.twilio.com/docs/errors/${code}`, status }),
});

export interface Bench extends AsyncDisposable {
  twilio: Twilio;
  ports: TestPorts;
  upstream: Upstream;
  /** Everything the adapter logged. */
  logged: string[];
  /** Hands over a text with the code 482913, unless told otherwise. */
  send(other?: Partial<OutgoingMessage>): Promise<SendOutcome>;
}

/** An adapter opened against an emulator of its own, with webhooks that reach it. */
export async function openBench<Settings>(
  adapter: Adapter<Settings>,
  settings: object = {},
  onReceipt?: TestPorts['onReceipt'],
): Promise<Bench> {
  const twilio = await openTwilio();
  const logged: string[] = [];
  const ports = await openTestPorts(createLog('trace', { write: (line) => void logged.push(line) }), onReceipt);
  const account = { api_url: twilio.url, account_sid: accountSid, auth_token: authToken, from: senders.numbers[0] };
  const upstream = await adapter.open(adapter.settings.parse({ ...account, ...settings }), ports);
  ports.serve(upstream);
  return {
    twilio,
    ports,
    upstream,
    logged,
    send(other) {
      const message = { ...outgoing(), ...other };
      ports.sent.set(message.messageId, message);
      return upstream.send(message, AbortSignal.timeout(5_000));
    },
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await ports.close();
      await twilio.close();
    },
  };
}

export const outgoing = (): OutgoingMessage => ({
  applicationId: '42',
  messageId: '2072832692843446272',
  step: 1,
  attempt: 2,
  reference: '2072832692843446272-1-0',
  channel: 'sms',
  to: '+6591234567',
  content: { text: '482913 is your Acme verification code.', language: 'en', segments: 1 },
  code: '482913',
  expiresAtMs: Date.now() + 300_500,
});
