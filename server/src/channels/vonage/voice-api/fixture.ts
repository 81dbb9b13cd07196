/**
 * Vonage's Voice API and the phones behind it, as the documentation describes them: strict about tokens, requests and documents,
 * signed webhooks, documents fetched again after a 503. A call goes on until a webhook is not taken, and from there in the next
 * round. Nothing is taken from the adapter. Only for tests.
 */
import { createHash, createHmac, createVerify, type KeyObject, randomUUID } from 'node:crypto';
import {
  type Api,
  type Asked,
  callHook,
  type HookCall,
  type HookReply,
  json,
  openApi,
  type Reply,
} from '../fixture.ts';
import { faultOfCall, readDocument } from './strict/fixture.ts';

/** What happens at the phone that is called. */
export interface Person {
  /** In place of an answer of the API. */
  reply?: Reply;
  /** The call ends with this event instead of being answered. */
  ends?: 'busy' | 'unanswered' | 'timeout' | 'rejected' | 'failed' | 'cancelled';
  /** Voicemail answers. */
  machine?: boolean;
  /** Pressed when asked; '1' unless given, null for none. */
  key?: string | null;
  /** Lays down the phone during the prompt. */
  hangsUp?: boolean;
  /** Every webhook comes twice. */
  twice?: boolean;
}

export interface VoiceAccount {
  applicationId: string;
  publicKey: KeyObject;
  apiKey: string;
  signatureSecret: string;
  /** Claims and header fields in place of the right ones, or no signature at all. */
  signing?: 'none' | { header?: object; claims?: object; secret?: string };
}

export interface PhoneCall {
  uuid: string;
  request: Record<string, unknown>;
  /** What was spoken, in order. */
  heard: { text: string; language: string }[];
  /** Addresses called and statuses they gave. */
  calls: { hook: HookCall; status: number }[];
  /** Faults of documents. */
  faults: string[];
}

export interface VoiceApi {
  url: string;
  account: VoiceAccount;
  placed: PhoneCall[];
  /** Bodies of all requests. */
  asked: string[];
  be(number: string, person: Person): void;
  /** Every call below this address goes as far as it gets. */
  run(hookUrl?: string): Promise<void>;
  whenHanging: Api['whenHanging'];
  close: Api['close'];
}

interface Running {
  call: PhoneCall;
  person: Person;
  life: Generator<HookCall, void, HookReply>;
  next: HookCall | undefined;
}

export async function openVoiceApi(account: VoiceAccount): Promise<VoiceApi> {
  const people = new Map<string, Person>();
  const running: Running[] = [];
  const placed: PhoneCall[] = [];
  const asked: string[] = [];
  const seenTokens = new Set<string>();
  const api = await openApi((request) => {
    asked.push(request.body);
    if (request.path !== '/v1/calls' || request.method !== 'POST') return json(404, { type: 'NOT_FOUND' });
    if (!isAuthorised(request, account, seenTokens))
      return json(401, { type: 'UNAUTHORIZED', error_title: 'Unauthorized' });
    const fault = faultOfCall(request);
    if (fault !== null) return json(400, { type: 'BAD_REQUEST', error_title: fault });
    const body = JSON.parse(request.body) as CallRequest;
    const person = people.get(body.to[0].number) ?? {};
    if (person.reply) return person.reply;
    const call: PhoneCall = { uuid: randomUUID(), request: { ...body }, heard: [], calls: [], faults: [] };
    placed.push(call);
    const life = lifeOf(call, body, person);
    running.push({ call, person, life, next: life.next().value ?? undefined });
    return json(201, {
      uuid: call.uuid,
      status: 'started',
      direction: 'outbound',
      conversation_uuid: `CON-${randomUUID()}`,
    });
  });
  return {
    ...api,
    account,
    placed,
    asked,
    be: (number, person) => void people.set(number.replace('+', ''), person),
    async run(hookUrl = '') {
      const due = running.splice(0);
      for (const one of due) {
        if (!one.next?.url.startsWith(hookUrl)) continue;
        if (!(await goOn(one, account))) running.push(one);
      }
    },
  };
}

interface CallRequest {
  to: [{ number: string }];
  from: { number: string };
  answer_url: [string];
  event_url: [string];
}

/** True when the call is over; false when it waits for a webhook that was not taken. */
async function goOn(one: Running, account: VoiceAccount): Promise<boolean> {
  while (one.next) {
    const hook = one.next;
    const reply = await callHook(signedHook(hook, account));
    one.call.calls.push({ hook, status: reply.status });
    if (reply.status >= 429) return false;
    if (one.person.twice) await callHook(signedHook(hook, account));
    one.next = one.life.next(reply).value ?? undefined;
  }
  return true;
}

function* lifeOf(call: PhoneCall, request: CallRequest, person: Person): Generator<HookCall, void, HookReply> {
  const common = { from: request.from.number, to: request.to[0].number, uuid: call.uuid, conversation_uuid: 'CON-1' };
  const timestamp = new Date().toISOString();
  const event = (status: string): HookCall =>
    post(request.event_url[0], { ...common, status, direction: 'outbound', timestamp });
  yield event('started');
  yield event('ringing');
  if (person.ends) return void (yield event(person.ends));
  yield event('answered');
  let reply = yield post(request.answer_url[0], common);
  if (person.machine) {
    // This one event names the call otherwise.
    const { uuid, ...rest } = common;
    yield post(request.event_url[0], { ...rest, call_uuid: uuid, status: 'machine', timestamp });
    return void (yield event('completed'));
  }
  for (let document = readDocument(reply, call.faults); ; document = readDocument(reply, call.faults)) {
    call.heard.push(...document.talks);
    if (document.input === null || person.hangsUp) break;
    const digits = person.key === undefined ? '1' : person.key;
    const dtmf = { digits: digits ?? '', timed_out: digits === null };
    reply = yield post(document.input, { speech: { results: [] }, dtmf, ...common, timestamp });
  }
  yield event('completed');
}

const post = (url: string, body: object): HookCall => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The webhook with a token as Vonage makes it, over the bytes that are sent. */
export function signedHook(hook: HookCall, account: VoiceAccount): HookCall {
  const { signing = {} } = account;
  if (signing === 'none') return hook;
  const query = JSON.stringify(Object.fromEntries(new URL(hook.url).searchParams));
  const payload = hook.method === 'GET' ? query : (hook.body ?? '');
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    iss: 'Vonage',
    payload_hash: createHash('sha256').update(payload).digest('hex'),
    api_key: account.apiKey,
    application_id: account.applicationId,
    ...signing.claims,
  };
  const text = `${base64url({ alg: 'HS256', typ: 'JWT', ...signing.header })}.${base64url(claims)}`;
  const signature = createHmac('sha256', signing.secret ?? account.signatureSecret)
    .update(text)
    .digest('base64url');
  return { ...hook, headers: { ...hook.headers, authorization: `Bearer ${text}.${signature}` } };
}

/** RS256 by the application's key, fresh, at most a day long, and never seen before. */
function isAuthorised({ headers }: Asked, account: VoiceAccount, seen: Set<string>): boolean {
  const [head, claims, signature] = headers.authorization?.replace(/^Bearer /, '').split('.') ?? [];
  if (!head || !claims || !signature) return false;
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  const right = createVerify('RSA-SHA256')
    .update(`${head}.${claims}`)
    .verify(account.publicKey, signature, 'base64url');
  const { application_id: id, iat, exp, jti } = parse(claims);
  const now = Date.now() / 1000;
  if (!right || parse(head).alg !== 'RS256' || id !== account.applicationId || seen.has(jti)) return false;
  seen.add(jti);
  return typeof jti === 'string' && iat <= now + 1 && iat > now - 60 && exp > now && exp - iat <= 86_400;
}
