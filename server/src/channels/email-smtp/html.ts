/**
 * The HTML of a mail whose template has none: the text as it is, the code large and easy to copy. Tables and inline styles, because
 * that is what mail programs agree on; no image, no link, no style sheet that one of them would drop. Pure.
 */
import type { Content } from '../contract.ts';

const fonts = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const rightToLeft = new Set(['ar', 'dv', 'fa', 'he', 'ku', 'ps', 'ur', 'yi']);

/** `text` line by line; a code in it stands alone beneath the line that has it first. */
export function htmlOf(
  { text, language, subject }: Pick<Content, 'text' | 'language' | 'subject'>,
  code: string | null,
): string {
  const [primary = ''] = language.toLowerCase().split(/[-_]/);
  const lang = /^[a-z]{2,3}$/.test(primary) ? language.replaceAll('_', '-') : 'en';
  const direction = rightToLeft.has(primary) ? 'rtl' : 'ltr';
  return [
    '<!doctype html>',
    `<html lang="${escapeHtml(lang)}" dir="${direction}">`,
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta name="color-scheme" content="light dark"><title>${escapeHtml(subject ?? '')}</title></head>`,
    `<body style="margin:0;padding:0;font-family:${fonts}">`,
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:24px 12px">',
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:480px"><tr>',
    `<td dir="${direction}" style="font-size:16px;line-height:24px;text-align:${direction === 'rtl' ? 'right' : 'left'}">`,
    ...paragraphs(text, code),
    '</td></tr></table></td></tr></table></body></html>',
  ].join('\n');
}

function paragraphs(text: string, code: string | null): string[] {
  const lines = text.split(/\r?\n/);
  const withCode = code === null || code === '' ? -1 : lines.findIndex((line) => line.includes(code));
  return lines.flatMap((line, at) => {
    // Each line finds its own direction: a brand or a name may be written the other way.
    const plain = line.trim() === '' ? [] : [`<p dir="auto" style="margin:0 0 16px">${escapeHtml(line)}</p>`];
    return at === withCode ? [...plain, large(code ?? '')] : plain;
  });
}

/** From left to right in every script, in figures that cannot be taken for one another. */
const large = (code: string): string =>
  `<p dir="ltr" style="margin:0 0 16px;font-family:Consolas,Menlo,'Courier New',monospace;font-size:32px;line-height:40px;font-weight:bold;letter-spacing:4px">${escapeHtml(code)}</p>`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
