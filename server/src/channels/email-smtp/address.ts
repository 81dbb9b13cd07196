/**
 * E-mail addresses and header values as SMTP can carry them (RFC 5321 §4.5.3.1, RFC 6531): CR, LF and NUL never pass, since they
 * would begin a command or a header of somebody else's making; a domain travels as A-labels, a local part as it was given.
 */
import { domainToASCII } from 'node:url';

export interface Address {
  local: string;
  /** Lower-case A-labels. */
  domain: string;
  /** What goes into a command: local@domain. */
  text: string;
  /** The local part has characters only SMTPUTF8 can carry. */
  needsUtf8: boolean;
}

const maxLocalBytes = 64;
const maxDomainBytes = 255;
// A dot-atom, with letters of every script; quoted local parts are legal and used by nobody.
const localPattern = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const labelPattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** Null for what is no address that can be mailed. */
export function parseAddress(text: string): Address | null {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at).normalize('NFC');
  const domain = at > 0 ? parseDomain(text.slice(at + 1)) : null;
  if (domain === null || !localPattern.test(local) || Buffer.byteLength(local) > maxLocalBytes) return null;
  return { local, domain, text: `${local}@${domain}`, needsUtf8: /[^\x20-\x7e]/.test(local) };
}

/** The domain in A-labels; null for what is none. A single label has no mail exchanger on the public network, but may inside one. */
export function parseDomain(text: string): string | null {
  // The converter belongs to URLs: it would cut or decode these.
  if (text === '' || /[\s\p{Cc}/:?#%@[\]\\]/u.test(text)) return null;
  const domain = domainToASCII(text).toLowerCase();
  if (domain === '' || domain.length > maxDomainBytes) return null;
  return domain.split('.').every((label) => labelPattern.test(label)) ? domain : null;
}

/** Whether a text would end the header or command it is put into. */
export const breaksLine = (text: string): boolean => /[\r\n\0]/.test(text);
