/**
 * What Twilio asks and reports while a call lives. Delivered is reported when the document with the code is handed out to a call whose
 * person pressed the key: the moment the wait for the next channel must end, long before the call does. The end of the call reports
 * everything else, and that delivery again if it could not be taken at once. So each call has one receipt, and which one it is
 * stands in marks every node can read.
 */
import type { HookAnswer, HookRequest, OutgoingMessage, Ports, Receipt } from '../contract.ts';
import { type Undelivered, undelivered } from '../outcome.ts';
import { listenKey, speechScript } from '../speech.ts';
import { fieldsOf } from './account.ts';
import { type Meanings, undeliveredBy } from './answers.ts';
import { openReader, settle } from './call-facts.ts';
import { type ReadToken, readToken, writeToken } from './call-token.ts';
import { askDocument, goneDocument, silence, tellDocument, type Voices } from './twiml.ts';

export interface CallBench {
  ports: Ports;
  voices: Voices;
  meanings: Meanings;
}

/** For the key press: prompt, waiting, and again after another key. */
const tellWithinMs = 2 * 60_000;
const rememberMs = 6 * 3_600_000;

/** Behind the signature check. */
export async function answerCall(bench: CallBench, request: HookRequest): Promise<HookAnswer> {
  const [, purpose, text] = /^\/call\/(ask|tell)\/([^/]+)$/.exec(request.path) ?? [];
  if (purpose === undefined && request.path !== '/status') return { status: 404 };
  if (request.method !== 'POST') return { status: 405 };
  const fields = fieldsOf(request);
  const callSid = fields.get('CallSid') ?? '';
  if (!/^CA[0-9a-fA-F]{32}$/.test(callSid)) return { status: 400 };
  if (purpose === undefined) return takeEnd(bench, request, callSid, fields);
  const token = readToken(bench.ports, purpose as 'ask' | 'tell', text ?? '');
  if (!token || (purpose === 'tell' && token.call !== callSid)) return { status: 403 };
  if (isMachine(fields.get('AnsweredBy'))) return twiml(silence);
  return twiml(await (purpose === 'ask' ? ask : tell)(bench, token, callSid, fields));
}

type Answering = (bench: CallBench, token: ReadToken, callSid: string, fields: URLSearchParams) => Promise<string>;

const ask: Answering = async (bench, token, callSid) => {
  const { ports, voices } = bench;
  const message = token.late ? null : await ports.reopen(token);
  if (!message) return goneDocument(token.language, voices);
  if (!(await ports.once(`twilio:ask:${token.call}`, rememberMs))) return silence;
  return askFor(bench, token, callSid, message);
};

const tell: Answering = async (bench, token, callSid, fields) => {
  const { ports, voices } = bench;
  const message = token.late ? null : await ports.reopen(token);
  if (!message) return goneDocument(token.language, voices);
  if (fields.get('Digits') !== listenKey) return askFor(bench, token, callSid, message);
  if (!(await settle(ports, callSid, 'told'))) return silence;
  await reportTold(bench, callSid, token.reference);
  return tellDocument(speechScript(message), voices);
};

function askFor({ ports, voices }: CallBench, token: ReadToken, callSid: string, message: OutgoingMessage): string {
  const expiresAtMs = Math.min(Math.ceil(message.expiresAtMs), Date.now() + tellWithinMs);
  const { late: _, ...ids } = token;
  const own = { ...ids, call: callSid, expiresAtMs };
  return askDocument(speechScript(message), ports.hookUrl(`/call/tell/${writeToken(ports, 'tell', own)}`), voices);
}

const isMachine = (answeredBy: string | null): boolean => /^(machine|fax)/.test(answeredBy ?? '');

/** A person waits on the line: a receipt that is not taken now is owed until the call has ended. */
async function reportTold({ ports }: CallBench, callSid: string, reference: string): Promise<void> {
  const receipt: Receipt = { upstreamId: callSid, reference, outcome: { kind: 'delivered' } };
  try {
    if (await ports.onReceipt(receipt)) return;
  } catch (error) {
    ports.log.warn({ err: error }, 'a receipt of a call waits for its end');
  }
  await settle(ports, callSid, 'owed');
}

async function takeEnd(
  { ports, meanings }: CallBench,
  request: HookRequest,
  callSid: string,
  fields: URLSearchParams,
): Promise<HookAnswer> {
  const failure = failureOf(fields, meanings);
  if (!failure) return { status: 204 };
  const isSo = await openReader(ports, callSid);
  if (!isSo) {
    ports.log.warn('the end of a call was reported too often; its receipt is given up');
    return { status: 204 };
  }
  const told = await isSo('told');
  if (told && !(await isSo('owed'))) return { status: 204 };
  const reference = request.query.get('reference');
  const taken = await ports.onReceipt({
    upstreamId: callSid,
    ...(reference && { reference }),
    outcome: told ? { kind: 'delivered' } : failure,
  });
  return { status: taken ? 204 : 503 };
}

/** What the end of a call says when the code was not told; null while the call goes on. */
function failureOf(fields: URLSearchParams, meanings: Meanings): Undelivered | null {
  switch (fields.get('CallStatus')) {
    case 'completed':
      return undelivered(
        'unreachable',
        isMachine(fields.get('AnsweredBy')) ? 'a machine answered the call' : 'nobody pressed the key to hear the code',
      );
    case 'busy':
      return undelivered('unreachable', 'the line was busy');
    case 'no-answer':
      return undelivered('unreachable', 'nobody answered the call');
    case 'canceled':
      return undelivered('expired', 'the call was cancelled before it was answered');
    case 'failed':
      return undeliveredBy(
        fields.get('ErrorCode'),
        undelivered('unreachable', 'the call could not be put through'),
        meanings,
      );
    default:
      return null;
  }
}

const twiml = (body: string): HookAnswer => ({ status: 200, type: 'text/xml', body });
