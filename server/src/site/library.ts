/**
 * All pages for one address of the server, in both forms. Made once per address, when first asked for: the text comes from the version that runs,
 * with its own address in it.
 */
import type { Description } from './description.ts';
import type { Doc } from './doc.ts';
import { eventPages } from './event-pages.ts';
import { render } from './html.ts';
import { aroundOf, frame, mainGroups, navFor, twinOf } from './layout.ts';
import { mapLinks, ownLink } from './links.ts';
import { operationPages } from './operation-pages.ts';
import { localBase } from './samples.ts';
import { createSearch, type Search } from './search.ts';
import { errorPages, settingPage } from './table-pages.ts';

export interface Library {
  base: string;
  /** Hand-written ones first, by group and order. */
  docs: readonly Doc[];
  find(path: string): Doc | undefined;
  html(doc: Doc): string;
  markdown(doc: Doc): string;
  search: Search;
}

export function createLibrary(base: string, written: readonly Doc[], description: Description): Library {
  const all = [...written, ...operationPages(description), ...errorPages(), settingPage(), ...eventPages(description)];
  const docs = inOrder(base === '' ? all : all.map((doc) => ({ ...doc, body: doc.body.replaceAll(localBase, base) })));
  const byPath = new Map(docs.map((doc) => [doc.path, doc]));
  const markdown = (doc: Doc): string => toMarkdown(doc, base, byPath);
  return {
    base,
    docs,
    find: (path) => byPath.get(path),
    markdown,
    html(doc) {
      const { html, headings } = render(`# ${doc.title}\n\n${doc.body}`);
      return frame({
        ...{ base, title: doc.title, description: doc.description, path: doc.path, twin: true },
        ...{ nav: navFor(docs, doc.group), main: html, headings, around: aroundOf(docs, doc) },
      });
    },
    search: createSearch(docs),
  };
}

/** By group, the main ones first, then as they came. */
function inOrder(docs: readonly Doc[]): Doc[] {
  const rank = (group: string): number => {
    const found = (mainGroups as readonly string[]).indexOf(group);
    return found === -1 ? mainGroups.length : found;
  };
  return docs
    .map((doc, i) => ({ doc, i }))
    .sort(
      (a, b) =>
        rank(a.doc.group) - rank(b.doc.group) ||
        (rank(a.doc.group) < mainGroups.length ? a.doc.order - b.doc.order : 0) ||
        a.i - b.i,
    )
    .map(({ doc }) => doc);
}

/** With absolute links, those to pages leading to their Markdown. */
function toMarkdown({ title, body }: Doc, base: string, byPath: ReadonlyMap<string, Doc>): string {
  const linked = mapLinks(body, (target) => {
    const own = ownLink(target);
    if (!own) return target;
    const path = byPath.has(own.path) ? twinOf(own.path) : own.path;
    return `${base}${path}${own.fragment}`;
  });
  return `# ${title}\n\n> For AI agents: ${base}/llms.txt lists every page of this server.\n\n${linked}\n`;
}
