/**
 * The lines that let a phone fill the code in by itself (contract §9): Android's app hash, then the origin-bound line of the
 * browser, which must be the very last one and have nothing after the code.
 */
import { isIP } from 'node:net';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `https://Shop.example` or `shop.example` → `shop.example`; null for anything with a port, path, user or IP address. */
export function webOtpHost(origin: string): string | null {
  const host = origin.replace(/^https:\/\//i, '');
  if (host === '' || host.length > 253 || /[^\p{L}\p{N}\p{M}.-]/u.test(host)) return null;
  if (!URL.canParse(`https://${host}`)) return null;
  const name = new URL(`https://${host}`).hostname;
  if (isIP(name) !== 0 || !name.split('.').every((part) => label.test(part))) return null;
  return name;
}

export const isAndroidHash = (hash: string): boolean => /^[A-Za-z0-9+/]{11}$/.test(hash);

/** The text with its autofill lines. A code with a space in it gets no origin line: browsers read up to the first space. */
export function appendAutofill(
  text: string,
  code: string,
  { host, hash }: { host: string | undefined; hash: string | undefined },
): string {
  const lines = [text];
  if (hash !== undefined) lines.push(hash);
  if (host !== undefined && !code.includes(' ')) lines.push(`@${host} #${code}`);
  return lines.join('\n');
}
