/** The little Markdown the generators need. */

/** A table; a `|` inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** `text` with what stands between `<!-- name:begin … -->` and `<!-- name:end -->` replaced. Throws when a mark is missing. */
export function replaceBetweenMarks(text: string, name: string, content: string): string {
  const marks = new RegExp(`(<!-- ${name}:begin[^\\n]*-->\\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!marks.test(text)) throw new Error(`the marks <!-- ${name}:begin --> and <!-- ${name}:end --> are missing`);
  return text.replace(marks, (_all, begin: string, end: string) => `${begin}${content}\n${end}`);
}
