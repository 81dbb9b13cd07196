/**
 * An emulated gateway with two dialects, for tests: JSON with a bearer token and signed lists of receipts (/v1/messages, /v1/calls),
 * and forms or queries with a key among the fields, answers of text and receipts as queries (/http/send, /http/call). Both are strict
 * about what they are sent, and misbehave on request.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const account = { token: 'b3arer-t0ken-of-tests', key: 'k3y-of-tests+/=', webhookSecret: 'wh-s3cret-of-tests' };

export interface Reply {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}
/** To a recipient: an error of the dialect, any answer at all, none, or a connection closed after the request was read. */
type Behaviour = { error: string } | Reply | 'hang' | 'drop';

export interface Asked {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Taken {
  to: string;
  id: string;
  reference: string;
  callback: string;
}

interface Owed extends Omit<Taken, 'to'> {
  dialect: 'json' | 'text';
  state: string;
  cause: string;
  times: number;
}

export interface Gateway {
  url: string;
  /** Every request read so far. */
  asked: Asked[];
  /** What was accepted, oldest first. */
  taken: Taken[];
  /** For all further messages to this recipient (E.164). */
  behave(to: string, behaviour: Behaviour | null): void;
  /** What the receipt of this recipient says, and how often it comes. */
  willReport(to: string, report: { state?: string; cause?: string; times?: number }): void;
  /** Resolves when a request has been left without an answer. */
  whenHanging(): Promise<void>;
  /** Posts every receipt owed to addresses below this one, newest first, and again those that were not taken. */
  report(hookUrl: string): Promise<void>;
  close(): Promise<void>;
}

export async function openGatewayFixture(): Promise<Gateway> {
  const behaviours = new Map<string, Behaviour>();
  const reports = new Map<string, { state?: string; cause?: string; times?: number }>();
  const asked: Asked[] = [];
  const taken: Taken[] = [];
  let owed: Owed[] = [];
  let hung = Promise.withResolvers<void>();
  const decide = (one: Asked): Behaviour => {
    const dialect = one.url.pathname.startsWith('/v1/') ? 'json' : 'text';
    const read = dialect === 'json' ? readJson(one) : readFields(one);
    const behaviour = 'error' in read ? read : behaviours.get(read.to);
    if (behaviour === 'hang' || behaviour === 'drop') return behaviour;
    if (behaviour && 'status' in behaviour) return behaviour;
    if (behaviour) return dialect === 'json' ? jsonError(behaviour.error) : textAnswer(`ERR ${behaviour.error}`);
    if ('error' in read) return read;
    const id = dialect === 'json' ? randomUUID() : String(Math.trunc(Math.random() * 1e15) + 1);
    const { callback, reference } = read;
    const report = {
      state: dialect === 'json' ? 'DELIVERED' : 'DELIVRD',
      cause: '000',
      times: 1,
      ...reports.get(read.to),
    };
    taken.push({ to: read.to, id, reference, callback });
    if (callback !== '') owed.unshift({ dialect, id, reference, callback, ...report });
    return dialect === 'json' ? jsonAnswer(202, { messages: [{ id }] }) : textAnswer(`OK id=${id} queued`);
  };
  const server = createServer(async (request, response) => {
    const { method = '', headers } = request;
    const one = { method, headers, url: new URL(request.url ?? '', 'http://gateway'), body: await text(request) };
    asked.push(one);
    const reply = decide(one);
    if (reply === 'drop') response.destroy();
    else if (reply === 'hang') hung.resolve();
    else if ('status' in reply)
      // No connection is kept: what stays open would be counted as the adapter's.
      response.writeHead(reply.status, { connection: 'close', ...reply.headers }).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    taken,
    behave: (to, behaviour) => void (behaviour ? behaviours.set(to, behaviour) : behaviours.delete(to)),
    willReport: (to, report) => void reports.set(to, report),
    async whenHanging() {
      await hung.promise;
      hung = Promise.withResolvers();
    },
    async report(hookUrl) {
      for (const receipt of owed.filter(({ callback }) => callback.startsWith(`${hookUrl}/`))) {
        let taken = true;
        for (let time = 0; time < receipt.times; time++) taken = (await postReceipt(receipt)) && taken;
        if (taken) owed = owed.filter((other) => other !== receipt);
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Read = { to: string; callback: string; reference: string } | { error: string };

/** The JSON dialect: exactly these members, each of its type. */
function readJson({ method, url, headers, body }: Asked): Read {
  if (headers.authorization !== `Bearer ${account.token}`) return { error: 'BAD_TOKEN' };
  if (method !== 'POST' || headers['content-type'] !== 'application/json') return { error: 'NOT_JSON' };
  const calls = url.pathname === '/v1/calls';
  const types: Record<string, string> = calls
    ? { to: 'string', say: 'string', language: 'string', ref: 'string', callback: 'string' }
    : { to: 'string', from: 'string', text: 'string', ref: 'string', callback: 'string', validity: 'number' };
  let members: Record<string, unknown>;
  try {
    members = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return { error: 'NOT_JSON' };
  }
  const names = Object.keys(members).toSorted((a, b) => (a < b ? -1 : 1));
  const right =
    names.join() ===
    Object.keys(types)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join();
  if (!right || names.some((name) => typeof members[name] !== types[name] || members[name] === ''))
    return { error: 'BAD_FIELD' };
  const { to, callback, ref } = members as Record<string, string>;
  return /^\+[1-9]\d{6,14}$/.test(to ?? '')
    ? { to: to ?? '', callback: callback ?? '', reference: ref ?? '' }
    : { error: 'BAD_NUMBER' };
}

/** The dialect of fields: a query, or a form with nothing in the query; digits without plus. */
function readFields({ method, url, headers, body }: Asked): Read {
  const form = method === 'POST';
  if (form && headers['content-type'] !== 'application/x-www-form-urlencoded') return { error: '102' };
  const fields = form ? new URLSearchParams(body) : url.searchParams;
  if (fields.get('key') !== account.key) return { error: '101' };
  const known = ['key', 'to', 'from', 'msg', 'lang', 'ref', 'dlr', 'pe_id', 'tpl_id'];
  if ([...fields].some(([name, value]) => !known.includes(name) || value === '' || fields.getAll(name).length > 1))
    return { error: '102' };
  if (!fields.has('msg') || !/^[1-9]\d{6,14}$/.test(fields.get('to') ?? '')) return { error: '105' };
  return { to: `+${fields.get('to')}`, callback: fields.get('dlr') ?? '', reference: fields.get('ref') ?? '' };
}

const jsonAnswer = (status: number, value: unknown): Reply => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});
const textAnswer = (body: string): Reply => ({
  status: 200,
  body: `${body}\r\n`,
  headers: { 'content-type': 'text/plain' },
});

const statuses: Readonly<Record<string, number>> = { BAD_TOKEN: 401, NO_CREDIT: 402, TOO_FAST: 429, BROKEN: 503 };
const jsonError = (code: string): Reply => jsonAnswer(statuses[code] ?? 400, { error: { code } });

/** Whether it was taken. */
async function postReceipt({ dialect, id, reference, callback, state, cause }: Owed): Promise<boolean> {
  if (dialect === 'text') {
    const query = new URLSearchParams({ id, ref: reference, stat: state, err: cause });
    const answer = await callHook({ method: 'GET', url: `${callback}?${query}` });
    return answer.status === 200 && answer.body === 'OK';
  }
  const body = JSON.stringify([{ messageId: id, ref: reference, state, cause }]);
  const { status } = await callHook({ method: 'POST', url: callback, body, headers: signed(body) });
  return status >= 200 && status < 300;
}

/** How the JSON dialect signs what it posts. */
export function signed(
  body: string,
  atSeconds = Math.floor(Date.now() / 1000),
  secret = account.webhookSecret,
): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex');
  return {
    'content-type': 'application/json',
    'x-gateway-time': String(atSeconds),
    'x-gateway-signature': `sha256=${signature}`,
  };
}

export interface HookCall {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

export async function callHook({ method, url, headers, body }: HookCall): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const options = { method, headers: { connection: 'close', ...headers }, agent: false };
  const sending = httpRequest(url, options, (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
  });
  sending.on('error', reject).end(body);
  return promise;
}
