/**
 * Webhooks of a call. /answer hands out the prompt, /digits the code to whoever pressed the key, /event hears how the call ends.
 * Delivered is reported when the code is handed out: that a call was completed proves nothing, and the person may use the code while
 * the call lasts. One mark per call, `told`, is taken by whichever comes first: the code, or an end without it, after which
 * nobody gets the code any more. So any node can judge `completed` and `machine` without having seen the rest of the call.
 */
import type { HookAnswer, HookRequest, Ports } from '../contract.ts';
import { listenKey, speechScript } from '../speech.ts';
import { meaningOf, undeliveredBy } from './codes.ts';
import { decideOnce, mark, takeTurn } from './marks.ts';
import { askForKey, hangUp, tellCode } from './ncco.ts';
import { parseObject } from './parameters.ts';
import { type Call, issueTicket, readTicket, type TicketUse } from './ticket.ts';
import type { VoiceSettings } from './voice-settings.ts';
import { judgeWebhook } from './webhook-jwt.ts';

/** From the prompt to the key, with its repetition. */
const digitsMs = 2 * 60_000;

const done: HookAnswer = { status: 204 };
const again: HookAnswer = { status: 503 };
const forbidden: HookAnswer = { status: 403 };

const document = (actions: readonly object[]): HookAnswer => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(actions),
});

type Body = Record<string, unknown>;
type Take = (settings: VoiceSettings, ports: Ports, call: Call, body: Body) => Promise<HookAnswer>;

const takes: Record<TicketUse, Take> = { answer: takeAnswer, digits: takeKey, event: takeEvent };

export function openVoiceHook(settings: VoiceSettings, ports: Ports): (request: HookRequest) => Promise<HookAnswer> {
  return async (request) => {
    const refusal = await refusalOf(request, settings);
    if (refusal) return refusal;
    const [, use, ticket] = /^\/(answer|digits|event)\/([\w.-]+)$/.exec(request.path) ?? [];
    if (use === undefined || ticket === undefined) return { status: 404 };
    const call = readTicket(ports.sign, use as TicketUse, ticket, Date.now());
    if (!call) return forbidden;
    const body =
      request.method === 'POST' ? parseObject(request.body.toString('utf8')) : Object.fromEntries(request.query);
    return body ? takes[use as TicketUse](settings, ports, call, body) : { status: 400 };
  };
}

async function refusalOf(request: HookRequest, settings: VoiceSettings): Promise<HookAnswer | null> {
  const { api_key: apiKey, signature_secret: current, signature_secret_previous: previous } = settings;
  if (current === undefined || apiKey === undefined) return null;
  const secrets = previous === undefined ? [current] : [current, previous];
  const verdict = await judgeWebhook(request, { apiKey, secrets }, Date.now());
  if (verdict === 'forged') return { status: 401 };
  // Vonage sends a webhook unsigned when its own signing fails, and again for a 5xx.
  return verdict === 'unsigned' && (settings.require_signature ?? true) ? again : null;
}

/** The prompt, once, as long as the message is worth being told. */
async function takeAnswer(_settings: VoiceSettings, ports: Ports, call: Call): Promise<HookAnswer> {
  const message = await ports.reopen(call);
  if (!message) return document(hangUp);
  if (!(await mark(ports.once, `${call.id}/answer`))) return forbidden;
  const untilMs = Math.min(message.expiresAtMs, Date.now() + digitsMs);
  const digitsUrl = ports.hookUrl(`/digits/${issueTicket(ports.sign, 'digits', call, untilMs)}`);
  return document(askForKey(speechScript(message), digitsUrl));
}

/** The code, once; if delivery could not be noted, Vonage's second try gets it. No key or a wrong one: the end of the call tells. */
async function takeKey(_settings: VoiceSettings, ports: Ports, call: Call, body: Body): Promise<HookAnswer> {
  const { uuid } = body;
  if (!isCallId(uuid)) return { status: 400 };
  if (pressed(body) !== listenKey) return document(hangUp);
  const message = await ports.reopen(call);
  if (!message) return document(hangUp);
  const turn = await takeTurn(ports.once, `${call.id}/digits`, () => mark(ports.once, `${call.id}/told`));
  if (!turn.yes) return forbidden;
  let taken = false;
  try {
    taken = await ports.onReceipt({ upstreamId: uuid, reference: call.reference, outcome: { kind: 'delivered' } });
  } finally {
    if (!taken) await turn.handOn();
  }
  return taken ? document(tellCode(speechScript(message))) : again;
}

function pressed({ dtmf }: Body): unknown {
  return typeof dtmf === 'object' && dtmf !== null && 'digits' in dtmf ? dtmf.digits : null;
}

async function takeEvent(settings: VoiceSettings, ports: Ports, call: Call, body: Body): Promise<HookAnswer> {
  const { status, uuid = body['call_uuid'] } = body;
  // A fault Vonage found in a document comes without a status; that call ends by an event of its own.
  if (typeof status !== 'string') return done;
  const meaning = meaningOf('call', status, settings.code_map);
  if (!meaning) return done;
  if (!isCallId(uuid)) return { status: 400 };
  if (isAnsweredEnd(status)) {
    const untold = await decideOnce(ports.once, `${call.id}/${status}`, () => mark(ports.once, `${call.id}/told`));
    if (!untold) return done;
  }
  const outcome = undeliveredBy(`Vonage call ${status}`, meaning);
  return (await ports.onReceipt({ upstreamId: uuid, reference: call.reference, outcome })) ? done : again;
}

/** Ends of calls somebody or something has taken: they count only where the code was not told. */
const isAnsweredEnd = (status: string): boolean => status === 'completed' || status === 'machine';

const isCallId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
