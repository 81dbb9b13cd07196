/**
 * The documents, served by the version they describe: every page as HTML and as Markdown from one source, lists for machines, search, and
 * a reference to try operations in. Pages about operations, errors, settings and events are made from the registry, so that they cannot
 * disagree with it. Nothing a page shows or loads comes from another server, and none needs a credential.
 */
import { readFileSync } from 'node:fs';
import type { Page, PageAnswer, PageRequest } from '../http/index.ts';
import { htmlAnswer, linksOf, openAnswer, policy, prefers, redirect } from './answers.ts';
import type { Description } from './description.ts';
import { documentPages } from './documents.ts';
import { makeLlmsFull, makeLlmsTxt, makeRobots, makeSitemap } from './indexes.ts';
import { frame, navFor } from './layout.ts';
import { createLibrary, type Library } from './library.ts';
import type { SitePorts } from './ports.ts';
import { pairSwitchedOff } from './public-pair.ts';
import { makeReference } from './reference.ts';
import type { Found } from './search.ts';
import { answerSearch } from './search-page.ts';
import { readSources } from './sources.ts';
import { wellKnownPages } from './well-known.ts';

export type { Found } from './search.ts';

export interface Site {
  pages: readonly Page[];
  /** The best pages for the words, best first. */
  search(query: string, limit?: number): Found[];
  /** The Markdown of the page at an address such as `/docs/templates`; null where there is none. */
  read(path: string): string | null;
  /** The addresses of all pages with their titles. */
  list(): { path: string; title: string; description: string }[];
}

const asset = (name: string): string => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');

export function createSite(ports: SitePorts): Site {
  const sources = readSources();
  const written = ports.publicSandbox ? sources : sources.map(pairSwitchedOff);
  const [css, script] = [asset('site.css'), asset('reference.js')];
  let made: Library | undefined;
  const library = (): Library => {
    if (made?.base !== ports.publicUrl()) {
      made = createLibrary(ports.publicUrl(), written, ports.description() as Description);
    }
    return made as Library;
  };
  const text = (path: string, mediaType: string, make: (from: Library) => string): Page => ({
    path,
    answer: () => openAnswer(mediaType, make(library())),
  });
  const below = (request: PageRequest): PageAnswer => answerDoc(library(), request);
  return {
    pages: [
      text('/llms.txt', 'text/plain', makeLlmsTxt),
      text('/docs/llms.txt', 'text/plain', makeLlmsTxt),
      text('/llms-full.txt', 'text/plain', makeLlmsFull),
      text('/sitemap.xml', 'application/xml', makeSitemap),
      text('/robots.txt', 'text/plain', makeRobots),
      text('/docs/site.css', 'text/css', () => css),
      text('/docs/reference.js', 'text/javascript', () => script),
      { path: '/', answer: () => redirect(`${ports.publicUrl()}/docs`) },
      { path: '/docs', answer: below },
      { path: '/docs.md', answer: below },
      { path: '/docs/*', answer: below },
      {
        path: '/docs/search',
        answer(request) {
          ports.visit(request.ip);
          return answerSearch(library(), request);
        },
      },
      {
        path: '/errors/{code}',
        answer: ({ path }) =>
          library().find(`/docs${path.replace(/\.md$/, '')}`) ? redirect(`${ports.publicUrl()}/docs${path}`) : null,
      },
      {
        path: '/reference',
        answer: () =>
          htmlAnswer(makeReference(library(), ports.description() as Description, ports.publicSandbox), {
            'Content-Security-Policy': `${policy}; script-src 'self'; connect-src 'self'`,
          }),
      },
      ...documentPages(ports),
      ...wellKnownPages(ports),
    ],
    search: (query, limit) => library().search(query, limit),
    read(path) {
      const doc = library().find(path.replace(/\.md$/, ''));
      return doc ? library().markdown(doc) : null;
    },
    list: () => library().docs.map(({ path, title, description }) => ({ path, title, description })),
  };
}

/** One page in the form that was asked for, by its address or by Accept; a 404 in the same form. */
function answerDoc(library: Library, request: PageRequest): PageAnswer {
  const { base } = library;
  const named = request.path.endsWith('.md');
  const doc = library.find(request.path.replace(/(\/index)?\.md$/, ''));
  const asMarkdown = named || prefers(request, 'text/markdown');
  const vary: Record<string, string> = named ? {} : { Vary: 'Accept' };
  if (!doc) return notFound(library, asMarkdown, vary);
  if (!asMarkdown) return htmlAnswer(library.html(doc), { ...vary, Link: linksOf(base, doc.path, 'html') });
  return openAnswer('text/markdown', library.markdown(doc), { ...vary, Link: linksOf(base, doc.path, 'markdown') });
}

function notFound({ base, docs }: Library, asMarkdown: boolean, headers: Record<string, string>): PageAnswer {
  const say = 'There is no such page.';
  if (asMarkdown) {
    const body = `# Not found\n\n${say} All pages: ${base}/llms.txt\n`;
    return { ...openAnswer('text/markdown', body, headers), status: 404 };
  }
  const main = `<h1>Not found</h1>\n<p>${say} Look for it above, or in <a href="/docs">the documents</a>.</p>`;
  const html = frame({
    ...{ base, title: 'Not found', description: say, path: null, twin: false, main },
    nav: navFor(docs, null),
  });
  return htmlAnswer(html, headers, 404);
}
