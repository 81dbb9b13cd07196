/** The address of a handset as written in a path or query. Pure. */
import { ApiError, invalid } from '../errors.ts';

/**
 * The normalised form of contract §4. A `+` that a client forgot to encode arrives as a space and is put back. Throws 400/5011
 * for what is no phone number, 400/3002 for what is no e-mail address.
 */
export function readRecipient(text: string): string {
  return text.includes('@') ? readEmail(text.trim()) : readPhone(text);
}

function readEmail(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1).toLowerCase();
  if (
    text.length > 254 ||
    !/^[^\s\p{Cc}@]+$/u.test(text.slice(0, at)) ||
    !/^[^\s\p{Cc}@.]+(\.[^\s\p{Cc}@.]+)+$/u.test(domain)
  )
    throw invalid([{ field: 'to', problem: 'not a valid e-mail address' }]);
  return `${text.slice(0, at)}@${domain}`;
}

function readPhone(text: string): string {
  const compact = text.replace(/[ .()-]/g, '');
  const number = compact.startsWith('+') ? compact : `+${compact}`;
  if (!/^\+[1-9][0-9]{6,14}$/.test(number)) throw new ApiError(5011, 'Invalid phone number');
  return number;
}
