// Where the command line reads and writes: results on standard output, everything about them on standard error.
// Colours only for a person at a terminal who has not said NO_COLOR.

export type Variables = { readonly [name: string]: string | undefined };

type Colour = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

const escapes: { readonly [name in Colour]: number } = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export interface Terminal {
  env: Variables;
  /** One JSON document instead of text. */
  json: boolean;
  stdin: NodeJS.ReadStream;
  out(text: string): void;
  /** Aborted once nobody reads standard output any more. */
  gone: AbortSignal;
  err(text: string): void;
  /** For text on standard output. */
  paint(colour: Colour, text: string): string;
}

export function openTerminal(json: boolean): Terminal {
  const { env, stdin, stdout, stderr } = process;
  const gone = new AbortController();
  // A reader such as `head` that has seen enough is no fault, but no success either: the code of the command tells what came of it.
  stdout.on('error', ({ code }: { code?: string }) => (code === 'EPIPE' ? gone.abort() : giveUp(json, code)));
  // What cannot be told changes nothing of what came about.
  stderr.on('error', () => undefined);
  const coloured = !json && stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    env,
    json,
    stdin,
    gone: gone.signal,
    out: (text) => void (gone.signal.aborted || stdout.write(text)),
    err: (text) => void stderr.write(text),
    paint: (colour, text) => (coloured ? `\u001b[${escapes[colour]}m${text}\u001b[0m` : text),
  };
}

/** A result that got lost, on a full disk for instance, must not pass for one that was told. */
function giveUp(json: boolean, code = 'unknown'): never {
  const message = `standard output cannot be written (${code})`;
  process.stderr.write(json ? `${jsonText({ error: { kind: 'internal', message } })}\n` : `error: ${message}\n`);
  process.exit(1);
}

/** Columns as wide as their widest cell, without a frame; each cell may hold what came from outside. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(plain));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Controls of both kinds; marks, embeddings, overrides and isolates of the writing direction, which make text read as another one. */
const unprintable = /\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** What came from outside, made harmless for a terminal: one line that cannot move the cursor, colour, ring or turn around. */
export function plain(value: unknown): string {
  return String(value ?? '').replace(unprintable, ' ');
}

/** The same for text that has lines of its own. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** JSON that means the same and is harmless too: the serializer alone leaves U+009B and what turns text around as they are. */
export function jsonText(value: unknown, indent = 0): string {
  const lines = JSON.stringify(value, null, indent).split('\n');
  const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return lines.map((line) => line.replace(unprintable, escaped)).join('\n');
}
