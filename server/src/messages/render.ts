/** The texts of a message: rendered per step, and what a resend with a new code renders them again from, sealed. */
import type { Channel, Content } from '../delivery/index.ts';
import type { Application } from '../policy.ts';
import type { Language, SendTemplate } from '../templates/index.ts';
import { requireCompliant } from './content-rule.ts';
import type { MessagesContext } from './context.ts';

interface Rendering {
  template: SendTemplate;
  language: Language;
  params: Record<string, string>;
  code: string | null;
  ttlMs: number;
}

/** The text of one step; a resend with a new code comes here again. Throws 5014 for a text that may not be sent. */
export function render(
  context: MessagesContext,
  application: Application,
  channel: Channel,
  { template, ttlMs, ...values }: Rendering,
): Content {
  const content = context.templates.render(template, channel, {
    ...values,
    ttlSeconds: Math.floor(ttlMs / 1000),
    applicationName: application.name,
  });
  // The sandbox validates no content (contract §13).
  if (application.sandbox === 'none') requireCompliant(content);
  return content;
}

/** What a resend with a new code renders again from. */
export interface Again {
  params: Record<string, string>;
  length: number;
  ttlSeconds: number;
}

const sealedFor = (applicationId: string, messageId: string): string => `${applicationId}:${messageId}`;

export function sealAgain(context: MessagesContext, applicationId: string, messageId: string, again: Again): Buffer {
  return context.keyring.seal('params', JSON.stringify(again), sealedFor(applicationId, messageId));
}

export function openAgain(context: MessagesContext, applicationId: string, messageId: string, sealed: Buffer): Again {
  return JSON.parse(context.keyring.open('params', sealed, sealedFor(applicationId, messageId))) as Again;
}
