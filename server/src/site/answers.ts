/** What every answer of the site has in common: headers that say where the other forms are, and which form a reader wants. */
import type { PageAnswer, PageRequest } from '../http/index.ts';
import { twinOf } from './layout.ts';

/** Nothing from elsewhere, and no script, unless a page says so. */
export const policy =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const safe = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

export const htmlAnswer = (body: string, headers: Record<string, string> = {}, status = 200): PageAnswer => ({
  status,
  mediaType: 'text/html',
  body,
  headers: { ...safe, 'Content-Security-Policy': policy, ...headers },
});

/** Open to scripts of every origin: nothing here is for one reader alone. */
export const openAnswer = (mediaType: string, body: string, headers: Record<string, string> = {}): PageAnswer => ({
  status: 200,
  mediaType,
  body,
  headers: { ...safe, 'Access-Control-Allow-Origin': '*', ...headers },
});

export const redirect = (to: string): PageAnswer => ({
  status: 308,
  mediaType: 'text/plain',
  body: `See ${to}\n`,
  headers: { ...safe, Location: to },
});

/** `Link` of a page: its other form, the list that covers it, and of the Markdown the address it is the Markdown of. */
export function linksOf(base: string, path: string, form: 'html' | 'markdown'): string {
  const other =
    form === 'html'
      ? `<${base}${twinOf(path)}>; rel="alternate"; type="text/markdown"`
      : `<${base}${path}>; rel="canonical"; type="text/html"`;
  return `${other}, <${base}/llms.txt>; rel="describedby"; type="text/plain"`;
}

/** Whether the reader prefers `type` to HTML; a reader who takes anything gets HTML. */
export function prefers({ headers: { accept = '' } }: PageRequest, type: string): boolean {
  const qualityOf = (wanted: string): number => {
    const found = accept
      .toLowerCase()
      .split(',')
      .map((part) => part.split(';').map((piece) => piece.trim()))
      .find(([name]) => name === wanted);
    if (!found) return -1;
    const q = found.find((piece) => piece.startsWith('q='));
    return q === undefined ? 1 : Number(q.slice(2)) || 0;
  };
  const quality = qualityOf(type);
  return (
    quality > 0 && quality >= qualityOf('text/html') && (quality > qualityOf('text/html') || isBefore(accept, type))
  );
}

/** Of two equally wanted forms the first named. */
const isBefore = (accept: string, type: string): boolean =>
  accept.toLowerCase().indexOf(type) < accept.toLowerCase().indexOf('text/html');
