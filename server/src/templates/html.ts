/**
 * The plain-text twin of an HTML e-mail, made from the template before its variables are filled, so that a value with `<` in it
 * survives. Small on purpose: block tags become line ends, other tags go, the usual entities are read. One pass, because a
 * customer's 64 KiB of `<` must not stop the server.
 */

export const looksLikeHtml = (content: string): boolean => /<[a-z!/][^<>]*>/i.test(content);

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
};
/** Elements whose content nobody reads. */
const silent = new Set(['head', 'style', 'script', 'title']);
const breaking = new Set(['/p', '/div', '/tr', '/li', '/table', '/ul', '/ol', '/blockquote', 'br', 'br/']);
const isBreak = (tag: string): boolean => breaking.has(tag) || /^\/h[1-6]$/.test(tag);

/** Readable text of an HTML document or fragment; variables stay as they are. */
export function htmlToText(html: string): string {
  return decodeEntities(stripTags(html))
    .split('\n')
    .map((line) => line.replace(/[ \t\u00a0]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function stripTags(html: string): string {
  const lower = html.toLowerCase();
  let text = '';
  let at = 0;
  // Behind the last `>` no tag ends, so what looks like one is text; looking again at every `<` would be quadratic.
  const last = html.lastIndexOf('>');
  while (at < html.length) {
    const open = at > last ? -1 : html.indexOf('<', at);
    const end = open < 0 ? html.length : open;
    text += html.slice(at, end).replace(/\s+/g, ' ');
    if (open < 0) break;
    at = endOfMarkup(lower, open);
    if (at === open) {
      text += html[at++];
    } else if (isBreak(tagName(lower, open))) text += '\n';
  }
  return text;
}

const tagName = (lower: string, open: number): string =>
  /^\/?[a-z0-9]*\/?/.exec(lower.slice(open + 1, open + 20))?.[0] ?? '';

/** Where the tag, comment or silent element that begins at `open` ends; `open` itself when it is just a `<`. */
function endOfMarkup(lower: string, open: number): number {
  if (lower.startsWith('<!--', open)) return after(lower, '-->', open);
  if (!/^[a-z!/]/.test(lower.slice(open + 1, open + 2))) return open;
  const close = lower.indexOf('>', open);
  if (close < 0) return open;
  const name = tagName(lower, open);
  return silent.has(name) ? after(lower, '>', after(lower, `</${name}`, close)) : close + 1;
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

function decodeEntities(text: string): string {
  return text.replace(
    /&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,6});/gi,
    (literal, entity: string) => decode(entity) ?? literal,
  );
}

function decode(entity: string): string | undefined {
  if (!entity.startsWith('#')) return named[entity.toLowerCase()];
  const point = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number.parseInt(entity.slice(1), 10);
  return point > 31 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
    ? String.fromCodePoint(point)
    : undefined;
}
