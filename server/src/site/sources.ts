/**
 * The hand-written pages: files of docs/site, each Markdown behind a few lines that say what it is. A page whose text lives elsewhere names
 * that file in `source` and has no text of its own. Links between the files of docs/ become addresses of pages.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Doc } from './doc.ts';
import { mapLinks } from './links.ts';

const docsFolder = fileURLToPath(new URL('../../../docs/', import.meta.url));
const siteFolder = join(docsFolder, 'site');

interface Source {
  /** Of docs/site. */
  page: string;
  /** Where its text stands, mostly the same. */
  file: string;
  doc: Doc;
}

/** Reads every page; throws for a file without its front matter and for a link to a file that is no page. */
export function readSources(): Doc[] {
  const sources = readdirSync(siteFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map(readSource);
  const paths = new Map(
    sources.flatMap(({ page, file, doc }) => [
      [page, doc.path],
      [file, doc.path],
    ]),
  );
  return sources.map(({ file, doc }) => ({ ...doc, body: mapLinks(doc.body, (link) => pageOf(link, file, paths)) }));
}

function readSource(name: string): Source {
  const path = join(siteFolder, name);
  const text = readFileSync(path, 'utf8');
  const [, head, body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  const fields = new Map((head ?? '').split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  const field = (key: string): string => {
    const value = fields.get(key);
    if (!value) throw new Error(`docs/site/${name} has no ${key} in its front matter`);
    return value;
  };
  const elsewhere = fields.get('source');
  const file = elsewhere === undefined ? path : join(docsFolder, elsewhere);
  const address = name.replace(/(^|\/)index\.md$|\.md$/, '');
  return {
    page: path,
    file,
    doc: {
      path: address === '' ? '/docs' : `/docs/${address}`,
      title: field('title'),
      description: field('description'),
      group: field('group'),
      order: Number(field('order')),
      body: elsewhere === undefined ? body.trim() : withoutHeading(readFileSync(file, 'utf8')),
    },
  };
}

/** Without its first heading and the comments of generators. */
const withoutHeading = (text: string): string =>
  text
    .replace(/^# .*\n/, '')
    .replaceAll(/^<!--.*-->\n/gm, '')
    .trim();

function pageOf(link: string, file: string, paths: ReadonlyMap<string, string>): string {
  if (/^(\/|#|[a-z]+:)/.test(link)) return link;
  const [target = '', fragment] = link.split(/(?=#)/);
  const named = resolve(dirname(file), target);
  const page = paths.get(named);
  if (page === undefined) throw new Error(`${relative(docsFolder, file)} links to ${target}, which is no page`);
  return `${page}${fragment ?? ''}`;
}
