/** The code blocks of the repository's Markdown, and docs/code-blocks.md: which test runs them, and which are not run and why. */
import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));

export interface CodeBlock {
  /** From the root of the repository. */
  file: string;
  /** Line of its opening fence. */
  line: number;
  language: string;
  text: string;
}

export interface NotRun {
  file: string;
  /** How the block begins, its white space as single blanks. */
  begins: string;
  why: string;
}

interface RunBy {
  files: readonly string[];
  languages: readonly string[];
  test: string;
}

/** Rows of the tables of docs/code-blocks.md. */
function rowsUnder(heading: string): string[][] {
  const text = readFileSync(join(repository, 'docs/code-blocks.md'), 'utf8');
  const section = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((row) => row.slice(2, -2).split(' | '));
}

const inBackticks = (cell = ''): string[] => [...cell.matchAll(/`([^`]*)`/g)].map(([, text = '']) => text);

export const notRun: readonly NotRun[] = rowsUnder('What is not run').map(([file, begins, why = '']) => ({
  file: inBackticks(file)[0] ?? '',
  begins: (inBackticks(begins)[0] ?? '').trim(),
  why,
}));

export const runBy: readonly RunBy[] = rowsUnder('Who runs what').map(([files, languages, test]) => ({
  files: inBackticks(files),
  languages: inBackticks(languages),
  test: inBackticks(test)[0] ?? '',
}));

/** The line that says why a block is not run; undefined for one that is. */
export function whyNotRun(file: string, text: string): NotRun | undefined {
  const whole = text.replaceAll(/\s+/g, ' ').trim();
  return notRun.find((one) => one.file === file && whole.startsWith(one.begins));
}

export const runnerOf = ({ file, language }: CodeBlock): RunBy | undefined =>
  runBy.find(
    ({ files, languages }) => languages.includes(language) && files.some((pattern) => matchesGlob(file, pattern)),
  );

/** Every fenced block of a file, also inside a list. */
export function codeBlocksOf(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: CodeBlock | undefined;
  for (const [index, line] of readFileSync(join(repository, file), 'utf8').split('\n').entries()) {
    const fence = /^ *```(\S*)/.exec(line);
    if (fence && open) open = undefined;
    else if (open) open.text += `${line}\n`;
    else if (fence) {
      open = { file, line: index + 1, language: fence[1] ?? '', text: '' };
      blocks.push(open);
    }
  }
  return blocks;
}
