/**
 * Answers Meta's webhook: the handshake when the address is entered, then statuses and messages, many in one request. The signature is
 * checked over the raw bytes before anything is read. Meta repeats for about a day what is not answered with 200, in any order; that
 * is harmless, since the delivery engine takes a receipt once.
 */
import type { Log } from '../../platform/log.ts';
import type { HookAnswer, HookRequest, Ports, Receipt } from '../contract.ts';
import { failureOf, type Judge } from './answer.ts';
import { type Report, readReport, type Status, type TemplateUpdate } from './payload.ts';
import type { Settings } from './settings.ts';
import { isSameSecret, isSignedByMeta } from './signature.ts';

/** Receipts taken at the same time; Meta puts up to 1,000 into one request. */
const atOnce = 50;

export async function answerHook(ports: Ports, settings: Settings, request: HookRequest): Promise<HookAnswer> {
  if (request.method === 'GET') return shakeHands(request.query, settings.verify_token);
  const secrets = [settings.app_secret, settings.app_secret_previous ?? ''];
  if (!isSignedByMeta(request.body, request.headers['x-hub-signature-256'], secrets)) return { status: 401 };
  const report = readReport(request.body, settings);
  if (!report) return { status: 400 };
  for (const update of report.templates) noteTemplate(ports.log, update);
  const taken = await takeReceipts(ports, receiptsOf(report, { log: ports.log, codeMap: settings.code_map }));
  for (const { id, from, to, body } of report.messages)
    await ports.onUplink({ upstreamId: id, from: `+${from}`, to, body });
  return { status: taken ? 200 : 503 };
}

function shakeHands(query: URLSearchParams, token: string): HookAnswer {
  const challenge = query.get('hub.challenge');
  const known = query.get('hub.mode') === 'subscribe' && isSameSecret(query.get('hub.verify_token') ?? '', token);
  if (!known || challenge === null) return { status: 403 };
  return { status: 200, type: 'text/plain', body: challenge };
}

const ourReference = /^[0-9a-z-]{1,40}$/;

function receiptsOf({ statuses }: Report, judge: Judge): Receipt[] {
  return statuses.flatMap((status) => {
    const { id: upstreamId, biz_opaque_callback_data: reference } = status;
    // Another program sends from the same number: no attempt of ours will ever match, and a 503 would have it repeated for a day.
    if (reference !== undefined && !ourReference.test(reference)) return [];
    const outcome = outcomeOf(status, judge);
    return outcome ? [{ upstreamId, ...(reference !== undefined && { reference }), outcome }] : [];
  });
}

/** Read implies delivered, which Meta may then leave out. `sent` and what comes up later say nothing that matters. */
function outcomeOf({ status, errors }: Status, judge: Judge): Receipt['outcome'] | undefined {
  if (status === 'delivered' || status === 'read') return { kind: 'delivered' };
  if (status !== 'failed') return undefined;
  const [error] = errors ?? [];
  return failureOf(
    judge,
    error && { code: error.code, details: error.error_data?.details ?? error.message, trace: undefined },
  );
}

/** False when one of them is not known yet. The first error of the port is passed on once all have ended. */
async function takeReceipts(ports: Ports, receipts: readonly Receipt[]): Promise<boolean> {
  let taken = true;
  for (let start = 0; start < receipts.length; start += atOnce) {
    const some = receipts.slice(start, start + atOnce).map((receipt) => ports.onReceipt(receipt));
    for (const end of await Promise.allSettled(some)) {
      if (end.status === 'rejected') throw end.reason;
      taken &&= end.value;
    }
  }
  return taken;
}

const harmless: readonly string[] = ['APPROVED', 'PENDING', 'IN_APPEAL', 'UNARCHIVED'];

function noteTemplate(log: Log, update: TemplateUpdate): void {
  const { event, message_template_name: template, message_template_language: language, reason } = update;
  const note = { template, language, event, reason };
  if (harmless.includes(event)) log.info(note, 'Meta changed the state of a template');
  else log.warn(note, 'Meta changed the state of a template');
}
