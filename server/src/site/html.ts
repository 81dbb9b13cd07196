/**
 * Markdown to HTML. HTML in a source is shown as text, and a link leads only to https, http, mailto or into the server: nothing that a page says
 * can run or load anything.
 */
import { Marked, type Tokens } from 'marked';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => escapes[sign] ?? sign);

/** The address of a heading, as GitHub makes it. */
export const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/<[^>]*>|&\w+;|&#\d+;/g, '')
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

const isSafe = (target: string): boolean => /^(https?:\/\/|mailto:|\/(?!\/)|#)/.test(target);

/** Two headings of one text get two addresses. */
function createMarked(): Marked {
  const known = new Map<string, number>();
  const marked = new Marked({ gfm: true });
  marked.use({
    // An address in a text is text: what is a link says so.
    tokenizer: { url: () => undefined },
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
      image: ({ text }: Tokens.Image) => escapeHtml(text),
      link({ href, tokens }: Tokens.Link) {
        const text = this.parser.parseInline(tokens);
        return isSafe(href) ? `<a href="${escapeHtml(href)}">${text}</a>` : text;
      },
      heading({ tokens, depth, text }: Tokens.Heading) {
        const slug = slugOf(text.replaceAll(/[`*]/g, ''));
        const count = known.get(slug) ?? 0;
        known.set(slug, count + 1);
        const id = count === 0 ? slug : `${slug}-${count}`;
        return `<h${depth} id="${escapeHtml(id)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      code({ text, lang = '' }: Tokens.Code) {
        const [language = ''] = lang.split(' ');
        // A block can be wider than the page: it must be reachable by keyboard to be scrolled.
        return `<pre tabindex="0"><code class="language-${escapeHtml(language || 'text')}">${escapeHtml(text)}\n</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const row = (cells: readonly Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>\n`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('');
        return `<div class="wide" tabindex="0"><table>\n<thead>${row(token.header, 'th')}</thead>\n<tbody>${body}</tbody>\n</table></div>\n`;
      },
    },
  });
  return marked;
}

export function toHtml(markdown: string): string {
  return createMarked().parse(markdown, { async: false });
}
