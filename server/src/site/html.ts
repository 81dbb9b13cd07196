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

export interface Heading {
  depth: number;
  id: string;
  /** As HTML. */
  text: string;
}

/** Names longer than this may be broken, behind a sign where a reader expects it. */
const unbroken = 10;
const breakable = (code: string): string =>
  code.length <= unbroken ? escapeHtml(code) : escapeHtml(code).replaceAll(/([_./,])(?=[a-z_{])/gi, '$1<wbr>');

/** From this many columns on a table is a list of cards on a narrow screen, its cells labelled. */
const manyColumns = 3;

/** Two headings of one text get two addresses; all are put into `headings`. */
function createMarked(headings: Heading[]): Marked {
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
        const id = escapeHtml(count === 0 ? slug : `${slug}-${count}`);
        const html = this.parser.parseInline(tokens);
        headings.push({ depth, id, text: html });
        const link = depth === 1 ? '' : `<a class="anchor" href="#${id}" aria-label="Link to this section"></a>`;
        return `<h${depth} id="${id}">${html}${link}</h${depth}>\n`;
      },
      codespan: ({ text }: Tokens.Codespan) => `<code>${breakable(text)}</code>`,
      code({ text, lang = '' }: Tokens.Code) {
        const [language = ''] = lang.split(' ');
        // A block can be wider than the page: it must be reachable by keyboard to be scrolled.
        return `<pre tabindex="0"><code class="language-${escapeHtml(language || 'text')}">${escapeHtml(text)}\n</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const isWide = token.header.length >= manyColumns;
        // The first cell is the title of a card and the last one its text: they need no name.
        const label = (i: number): string =>
          isWide && i > 0 && i < token.header.length - 1
            ? ` data-label="${escapeHtml(token.header[i]?.text ?? '')}"`
            : '';
        const row = (cells: readonly Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map(({ tokens }, i) => `<${tag}${tag === 'td' ? label(i) : ''}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>\n`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('');
        return `<div class="wide" tabindex="0"><table${isWide ? ' class="cards"' : ''}>\n<thead>${row(token.header, 'th')}</thead>\n<tbody>${body}</tbody>\n</table></div>\n`;
      },
    },
  });
  return marked;
}

/** The page and its headings in order. */
export function render(markdown: string): { html: string; headings: Heading[] } {
  const headings: Heading[] = [];
  return { html: createMarked(headings).parse(markdown, { async: false }), headings };
}

export const toHtml = (markdown: string): string => render(markdown).html;
