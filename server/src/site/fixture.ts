/** What tests of the pages share: a server over a test database, and a page taken apart. */
import type { Described, Description } from './description.ts';
import { operationsOf } from './description.ts';

export const publicUrl = 'https://otp.example.com';

export const operationsIn = (document: object): Described[] => operationsOf(document as Description);

const signs: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
const unescapeHtml = (text: string): string =>
  text.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (sign) => signs[sign] ?? sign);

/** The main part without the line for agents. */
const mainOf = (html: string): string =>
  /<main[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1]?.replace(/<p class="agents">.*<\/p>/, '') ?? '';

/** Text between tags, as a reader sees it. */
const textOf = (html: string): string => unescapeHtml(html.replaceAll(/<\/?t[dh]>/g, ' ').replaceAll(/<[^>]*>/g, ''));

export const headingsOfHtml = (html: string): string[] =>
  [...mainOf(html).matchAll(/<h([1-6])[^>]*>([\s\S]*?)<\/h\1>/g)].map(
    ([, depth, text]) => `${depth} ${textOf(text ?? '')}`,
  );

export const blocksOfHtml = (html: string): string[] =>
  [...mainOf(html).matchAll(/<pre[^>]*><code[^>]*>([\s\S]*?)<\/code><\/pre>/g)].map(([, text]) =>
    unescapeHtml(text ?? ''),
  );

export interface Block {
  /** `sh`, `js`, … */
  language: string;
  /** Behind the language, such as `answer`. */
  mark: string;
  text: string;
}

export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language = '', mark = '', text = '']) => ({
    language,
    mark,
    text,
  }));

const withoutBlocks = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '');

export const headingsOf = (markdown: string): string[] =>
  [...withoutBlocks(markdown).matchAll(/^(#{1,6}) (.*)$/gm)].map(
    ([, marks = '', text = '']) => `${marks.length} ${text.replaceAll(/[`*]/g, '')}`,
  );

/** Targets of links outside of code. */
export const linksOfMarkdown = (markdown: string): string[] =>
  [
    ...withoutBlocks(markdown)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^()\s]+)\)/g),
  ].map(([, target]) => target ?? '');

export const linksOfHtml = (html: string): string[] =>
  [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, target]) => unescapeHtml(target ?? ''));

/** Words of a reader: without marks of either form. */
export const wordsOfHtml = (html: string): string[] => wordsIn(textOf(mainOf(html)));
export const wordsOfMarkdown = (markdown: string): string[] =>
  wordsIn(
    markdown
      .replaceAll(/^```.*$/gm, '')
      .replaceAll(/^\d+\. /gm, '')
      .replace(/^> For AI agents.*$/m, '')
      .replaceAll(/\]\((?:https?:|#)[^()\s]*\)/g, ']'),
  );
const wordsIn = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];
