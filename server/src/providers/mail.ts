/** An e-mail to an operator through one provider, whatever routes say. Nothing here throws for what the world answers. */
import { randomInt } from 'node:crypto';
import { type OutgoingMessage, refusedForGood, refusedForNow, type SendOutcome } from '../channels/index.ts';
import { messageIdOf } from '../platform/ids.ts';
import type { Office } from './office.ts';
import { answerOf, withUpstream } from './past-routes.ts';
import { type Provider, providerIdPattern } from './records.ts';
import { findProvider } from './store.ts';

const lifeMs = 600_000;

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

async function findMailProvider({ db, registry }: Office, id: string): Promise<Provider | null> {
  const provider = providerIdPattern.test(id) ? await findProvider(db, id) : null;
  return provider && registry.find(provider.adapter)?.channels.includes('email') ? provider : null;
}

/** Whether there is such a provider, and it sends e-mail. */
export const isMailProvider = async (office: Office, id: string): Promise<boolean> =>
  (await findMailProvider(office, id)) !== null;

export async function sendMail(office: Office, id: string, mail: Mail, signal: AbortSignal): Promise<SendOutcome> {
  const provider = await findMailProvider(office, id);
  if (!provider) return refusedForGood('config', `there is no provider ${id} that sends e-mail`);
  return withUpstream<SendOutcome>(
    office,
    provider,
    (upstream) => answerOf(upstream, outgoing(office, mail), signal),
    (fault) => refusedForNow('config', fault),
  );
}

function outgoing({ clock }: Office, { to, subject, text }: Mail): OutgoingMessage {
  const nowMs = clock.now();
  const messageId = messageIdOf(nowMs, 0, randomInt(4096));
  return {
    applicationId: '0',
    messageId,
    step: 1,
    attempt: 1,
    reference: `${messageId}-1-0`,
    channel: 'email',
    to,
    content: { text, subject, language: 'en' },
    code: null,
    expiresAtMs: nowMs + lifeMs,
  };
}
