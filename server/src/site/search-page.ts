/** `/docs/search?q=`: a small page for people, JSON for programs that ask for it. */
import type { PageAnswer, PageRequest } from '../http/index.ts';
import { htmlAnswer, openAnswer, prefers } from './answers.ts';
import { escapeHtml } from './html.ts';
import { frame, navFor, twinOf } from './layout.ts';
import type { Library } from './library.ts';

const longestQuery = 200;

export function answerSearch({ base, docs, search }: Library, request: PageRequest): PageAnswer {
  const query = (request.query.get('q') ?? '').slice(0, longestQuery);
  const found = search(query, 20);
  if (prefers(request, 'application/json')) {
    const results = found.map(({ path, ...rest }) => ({
      url: `${base}${path}`,
      markdown: `${base}${twinOf(path)}`,
      ...rest,
    }));
    return openAnswer('application/json', JSON.stringify({ query, results }), { Vary: 'Accept' });
  }
  const list = found.map(
    ({ path, title, description, line }) =>
      `<h3><a href="${escapeHtml(path)}">${escapeHtml(title)}</a></h3>\n<p>${escapeHtml(description)}${line === '' ? '' : `<br>${escapeHtml(line)}`}</p>`,
  );
  const main = `<h1>Search</h1>
<form action="/docs/search"><input type="search" name="q" value="${escapeHtml(query)}" aria-label="Words to look for"> <button>Search</button></form>
<div class="found">
${list.length > 0 ? list.join('\n') : `<p>${query === '' ? 'Type what you look for.' : 'Nothing was found.'}</p>`}
</div>`;
  const html = frame({
    ...{ base, title: 'Search', description: 'Search the documents.', path: null, twin: false, main },
    nav: navFor(docs, null),
  });
  return htmlAnswer(html, { Vary: 'Accept' });
}
