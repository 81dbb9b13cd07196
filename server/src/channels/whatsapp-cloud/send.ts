/** One hand-over: which template, in which language, and again in the default language where Meta has no translation of it. */
import type { Log } from '../../platform/log.ts';
import type { OutgoingMessage } from '../contract.ts';
import { refusedForGood, type SendOutcome } from '../outcome.ts';
import { outcomeOf } from './answer.ts';
import type { Graph } from './graph.ts';
import { metaLanguage } from './languages.ts';
import type { Settings } from './settings.ts';
import { classOf, templateMessage, templateName } from './templates.ts';

const longestCode = 15;
const noSuchTranslation = 132001;

export interface Desk {
  graph: Graph;
  settings: Settings;
  log: Log;
}

export async function sendCode(desk: Desk, message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
  const { code, content } = message;
  if (code === null) return refusedForGood('template_invalid', withoutCode);
  if (code.length > longestCode)
    return refusedForGood('content_rejected', `WhatsApp takes codes of at most ${longestCode} characters`);
  const name = templateName(desk.settings, classOf(content.whatsapp, message.expiresAtMs - Date.now()));
  const language = metaLanguage(content.language, desk.settings);
  const first = await handOver(desk, message, { name, language, code }, signal);
  const fallback = desk.settings.default_language;
  if (!first.untranslated || language === fallback || signal.aborted) return first.outcome;
  desk.log.info({ template: name, language }, 'template has no translation, sent in the default language');
  const second = await handOver(desk, message, { name, language: fallback, code }, signal);
  return second.outcome;
}

const withoutCode =
  'only authentication templates are supported, which carry a code: send texts without one through another provider or channel';

interface Choice {
  name: string;
  language: string;
  code: string;
}

async function handOver(
  { graph, settings, log }: Desk,
  message: OutgoingMessage,
  { name, language, code }: Choice,
  signal: AbortSignal,
): Promise<{ outcome: SendOutcome; untranslated: boolean }> {
  const body = {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    to: message.to.replace(/\D/g, ''),
    type: 'template',
    biz_opaque_callback_data: message.reference,
    template: templateMessage(name, language, code),
  };
  const answer = await graph.post(`${settings.phone_number_id}/messages`, body, signal);
  if (answer.kind !== 'answered') return { outcome: answer, untranslated: false };
  const outcome = outcomeOf({ log, codeMap: settings.code_map }, answer, code);
  const untranslated = answer.error?.code === noSuchTranslation;
  if (!untranslated || outcome.kind !== 'refused') return { outcome, untranslated };
  return { outcome: { ...outcome, detail: `${outcome.detail}; template ${name} in ${language}` }, untranslated };
}
