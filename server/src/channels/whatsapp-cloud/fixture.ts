/**
 * The Graph API as far as WhatsApp needs it: a real HTTP server that takes only what Meta takes, and webhooks signed as Meta signs
 * them. It can refuse with any code, be silent, break off, answer without a body, and report late, twice, in any order or forged.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { until } from '../../testing/until.ts';
import {
  isRefusal,
  type Refusal,
  readCreation,
  readSend,
  type StoredTemplate,
  type TakenMessage,
} from './emulated-requests.ts';
import type { Settings } from './settings.ts';
import { settings as schema } from './settings.ts';
import { templateClasses, templateName } from './templates.ts';

type Behaviour =
  | { refuse: number; status?: number; details?: string }
  /** A status without Meta's error; 200 with a body that has no id. */
  | { bare: number; body?: string }
  | 'silent'
  /** Reads the request, then breaks the connection. */
  | 'drop';

type Step = string | { failed: number; details?: string };

export interface Accepted extends TakenMessage {
  wamid: string;
}

export const secrets = {
  access_token: 'EAAG-test-token-3f1c9a',
  app_secret: 'app-secret-7d20',
  app_secret_previous: 'app-secret-old-51ee',
  verify_token: 'verify-token-90ab',
};

const version = 'v24.0';
const phoneNumberId = '106540352242922';
const wabaId = '102290129340398';
const displayNumber = '+1 555-078-3881';

export interface GraphEmulator {
  settings: Settings;
  /** What was taken, oldest first. */
  accepted: Accepted[];
  /** Requests that came in, refused ones too, as `METHOD path`. */
  requests: string[];
  templates: Map<string, StoredTemplate>;
  /** Approves every template of the settings in these languages. */
  approve(languages: readonly string[], changes?: Partial<Settings>): void;
  /** For all further messages to this number; null takes them again. */
  behave(to: string, behaviour: Behaviour | null): void;
  /** What is reported of messages to this number; `sent`, `delivered` unless said. */
  plan(to: string, steps: readonly Step[], times?: number): void;
  /** Resolves when one more request that stays without an answer has come. */
  whenSilent(): Promise<void>;
  /** Of listing and creating templates: what they answer before looking, and how many may still be made. */
  limits: { listing?: Refusal; creating?: Refusal; creations: number; page: number };
  /** Reports all that is owed in one batch; what is not taken is owed again. Answers the status of the webhook. */
  report(hookUrl: string): Promise<number>;
  close(): Promise<void>;
}

interface State extends GraphEmulator {
  behaviours: Map<string, Behaviour | null>;
  plans: Map<string, { steps: readonly Step[]; times: number }>;
  owed: { message: Accepted; times: number }[];
  silent: number;
}

export async function openGraphEmulator(changes: Partial<Settings> = {}): Promise<GraphEmulator> {
  const server = createServer((incoming, response) => {
    serve(state, incoming).then(
      (answer) => {
        if (answer) reply(response, answer);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const state = createState(`http://127.0.0.1:${port}`, changes, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return state;
}

function createState(api_url: string, changes: Partial<Settings>, close: () => Promise<void>): State {
  const own = { api_url, api_version: version, phone_number_id: phoneNumberId, waba_id: wabaId };
  let awaited = 0;
  const state: State = {
    settings: schema.parse({ ...own, ...secrets, ...changes }),
    accepted: [],
    requests: [],
    templates: new Map(),
    behaviours: new Map(),
    plans: new Map(),
    owed: [],
    silent: 0,
    limits: { creations: 100, page: 100 },
    approve(languages, other = {}) {
      for (const language of languages)
        for (const kind of templateClasses) put(state, templateName({ ...state.settings, ...other }, kind), language);
    },
    behave: (to, behaviour) => void state.behaviours.set(digits(to), behaviour),
    plan: (to, steps, times = 1) => void state.plans.set(digits(to), { steps, times }),
    async whenSilent() {
      awaited++;
      await until('the silent request', () => state.silent >= awaited);
    },
    report: (hookUrl) => report(state, hookUrl),
    close,
  };
  return state;
}

const digits = (number: string): string => number.replace(/\D/g, '');

function put({ templates }: GraphEmulator, name: string, language: string): void {
  const rest = { status: 'APPROVED', category: 'AUTHENTICATION', ttlSeconds: 600, request: {} };
  templates.set(`${name} ${language}`, { name, language, ...rest });
}

interface Answer {
  status: number;
  body: string;
}

const asJson = (body: object, status = 200): Answer => ({ status, body: JSON.stringify(body) });

const refuse = ({ status, code, message, details }: Refusal): Answer =>
  asJson(
    {
      error: {
        message,
        type: 'OAuthException',
        code,
        error_data: { messaging_product: 'whatsapp', details },
        error_subcode: 2494010,
        fbtrace_id: 'Az8or2yhqkZfEZ',
      },
    },
    status,
  );

const simply = (code: number, message: string, status: number): Answer =>
  refuse({ status, code, message, details: message });

async function serve(state: State, incoming: IncomingMessage): Promise<Answer | undefined> {
  const url = new URL(incoming.url ?? '', state.settings.api_url);
  state.requests.push(`${incoming.method} ${url.pathname}`);
  if (incoming.headers.authorization !== `Bearer ${secrets.access_token}`)
    return simply(190, 'Invalid OAuth access token', 401);
  if (incoming.method === 'GET' && url.pathname === `/${version}/${wabaId}/message_templates`) return list(state, url);
  const body = incoming.headers['content-type'] === 'application/json' ? await json(incoming).catch(() => null) : null;
  if (body === null || incoming.method !== 'POST') return simply(100, 'Unsupported request', 400);
  if (url.pathname === `/${version}/${wabaId}/message_templates`) return create(state, body);
  if (url.pathname === `/${version}/${phoneNumberId}/messages`) return take(state, body, incoming);
  return simply(2500, `Unknown path components: ${url.pathname}`, 400);
}

function take(state: State, body: unknown, { socket }: IncomingMessage): Answer | undefined {
  const read = readSend(body, state.templates);
  if (isRefusal(read)) return refuse(read);
  const behaviour = state.behaviours.get(read.to);
  if (behaviour === 'silent') state.silent++;
  if (behaviour === 'drop') socket.destroy();
  if (typeof behaviour === 'string') return undefined;
  if (behaviour && 'bare' in behaviour) return { status: behaviour.bare, body: behaviour.body ?? '' };
  if (behaviour) {
    const { refuse: code, status = 400, details = 'No details' } = behaviour;
    return refuse({ status, code, message: `(#${code}) A title`, details });
  }
  const message = { ...read, wamid: `wamid.${randomUUID().replaceAll('-', '')}` };
  state.accepted.push(message);
  state.owed.push({ message, times: state.plans.get(read.to)?.times ?? 1 });
  return asJson({
    messaging_product: 'whatsapp',
    contacts: [{ input: read.to, wa_id: read.to }],
    messages: [{ id: message.wamid, message_status: 'accepted' }],
  });
}

function create(state: State, body: unknown): Answer {
  if (state.limits.creating) return refuse(state.limits.creating);
  if (state.limits.creations-- <= 0) return simply(80008, 'There have been too many calls to this account', 400);
  const read = readCreation(body, state.templates);
  if (isRefusal(read)) return refuse(read);
  state.templates.set(`${read.name} ${read.language}`, read);
  return asJson({ id: String(state.templates.size), status: read.status, category: read.category });
}

/** The address of the next page holds the token and leads nowhere here: clients go by the cursor. */
function list({ limits, templates }: State, url: URL): Answer {
  if (limits.listing) return refuse(limits.listing);
  const start = Number(url.searchParams.get('after') ?? 0);
  const end = start + Math.min(limits.page, Number(url.searchParams.get('limit') ?? 25));
  const data = [...templates.values()].map(({ name, language, status, category }, index) => ({
    ...{ name, language, status, category, id: String(index) },
    ...(status === 'REJECTED' && { rejected_reason: 'INVALID_FORMAT' }),
  }));
  const next = `${url.origin}/${version}/nowhere?access_token=${secrets.access_token}`;
  const paging = { cursors: { before: String(start), after: String(end) }, ...(end < data.length && { next }) };
  return asJson({ data: data.slice(start, end), paging });
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  // No connection outlives its answer, so that tests can count what an adapter leaves open.
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', connection: 'close' }).end(body);
}

async function report(state: State, hookUrl: string): Promise<number> {
  const now = state.owed.splice(0);
  if (now.length === 0) return 200;
  const statuses = now.flatMap(({ message }) =>
    (state.plans.get(message.to)?.steps ?? ['sent', 'delivered']).map((step) => statusOf(message, step)),
  );
  // A broken connection counts as not taken.
  const status = await postHook(hookUrl, webhookOf({ statuses })).catch(() => 0);
  if (status !== 200) state.owed.push(...now);
  else for (const one of now) if (one.times > 1) state.owed.push({ ...one, times: one.times - 1 });
  return status;
}

/** One status as Meta reports it. */
export function statusOf({ wamid, to, reference }: Accepted, step: Step): object {
  const name = typeof step === 'string' ? step : 'failed';
  return {
    id: wamid,
    status: name,
    timestamp: '1750857384',
    recipient_id: to,
    ...(reference !== undefined && { biz_opaque_callback_data: reference }),
    ...(name !== 'failed' && {
      pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'authentication' },
    }),
    ...(typeof step !== 'string' && {
      errors: [
        { code: step.failed, title: 'A title', message: 'A title', error_data: { details: step.details ?? 'Täils' } },
      ],
    }),
  };
}

/** A webhook about the number of the settings, or about another one. */
export const webhookOf = (value: { statuses?: object[]; messages?: object[] }, number = phoneNumberId): object =>
  changeOf('messages', {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: displayNumber, phone_number_id: number },
    contacts: [{ profile: { name: 'Žofie 🙂' }, wa_id: '420601123456' }],
    ...value,
  });

export const changeOf = (field: string, value: object): object => ({
  object: 'whatsapp_business_account',
  entry: [{ id: wabaId, changes: [{ value, field }] }],
});

/** As Meta writes JSON: ASCII only, slashes escaped. */
export const metaJson = (value: object): string =>
  JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

export const signatureOf = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** Posts a body signed with the app secret unless another signature, or none (null), is given; answers the status. */
export function postHook(hookUrl: string, what: object | string, signature?: string | null): Promise<number> {
  const body = typeof what === 'string' ? what : metaJson(what);
  const proof = signature === undefined ? signatureOf(body, secrets.app_secret) : signature;
  const headers = { 'content-type': 'application/json', ...(proof !== null && { 'x-hub-signature-256': proof }) };
  return new Promise((resolve, reject) => {
    // Without an agent no connection stays open behind the answer.
    const outgoing = request(hookUrl, { method: 'POST', agent: false, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject).end(body);
  });
}
