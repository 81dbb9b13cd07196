/**
 * Posts what is due to people. A message is claimed under a lease and concluded with what became of it: a node that dies in
 * between has it posted once more, an answer that nobody saw too. Better told twice than not at all.
 */

import { type ClaimedMessage, claimMessages, concludeMessage } from './outbox-store.ts';
import type { AlertsPorts, MailOutcome } from './ports.ts';
import { findRule } from './rule-store.ts';
import { postTelegram } from './telegram.ts';

const atOnce = 20;
const mailMs = 15_000;
/** Longer than any try takes. */
const leaseSeconds = 60;
const retryDelays = [60, 5 * 60, 30 * 60, 2 * 3600];
const maxAskedSeconds = 24 * 3600;

/** Resolves with how many were tried. */
export async function postDue(ports: AlertsPorts, goOn: () => boolean = () => true): Promise<number> {
  let tried = 0;
  while (goOn()) {
    const claimed = await claimMessages(ports.db, atOnce, leaseSeconds);
    await Promise.all(claimed.map((message) => postOne(ports, message)));
    tried += claimed.length;
    if (claimed.length < atOnce) break;
  }
  return tried;
}

async function postOne(ports: AlertsPorts, message: ClaimedMessage): Promise<void> {
  const outcome = await send(ports, message);
  const sent = outcome.kind === 'accepted';
  const error = outcome.kind === 'accepted' ? null : outcome.detail;
  const retryInSeconds = nextTryIn(message.tries, outcome);
  await concludeMessage(ports.db, message, { sent, error, retryInSeconds });
  if (sent) return;
  const { alertId, way } = message;
  const told = retryInSeconds === null ? 'an alert was not told: given up' : 'an alert was not told yet';
  ports.log.warn({ alert: alertId, way, reason: error }, told);
}

/** Seconds; null: no further try. A longer wait that was asked for counts. */
export function nextTryIn(tries: number, outcome: MailOutcome): number | null {
  if (outcome.kind === 'accepted' || (outcome.kind === 'refused' && !outcome.temporary)) return null;
  const delay = retryDelays[tries - 1];
  if (delay === undefined) return null;
  const asked = outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) / 1000 : 0;
  return Math.max(delay, Math.min(asked, maxAskedSeconds));
}

async function send(ports: AlertsPorts, { ruleId, ...message }: ClaimedMessage): Promise<MailOutcome> {
  if (message.way === 'email') {
    const { recipient: to, title: subject, text, provider } = message;
    return mail(ports, provider ?? '', { to, subject, text });
  }
  const telegram = (await findRule(ports.db, ports.keyring, ruleId))?.notify.telegram;
  if (!telegram) return { kind: 'refused', temporary: false, detail: 'the rule names no Telegram chat any more' };
  const chat = { botToken: telegram.botToken, chatId: message.recipient };
  return postTelegram(ports, chat, `${message.title}\n${message.text}`);
}

export function mail(
  { sendMail }: Pick<AlertsPorts, 'sendMail'>,
  provider: string,
  { to, subject, text }: { to: string; subject: string; text: string },
): Promise<MailOutcome> {
  return sendMail(provider, { to, subject, text }, AbortSignal.timeout(mailMs));
}
