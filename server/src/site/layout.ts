/** The frame around a page: head, navigation, the pointer for agents. Style and script are files of this server. */
import type { Doc } from './doc.ts';
import { escapeHtml, type Heading } from './html.ts';

export interface Frame {
  base: string;
  title: string;
  description: string;
  /** Of the page itself; null for one that has no address of its own, such as a 404. */
  path: string | null;
  /** Whether a Markdown twin exists. */
  twin: boolean;
  nav: readonly NavGroup[];
  /** HTML of the main part. */
  main: string;
  /** Of a script of this server. */
  script?: string;
  headings?: readonly Heading[];
  /** The pages before and after it. */
  around?: Around;
}

export interface Around {
  before?: Doc;
  after?: Doc;
}

export interface NavGroup {
  title: string;
  items: readonly { path: string; title: string }[];
}

/** The groups whose pages stand in the navigation of every page; the others only on the pages beside them. */
export const mainGroups = ['Start', 'Guides', 'Migrate', 'Reference'] as const;

export const twinOf = (path: string): string => `${path}.md`;

/** The main groups, and the group of the page itself. */
export function navFor(docs: readonly Doc[], group: string | null): NavGroup[] {
  const titles: string[] = [...mainGroups];
  if (group !== null && !titles.includes(group)) titles.push(group);
  return titles.map((title) => {
    const items: NavGroup['items'] = docs.filter((doc) => doc.group === title);
    return { title, items: title === 'Reference' ? [...items, reference] : items };
  });
}

/** The page that is no document. */
const reference = { path: '/reference', title: 'Try operations' };

/** Its neighbours in the order of reading: the main groups as one, every other group for itself. */
export function aroundOf(docs: readonly Doc[], { path, group }: Doc): Around {
  const isMain = (name: string): boolean => (mainGroups as readonly string[]).includes(name);
  const line = docs.filter((one) => (isMain(group) ? isMain(one.group) : one.group === group));
  const at = line.findIndex((one) => one.path === path);
  const [before, after] = [line[at - 1], line[at + 1]];
  return { ...(before && { before }), ...(after && { after }) };
}

export function frame(page: Frame): string {
  const { base, title, description, path, twin, nav, main, script, headings = [], around = {} } = page;
  const groups = nav.map(({ title: name, items }) => navGroup(name, items, path)).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · OTP platform</title>
<meta name="description" content="${escapeHtml(description)}">
${path === null ? '<meta name="robots" content="noindex">' : `<link rel="canonical" href="${escapeHtml(base + path)}">`}
${twin && path !== null ? `<link rel="alternate" type="text/markdown" href="${escapeHtml(base + twinOf(path))}">\n` : ''}<link rel="describedby" type="text/plain" href="${escapeHtml(base)}/llms.txt">
<link rel="stylesheet" href="/docs/site.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header>
<a class="home" href="/docs">OTP platform</a>
<a class="to-menu" href="#menu">Menu</a>
<form action="/docs/search" role="search"><input type="search" name="q" aria-label="Search the documents" placeholder="Search"></form>
</header>
<div class="columns">
<div class="page">
<main id="main">
<p class="agents">For AI agents: <a href="/llms.txt">llms.txt</a> lists every page${twin && path !== null ? `; <a href="${escapeHtml(twinOf(path))}">this page as Markdown</a>` : ''}.</p>
${main}
</main>
${aroundNav(around)}</div>
${contents(headings)}<nav class="menu" id="menu" aria-label="Documents">
${groups}
</nav>
</div>
${script === undefined ? '' : `<script src="${escapeHtml(script)}" defer></script>\n`}</body>
</html>
`;
}

/** Empty for a page with little to jump to. */
function contents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => depth === 2);
  if (shown.length < 3) return '';
  const links = shown.map(({ id, text }) => `<li><a href="#${id}">${text}</a></li>`).join('\n');
  return `<nav class="contents" aria-label="On this page">\n<h2>On this page</h2>\n<ul>\n${links}\n</ul>\n</nav>\n`;
}

function aroundNav({ before, after }: Around): string {
  const link = (doc: Doc | undefined, rel: string, word: string): string =>
    doc ? `<a rel="${rel}" href="${escapeHtml(doc.path)}"><small>${word}</small> ${escapeHtml(doc.title)}</a>` : '';
  if (!before && !after) return '';
  return `<nav class="around" aria-label="Before and after">${link(before, 'prev', 'Before')}${link(after, 'next', 'Next')}</nav>\n`;
}

function navGroup(title: string, items: NavGroup['items'], path: string | null): string {
  const links = items.map(
    (item) =>
      `<li><a href="${escapeHtml(item.path)}"${item.path === path ? ' aria-current="page"' : ''}>${escapeHtml(item.title)}</a></li>`,
  );
  return `<h2>${escapeHtml(title)}</h2>\n<ul>\n${links.join('\n')}\n</ul>`;
}
