/**
 * Webhooks of the SMS API: receipts at /status (one part) and /status/<parts>/<message> (several), messages of people at /inbound.
 * Of several parts the message is delivered when all are and undelivered when one is; the count is kept in marks that every node
 * shares, and a receipt that was not taken completes it again when Vonage repeats it.
 */
import type { HookAnswer, HookRequest, Ports, Receipt } from '../contract.ts';
import { countUnmapped, meaningOf, undeliveredBy } from './codes.ts';
import { isLastPart } from './marks.ts';
import { readParameters } from './parameters.ts';
import { isFresh, isSigned, type Parameters } from './signature.ts';
import type { SmsSettings } from './sms-settings.ts';

const done: HookAnswer = { status: 204 };

export function openSmsHook(settings: SmsSettings, ports: Ports): (request: HookRequest) => Promise<HookAnswer> {
  return async (request) => {
    // So that an address can be tried: by a browser, or by a dashboard that looks before it takes it.
    if (request.method === 'GET' && request.query.size === 0) return { status: 200 };
    const parameters = readParameters(request);
    if (!parameters) return { status: 400 };
    if (!isTrusted(parameters, settings)) return { status: 401 };
    if (request.path === '/inbound') return takeInbound(parameters, ports);
    const found = /^\/status(?:\/(\d{1,2})\/(parts-[0-9a-f-]{36}))?$/.exec(request.path);
    if (!found) return { status: 404 };
    const [, parts, id] = found;
    return takeReceipt(parameters, settings, ports, id === undefined ? null : { id, parts: Number(parts) });
  };
}

function isTrusted(parameters: Parameters, settings: SmsSettings): boolean {
  const { signature_secret: current, signature_secret_previous: previous, signature_method: method } = settings;
  // The schema lets neither of the other two stand alone.
  if (current === undefined) return true;
  const required = settings.require_signature ?? true;
  if (!required && !parameters.has('sig')) return true;
  const secrets = previous === undefined ? [current] : [current, previous];
  return isSigned(parameters, secrets, method) && isFresh(parameters, Date.now());
}

interface Group {
  id: string;
  parts: number;
}

async function takeReceipt(
  parameters: Parameters,
  settings: SmsSettings,
  ports: Ports,
  group: Group | null,
): Promise<HookAnswer> {
  const part = parameters.get('messageId') ?? '';
  if (!/^[\w-]{1,64}$/.test(part)) return { status: 400 };
  const outcome = outcomeOf(parameters, settings, ports);
  if (!outcome) return done;
  if (group && outcome.kind === 'delivered') {
    if (!(await isLastPart(ports.once, group.id, part, group.parts))) return done;
  }
  const reference = parameters.get('client-ref');
  const taken = await ports.onReceipt({
    upstreamId: group?.id ?? part,
    ...(reference !== undefined && /^[0-9-]{1,40}$/.test(reference) && { reference }),
    outcome,
  });
  return taken ? done : { status: 503 };
}

/** Null for what is on its way still, and for statuses nobody knows. By Vonage any err-code but 0 means that it did not arrive. */
function outcomeOf(parameters: Parameters, settings: SmsSettings, ports: Ports): Receipt['outcome'] | null {
  const status = parameters.get('status') ?? '';
  const errCode = parameters.get('err-code') ?? '0';
  const cause = /^0*$/.test(errCode) ? null : errCode.replace(/^0+/, '');
  if (status === 'delivered' && cause === null) return { kind: 'delivered' };
  const failed = meaningOf('receipt', status, settings.code_map);
  if (!failed && status !== 'delivered') return null;
  const meaning = cause === null ? failed : meaningOf('err-code', cause, settings.code_map);
  if (!meaning) countUnmapped(ports.log, 'err-code', errCode);
  const name = `Vonage receipt ${status}${/^\d{1,6}$/.test(errCode) ? ` with err-code ${errCode}` : ''}`;
  return undeliveredBy(
    name,
    meaning ?? failed ?? { reason: 'upstream_error', temporary: false, what: 'a contradiction' },
  );
}

/** Parts of a long message come one by one and are passed on so; binary ones are not for us. */
async function takeInbound(parameters: Parameters, ports: Ports): Promise<HookAnswer> {
  const [from = '', to = '', id = ''] = ['msisdn', 'to', 'messageId'].map((name) => parameters.get(name));
  if (!/^\d{3,15}$/.test(from) || !/^[\w +.-]{1,40}$/.test(to) || !/^[\w-]{1,64}$/.test(id)) return { status: 400 };
  const body = parameters.get('text');
  if (body === undefined) return parameters.get('type') === 'binary' ? done : { status: 400 };
  await ports.onUplink({ upstreamId: id, from: international(from), to: international(to), body });
  return done;
}

/** Short codes stay as they are. */
const international = (address: string): string => (/^\d{7,15}$/.test(address) ? `+${address}` : address);
