/**
 * Reads a delivery status notification (RFC 3464; RFC 6533 for addresses outside ASCII): what became of the mail, and by which
 * names it can be ours. Written for hostile input: sizes and nesting are bounded, and what does not parse is no report.
 */
import PostalMime, { type Attachment, type Email } from 'postal-mime';

export interface Report {
  action: 'failed' | 'delivered' | 'other';
  /** 5.1.1 */
  status: string | null;
  /** 550, from the diagnostic of the host that said no. */
  code: number | null;
  /** ENVID as it came back. */
  envelopeId: string | null;
  /** Of the returned headers. */
  messageId: string | null;
}

/** What comes first says all; a whole mail that is returned may follow. The parser takes 10 µs for a line, be it empty. */
const readBytes = 64 * 1024;
const maxLines = 4_000;

type Fields = ReadonlyMap<string, string>;

/** Null for any other mail: vacation notes, read receipts, spam. */
export async function readReport(raw: Uint8Array): Promise<Report | null> {
  const mail = await parse(raw.subarray(0, readBytes));
  if (!mail || !isReport(mail)) return null;
  const part = mail.attachments.find(({ mimeType }) => /^message\/(global-)?delivery-status$/.test(mimeType));
  const returned = mail.attachments.find(({ mimeType }) =>
    /^(text\/rfc822-headers|message\/(rfc822|global(-headers)?))$/.test(mimeType),
  );
  if (!part) return null;
  const [perMessage, ...recipients] = textOf(part)
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map(fieldsOf)
    .filter(({ size }) => size > 0);
  if (!perMessage) return null;
  const [about] = [...recipients].sort((a, b) => weight(actionOf(a)) - weight(actionOf(b)));
  if (!about) return null;
  return {
    action: actionOf(about),
    ...causeOf(about),
    envelopeId: perMessage.get('original-envelope-id') ?? null,
    messageId: returned ? (fieldsOf(headOf(textOf(returned))).get('message-id') ?? null) : null,
  };
}

async function parse(raw: Uint8Array): Promise<Email | null> {
  if (raw.reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 0) > maxLines) return null;
  try {
    return await PostalMime.parse(raw, {
      maxNestingDepth: 16,
      maxHeadersSize: 128 * 1024,
      forceRfc822Attachments: true,
    });
  } catch {
    return null;
  }
}

function isReport({ headers }: Email): boolean {
  const type = headers.find(({ key }) => key === 'content-type')?.value ?? '';
  return /^\s*multipart\/report\b/i.test(type) && /report-type\s*=\s*"?delivery-status/i.test(type);
}

/** Our mails have one recipient; should a report speak of several, bad news counts before good. */
const weight = (action: Report['action']): number => ['failed', 'delivered', 'other'].indexOf(action);

function actionOf(fields: Fields): Report['action'] {
  const [word = ''] = (fields.get('action') ?? '')
    .trim()
    .toLowerCase()
    .split(/[\s(;]/, 1);
  return word === 'failed' || word === 'delivered' ? word : 'other';
}

/** Some hosts say 5.0.0 and tell the cause in the diagnostic alone. */
function causeOf(fields: Fields): Pick<Report, 'status' | 'code'> {
  const status = /^\s*([245]\.\d{1,3}\.\d{1,3})\b/.exec(fields.get('status') ?? '')?.[1] ?? null;
  const diagnostic = /^\s*smtp\s*;\s*(\d{3})(?:[ -]+#?([245]\.\d{1,3}\.\d{1,3})\b)?/i.exec(
    fields.get('diagnostic-code') ?? '',
  );
  const told = diagnostic?.[2] ?? null;
  const vague = status === null || /^[245]\.0\.0$/.test(status);
  return { status: vague ? (told ?? status) : status, code: diagnostic ? Number(diagnostic[1]) : null };
}

function textOf({ content }: Attachment): string {
  return typeof content === 'string' ? content : Buffer.from(content as ArrayBuffer).toString('utf8');
}

const headOf = (text: string): string => text.split(/\r?\n\r?\n/, 1)[0] ?? '';

/** Names in lower case; continued lines joined; the first of a repeated name counts. */
function fieldsOf(block: string): Fields {
  const fields = new Map<string, string>();
  for (const line of block.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    if (at > 0 && !fields.has(name)) fields.set(name, line.slice(at + 1).trim());
  }
  return fields;
}
