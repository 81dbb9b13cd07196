/** Finds pages by words: an index in memory, made with the pages. A word counts more in a title than in a text, and more where it is rare. */
import type { Doc } from './doc.ts';

export interface Found {
  path: string;
  title: string;
  description: string;
  /** The line of the page that has most of the words, as plain text; empty where title or description say it already. */
  line: string;
}

export type Search = (query: string, limit?: number) => Found[];

const weights = { title: 8, description: 4, heading: 3, text: 1 };
/** A page that repeats a word says no more about it. */
const mostTimes = 5;

/** `verify_code` and `verifyCode` are also their parts; the plural is the singular. */
const wordsOf = (text: string): string[] =>
  [text, text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ')]
    .flatMap((one) => one.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])
    .map((word) => (word.length > 3 ? word.replace(/s$/, '') : word));

export function createSearch(docs: readonly Doc[]): Search {
  /** word → score by the number of the page */
  const index = new Map<string, Map<number, number>>();
  for (const [i, doc] of docs.entries()) {
    for (const [word, score] of scoresOf(doc)) {
      const pages = index.get(word) ?? new Map<number, number>();
      index.set(word, pages.set(i, score));
    }
  }
  // Made when a page is first found: a search must not cost the reading of what it finds.
  const lines: Line[][] = [];
  const linesOf = (i: number, { body }: Doc): Line[] =>
    (lines[i] ??= body.split('\n').map((text) => ({ text, words: new Set(wordsOf(text)) })));
  return (query, limit = 10) => {
    const words = [...new Set(wordsOf(query))].slice(0, 20);
    const totals = new Map<number, number>();
    for (const word of words) {
      const pages = pagesWith(index, word);
      for (const [i, score] of pages) {
        totals.set(i, (totals.get(i) ?? 0) + score * Math.log(1 + docs.length / pages.size));
      }
    }
    const best = [...totals].sort(([i, a], [j, b]) => b - a || i - j).slice(0, limit);
    return best.flatMap(([i]) => {
      const doc = docs[i];
      return doc ? [foundIn(doc, linesOf(i, doc), words)] : [];
    });
  };
}

/** Those with the word itself, else those with a word that begins so. */
function pagesWith(index: ReadonlyMap<string, Map<number, number>>, word: string): Map<number, number> {
  const exact = index.get(word);
  if (exact || word.length < 3) return exact ?? new Map();
  const found = new Map<number, number>();
  for (const [known, pages] of index) {
    if (!known.startsWith(word)) continue;
    for (const [i, score] of pages) found.set(i, Math.max(score / 2, found.get(i) ?? 0));
  }
  return found;
}

function scoresOf({ title, description, body }: Doc): Map<string, number> {
  const scores = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const word of wordsOf(text)) {
      scores.set(word, Math.min((scores.get(word) ?? 0) + weight, weights.title + weights.description + mostTimes));
    }
  };
  add(title, weights.title);
  add(description, weights.description);
  for (const line of body.split('\n')) add(line, /^#{2,} /.test(line) ? weights.heading : weights.text);
  return scores;
}

interface Line {
  text: string;
  words: ReadonlySet<string>;
}

function foundIn({ path, title, description }: Doc, lines: readonly Line[], words: readonly string[]): Found {
  let line = '';
  let most = 0;
  for (const one of lines) {
    const count = words.filter((word) => one.words.has(word)).length;
    if (count > most) [line, most] = [one.text, count];
  }
  const shown = plainText(line).slice(0, 240);
  const isSaid = description.toLowerCase().includes(shown.toLowerCase().replace(/\.$/, ''));
  return { path, title, description, line: isSaid ? '' : shown };
}

const plainText = (markdown: string): string =>
  markdown
    .replaceAll(/\]\([^()\s]*\)/g, '')
    .replaceAll(/[#*`[\]|>]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
