/**
 * The mail itself: what a message becomes in the library's terms. Text always, HTML as the template has it or made from the text;
 * headers that keep machines from answering; names by which its bounces are known again.
 */
import type { SendMailOptions } from 'nodemailer/lib/mailer';
import type { OutgoingMessage } from '../contract.ts';
import { type Refused, refusedForGood } from '../outcome.ts';
import { type Address, breaksLine, parseAddress, parseDomain } from './address.ts';
import type { Marks } from './handle.ts';
import { htmlOf } from './html.ts';
import type { Settings } from './settings.ts';

export interface Mail {
  options: SendMailOptions;
  /** Only a relay that offers SMTPUTF8 can take it. */
  needsUtf8: boolean;
}

const maxSubject = 200;

/** A refusal for what no mail can be made of: nothing is sent. */
export function composeMail(settings: Settings, message: OutgoingMessage, marks: Marks): Mail | Refused {
  const { content } = message;
  const to = parseAddress(message.to);
  const from = parseAddress(message.sender ?? settings.from);
  const fromName = content.fromName ?? settings.from_name ?? '';
  const subject = content.subject ?? firstLine(content.text);
  if (!to) return refusedForGood('number_invalid', 'the recipient is no e-mail address that can be mailed');
  if (!from || from.needsUtf8)
    return refusedForGood('sender_invalid', 'the sender of the route is no e-mail address: correct it there');
  if (breaksLine(subject) || breaksLine(fromName) || breaksLine(content.language))
    return refusedForGood('content_rejected', 'subject or sender name hold a line break: take it out of the template');
  return {
    needsUtf8: to.needsUtf8,
    options: {
      ...envelopeOf(settings, from, to, marks),
      from: { name: fromName, address: from.text },
      to: { name: '', address: to.text },
      ...(settings.reply_to !== undefined && { replyTo: { name: '', address: settings.reply_to } }),
      subject,
      messageId: `<${marks.messageId}@${from.domain}>`,
      text: content.text,
      html: content.html ?? htmlOf({ ...content, subject }, message.code),
      headers: {
        'Auto-Submitted': 'auto-generated',
        // Exchange asks for this one; not for its bounces to be held back.
        'X-Auto-Response-Suppress': 'OOF, AutoReply',
        ...(content.language !== '' && { 'Content-Language': content.language }),
      },
      textEncoding: 'quoted-printable',
      xMailer: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
  };
}

/** Return path and, where bounces have somewhere to go, the wish for reports (RFC 3461). */
function envelopeOf(settings: Settings, from: Address, to: Address, marks: Marks): Partial<SendMailOptions> {
  const domain = parseDomain(settings.bounce_domain ?? '');
  if (domain === null) return { envelope: { from: from.text, to: [to.text] } };
  return {
    envelope: { from: `${marks.returnPath}@${domain}`, to: [to.text] },
    dsn: {
      ret: 'HDRS',
      envid: marks.envelopeId,
      notify: ['SUCCESS', 'FAILURE', 'DELAY'],
      // RFC 6533 has another form for what is not ASCII.
      ...(!to.needsUtf8 && { orcpt: `rfc822;${to.text}` }),
    },
  };
}

function firstLine(text: string): string {
  const [line = ''] = text.trimStart().split(/\r?\n/, 1);
  return line.length <= maxSubject ? line : `${line.slice(0, maxSubject - 1)}…`;
}
