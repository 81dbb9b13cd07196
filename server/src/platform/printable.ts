/**
 * Text of strangers for the eyes of an operator: what a receiver answered, shown in a log or a terminal. It cannot move the cursor,
 * colour the screen, ring, or turn the direction of reading around (CVE-2021-42574), and it is never longer than asked.
 */

/** C0 and C1 controls but line feed and tab, and DEL; marks, embeddings, overrides and isolates of the writing direction. */
const unprintable = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** What may be shown of `text`: at most `maxBytes` of UTF-8, cut between characters; a lone surrogate becomes U+FFFD. */
export function printable(text: string, maxBytes: number): string {
  const clean = text.toWellFormed().replace(unprintable, '');
  const bytes = Buffer.from(clean);
  if (bytes.length <= maxBytes) return clean;
  let end = maxBytes;
  // 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
