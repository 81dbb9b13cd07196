/**
 * Patterns over text answers: plain text with `*` for anything (as little as possible) and one `(*)` for the value wanted. Not
 * regular expressions, on purpose: each piece is searched for once, from left to right, so that no pattern can hang the process.
 */

type Piece = { kind: 'text'; text: string } | { kind: 'any' } | { kind: 'value' };

/** The trimmed text must begin with the pattern; what follows does not matter. A `\` before `*`, `(` or `\` takes it literally. */
export interface Pattern {
  /** The value, or '' for a pattern without one; null where the text does not match. */
  match(text: string): string | null;
}

/** What is wrong with a pattern, to complete "pattern: …"; null when nothing is. */
export function patternFault(source: string): string | null {
  const pieces = parse(source);
  if (pieces.filter(({ kind }) => kind === 'value').length > 1) return 'may hold (*) once';
  const besides = pieces.some(({ kind }, index) => kind !== 'text' && (pieces[index + 1]?.kind ?? 'text') !== 'text');
  if (besides) return 'between * and (*) there must be text, else nobody knows where the value begins or ends';
  return pieces.some(({ kind }) => kind !== 'any') ? null : 'must say what to look for';
}

/** Whether a pattern says which value it wants. */
export const hasValue = (source: string): boolean => parse(source).some(({ kind }) => kind === 'value');

export function compilePattern(source: string): Pattern {
  const pieces = parse(source);
  return {
    match: (text) => matchPieces(pieces, text.trim()),
  };
}

function parse(source: string): Piece[] {
  const pieces: Piece[] = [];
  for (const [token] of source.matchAll(/\\[*(\\]|\(\*\)|\*|./gsu)) {
    const last = pieces.at(-1);
    if (token === '*') pieces.push({ kind: 'any' });
    else if (token === '(*)') pieces.push({ kind: 'value' });
    else {
      const text = token.length === 2 && token.startsWith('\\') ? token.slice(1) : token;
      if (last?.kind === 'text') last.text += text;
      else pieces.push({ kind: 'text', text });
    }
  }
  return pieces;
}

/** The leftmost place of each piece is always as good as a later one, so nothing is ever tried again. */
function matchPieces(pieces: readonly Piece[], text: string): string | null {
  let at = 0;
  let value = '';
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind !== 'text') continue;
    const before = pieces[index - 1]?.kind;
    // A value has at least one character.
    const found = text.indexOf(piece.text, before === 'value' ? at + 1 : at);
    if (found < 0 || (before === undefined && found > 0)) return null;
    if (before === 'value') value = text.slice(at, found).trim();
    if (before === 'value' && value === '') return null;
    at = found + piece.text.length;
  }
  if (pieces.at(-1)?.kind !== 'value') return value;
  const [word = ''] = /^\S*/.exec(text.slice(at).trimStart()) ?? [];
  return word === '' ? null : word;
}
