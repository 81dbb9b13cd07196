/**
 * `/reference`: every operation on one page, found by words, and tried from the browser with a credential the reader types. The page
 * is whole without its script; the script (assets/reference.js) only filters and sends. Nothing is kept after the page is closed.
 */
import { type Described, type Description, type Media, operationsOf, type Parameter, resolve } from './description.ts';
import { escapeHtml } from './html.ts';
import { frame, navFor } from './layout.ts';
import type { Library } from './library.ts';
import { operationPath } from './operation-pages.ts';

/** With `publicSandbox` the public pair stands in the fields for a key. */
export function makeReference({ base, docs }: Library, description: Description, publicSandbox: boolean): string {
  const [key, secret] = publicSandbox ? ['sandbox_demo', 'sandbox_secret'] : ['', ''];
  const credential = publicSandbox
    ? 'by default with the public sandbox pair, which reaches nobody'
    : 'with a key of yours';
  const operations = operationsOf(description);
  const sections = [...Map.groupBy(operations, ({ tags }) => tags[0] ?? '')].map(
    ([tag, own]) =>
      `<section><h2>${escapeHtml(tag)}</h2>\n${own.map((one) => card(description, one)).join('\n')}</section>`,
  );
  const main = `<h1>Reference</h1>
<p>All ${operations.length} operations of this server. Type to find one, open it, and send it: ${credential}. <a href="/openapi.json">/openapi.json</a> has the same for machines.</p>
<p class="try">
<label>Find <input type="search" id="find" autocomplete="off"></label>
<label>dev_key <input id="key" value="${key}" autocomplete="off" spellcheck="false"></label>
<label>dev_secret <input id="secret" type="password" value="${secret}" autocomplete="off"></label>
<label>operator token <input id="token" type="password" value="" autocomplete="off"></label>
</p>
<p id="none" hidden>No operation has these words.</p>
${sections.join('\n')}`;
  return frame({
    ...{
      base,
      title: 'Reference',
      description: 'Every operation, to read and to try.',
      path: '/reference',
      twin: false,
    },
    nav: navFor(docs, null),
    main,
    script: '/docs/reference.js',
  });
}

function card(description: Description, operation: Described): string {
  const { operationId, method, path, summary, auth, parameters, requestBody } = operation;
  const inputs = parameters
    .map((one) => resolve<Parameter>(description, one))
    .filter((one) => one.in !== 'header')
    .map((one) => field(one));
  const media = requestBody?.content['application/json'];
  const body =
    media && `<label>body <textarea name="body" spellcheck="false">${escapeHtml(exampleOf(media))}</textarea></label>`;
  return `<details class="operation" id="${escapeHtml(operationId)}">
<summary><code>${method} ${escapeHtml(path)}</code> ${escapeHtml(summary)}</summary>
<p><a href="${operationPath(operationId)}">${escapeHtml(operationId)}</a>: parameters, answers and errors.</p>
<form class="try" data-method="${method}" data-path="${escapeHtml(path)}" data-auth="${auth}">
${[...inputs, ...(body === undefined ? [] : [body])].join('\n')}
<button>Send</button>
<pre tabindex="0" hidden><code></code></pre>
</form>
</details>`;
}

function field({ name, in: place, required }: Parameter): string {
  const must = required ? ' required' : '';
  return `<label>${escapeHtml(name)} <input name="${escapeHtml(name)}" data-in="${place}"${must} autocomplete="off" spellcheck="false"></label>`;
}

function exampleOf(media: Media): string {
  const [first] = Object.values(media.examples ?? {});
  return first === undefined ? '{}' : JSON.stringify(first.value, null, 2);
}
